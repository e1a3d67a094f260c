import { beforeEach, expect, test, vi } from "vitest";
import { drawnOn, fakeCanvas } from "./testing/canvas";
import { change, freshPages, get, jsonScript, settle, write } from "./testing/page";
import { type Asked, serve, status } from "./testing/server";
import { overlayOf, pictures } from "./testing/viewer";

vi.mock("@cornerstonejs/core", async () => (await import("./testing/cornerstone")).core);
vi.mock("@cornerstonejs/tools", async () => (await import("./testing/cornerstone")).tools);
vi.mock("@cornerstonejs/dicom-image-loader", async () => (await import("./testing/cornerstone")).loader);
vi.mock("@cornerstonejs/metadata", async () => (await import("./testing/cornerstone")).metaData);
freshPages();

const WORDS = {
  loading: "Loading",
  failed: "Could not load",
  position: "Image {current} of {total}",
  explanationFailed: "No picture",
  noImages: "No images",
};
const instance = (uid: string, frames: number) => ({
  "00200013": { Value: [1] },
  "00280008": { Value: [frames] },
  "7FE00010": { BulkDataURI: `/instances/${uid}/frames` },
});
let asked: Asked[];
let routes: Record<string, unknown>;
let manifest: { series: unknown[]; overlays: unknown[] };

beforeEach(() => {
  fakeCanvas();
  vi.spyOn(console, "error").mockImplementation(() => {});
  write(`<div id="viewport" data-manifest="/manifest/"></div><p id="viewer-status"></p><p id="position"></p>
    <div id="toolbar"></div><select id="series"><option value="0">a<option value="1">b</select>
    <div id="findings"><button data-explanation="explanation-1.1"></button><details><summary>How</summary></details>
    <details><summary>Verdict</summary><form></form></details></div>
    <div id="overlay-controls"><button data-brush></button><div id="brush"><input name="radius" value="1">
    <button data-ask></button><button data-clear></button><p data-answer></p></div></div>
    ${jsonScript("viewer-texts", WORDS)}`);
  const series = (uid: string) => ({ uid, metadata: `/metadata/${uid}` });
  manifest = { series: [series("s1"), series("s2")], overlays: [overlayOf("1.1")] };
  routes = {
    "GET /manifest/": () => manifest,
    "GET /metadata/s1": [instance("1.1", 3)],
    "GET /metadata/s2": [instance("1.2", 1)],
    "GET /overlays/1.1.png": pictures(),
  };
  asked = serve(routes);
});

async function open(): Promise<void> {
  await import("./study");
  await settle();
}
const swapped = async () => {
  document.dispatchEvent(new Event("htmx:after:swap"));
  await settle();
};
const swapping = (method: string) =>
  document.dispatchEvent(
    new CustomEvent("htmx:before:swap", { cancelable: true, detail: { ctx: { request: { method } } } }),
  );

test("the first series is shown, with its position", async () => {
  await open();
  expect(get("#viewport").dataset.ready).toBe("s1");
  expect(get("#position").textContent).toBe("Image 1 of 3");
  expect(get("#viewer-status").textContent).toBe("");
});

test("an explanation of a series that is not on the screen opens it", async () => {
  manifest.overlays = [overlayOf("1.2")];
  routes["GET /overlays/1.2.png"] = pictures();
  get("#findings").innerHTML = '<button data-explanation="explanation-1.2"></button>';
  await open();
  get("[data-explanation]").click();
  await settle();
  expect(get<HTMLSelectElement>("#series").value).toBe("1");
  expect(get("#viewport").dataset.ready).toBe("s2");
});

test("another series can be chosen", async () => {
  await open();
  change(get<HTMLSelectElement>("#series"), "1");
  await settle();
  expect(get("#viewport").dataset.ready).toBe("s2");
  expect(get("#position").textContent).toBe("Image 1 of 1");
});

test.each(["/manifest/", "/metadata/s1"])("a failed load of %s is reported", async (path) => {
  routes[`GET ${path}`] = () => status(500);
  await open();
  expect(get("#viewport").dataset.ready).toBe("failed");
  expect(get("#viewer-status").textContent).toBe("Could not load");
});

test("a study without series shows nothing and fails nowhere", async () => {
  manifest = { series: [], overlays: [] };
  await open();
  expect(get("#viewport").dataset.ready).toBeUndefined();
  expect(get("#viewer-status").textContent).toBe("No images");
  expect(asked).toHaveLength(1);
});

test("an explanation refined while it is shown is redrawn", async () => {
  await open();
  get("[data-explanation]").click();
  await settle();
  expect(drawnOn(get<HTMLCanvasElement>("canvas.overlay")).map(({ kind }) => kind)).toContain("image");
  manifest = { ...manifest, overlays: [{ ...overlayOf("1.1"), revision: 2 }] };
  await swapped();
  expect(asked.filter(({ path }) => path.endsWith(".png")).map(({ query }) => query.get("r"))).toEqual([
    "1",
    "2",
  ]);
});

test("a picture that fails to load is reported under the image", async () => {
  routes["GET /overlays/1.1.png"] = () => status(500);
  await open();
  get("[data-explanation]").click();
  await settle();
  expect(get("#viewer-status").textContent).toBe("No picture");
});

test("what the doctor opened stays open when the panel is replaced", async () => {
  await open();
  const panel = get("#findings");
  const closed = panel.innerHTML;
  (panel.querySelector("details") as HTMLDetailsElement).open = true;
  expect(swapping("GET")).toBe(true);
  panel.innerHTML = closed;
  await swapped();
  expect([...panel.querySelectorAll("details")].map(({ open }) => open)).toEqual([true, false]);
});

test("while a form is open the panel is not replaced, except by what the doctor sent", async () => {
  await open();
  (get("form").parentElement as HTMLDetailsElement).open = true;
  expect(swapping("GET")).toBe(false);
  expect(swapping("POST")).toBe(true);
});
