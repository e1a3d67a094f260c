import { beforeEach, expect, test, vi } from "vitest";
import { drawnOn, fakeCanvas } from "../testing/canvas";
import type { Viewport } from "../testing/cornerstone";
import { freshPages, get, press, settle, write } from "../testing/page";
import { type Asked, serve, status } from "../testing/server";
import { imageId, overlayOf, pictures, stackOf } from "../testing/viewer";
import { Brush } from "./brush";
import { Explanations } from "./explanations";
import type { Manifest } from "./load";
import { OverlayLayer } from "./overlay";
import type { Stack } from "./stack";

vi.mock("@cornerstonejs/core", async () => (await import("../testing/cornerstone")).core);
vi.mock("@cornerstonejs/tools", async () => (await import("../testing/cornerstone")).tools);
vi.mock("@cornerstonejs/dicom-image-loader", async () => (await import("../testing/cornerstone")).loader);
freshPages();

let viewport: Viewport;
let stack: Stack;
let explanations: Explanations;
let asked: Asked[];
let answers: Record<string, unknown>;
let failures: unknown[];
const overlays = [overlayOf("1.1"), overlayOf("1.2")];
const manifest = (list = overlays): Manifest => ({ series: [], overlays: list });

async function viewer(...uids: string[]): Promise<void> {
  fakeCanvas();
  failures = [];
  const button = (uid: string) => `<button data-explanation="explanation-${uid}"><b>Show why</b></button>`;
  write(`<div id="viewport" tabindex="0"></div><div id="findings">${button("1.1")}${button("1.2")}</div>
    <div id="controls" class="hidden"><b data-title></b><button data-hide></button><button data-brush></button>
    <input type="checkbox" name="contours"><input type="range" name="opacity" value="60"><div id="brush" class="hidden">
    <input name="radius" value="1"><button data-ask></button><button data-clear></button><p data-answer></p></div></div>`);
  answers = { "GET /overlays/1.1.png": pictures(), "GET /overlays/1.2.png": pictures() };
  asked = serve(answers);
  ({ stack, viewport } = await stackOf(...uids));
  const layer = new OverlayLayer(stack);
  const controls = get("#controls");
  const brush = new Brush(stack.element, layer, controls, {
    probe: "",
    probing: "",
    probeFailed: "",
    probeEmpty: "",
  });
  const panel = () => document.getElementById("findings");
  explanations = new Explanations(stack, layer, brush, controls, panel, (error) => failures.push(error));
  explanations.update(manifest());
}
beforeEach(() => viewer("1.0", "1.1", "1.2"));

async function show(uid: string): Promise<void> {
  get(`[data-explanation="explanation-${uid}"] b`).click();
  await settle();
}
const pressed = () =>
  [...document.querySelectorAll<HTMLElement>("[data-explanation][aria-pressed=true]")].map(
    (button) => button.dataset.explanation,
  );
const picture = () => {
  const [image] = drawnOn(get<HTMLCanvasElement>("canvas")).filter(({ kind }) => kind === "image");
  return (image?.image as { path: string } | undefined)?.path;
};

test("a finding's switch goes to its image and lays the picture over it", async () => {
  await show("1.2");
  expect(viewport.getCurrentImageId()).toBe(imageId("1.2"));
  expect(picture()).toBe("/overlays/1.2.png");
  expect(pressed()).toEqual(["explanation-1.2"]);
  expect(get("[data-title]").textContent).toBe("Pneumonia on 1.2");
  expect(get("#controls").classList).not.toContain("hidden");
});

test("the same switch again, or the hiding button, shows the plain image", async () => {
  await show("1.1");
  await show("1.1");
  expect([picture(), pressed()]).toEqual([undefined, []]);
  await show("1.1");
  get("[data-hide]").click();
  await settle();
  expect(picture()).toBeUndefined();
  expect(get("#controls").classList).toContain("hidden");
});

test("another finding's switch changes the picture", async () => {
  await show("1.1");
  await show("1.2");
  expect([picture(), pressed()]).toEqual(["/overlays/1.2.png", ["explanation-1.2"]]);
});

test("e shows the newest explanation and hides it, c draws contours, b paints", async () => {
  const key = async (name: string) => {
    press(stack.element, name);
    await settle();
  };
  await key("c");
  await key("b");
  expect(asked).toEqual([]);
  await key("e");
  expect(picture(), "the first, if none was shown before").toBe("/overlays/1.1.png");
  await key("c");
  expect(asked.at(-1)?.query.get("contours")).toBe("true");
  await key("b");
  expect(get("#brush").classList).not.toContain("hidden");
  get("[data-brush]").click();
  await show("1.2");
  await key("e");
  expect(picture()).toBeUndefined();
  await key("e");
  expect(picture()).toBe("/overlays/1.2.png");
  press(stack.element, "e", { ctrlKey: true });
  await settle();
  expect(picture()).toBe("/overlays/1.2.png");
});

test("a finer explanation is fetched once, and what is not shown is not fetched", async () => {
  await show("1.1");
  explanations.update(manifest());
  await settle();
  expect(asked).toHaveLength(1);
  explanations.update(
    manifest([
      { ...overlayOf("1.1"), revision: 2 },
      { ...overlayOf("1.2"), revision: 5 },
    ]),
  );
  await settle();
  expect(asked.map(({ path, query }) => `${path} ${query.get("r")}`)).toEqual([
    "/overlays/1.1.png 1",
    "/overlays/1.1.png 2",
  ]);
});

test("a picture that fails to load is reported, and the image is shown without an overlay", async () => {
  answers["GET /overlays/1.1.png"] = () => status(500);
  await show("1.1");
  expect(failures).toHaveLength(1);
  expect([picture(), pressed()]).toEqual([undefined, []]);
});

test("who is quicker than the images still gets to the one that counts", async () => {
  await viewer();
  const [first] = [show("1.2")];
  await stack.show(["1.1", "1.2"].map((uid) => imageId(uid)));
  await first;
  await settle();
  expect(viewport.getCurrentImageId()).toBe(imageId("1.2"));
  expect(picture()).toBe("/overlays/1.2.png");
});

test("an explanation of an image that is not here moves nothing", async () => {
  await viewer("1.0");
  await show("1.1");
  expect(viewport.index).toBe(0);
  expect(picture()).toBeUndefined();
});

test("the opacity field changes the picture as it is", async () => {
  await show("1.1");
  const field = get<HTMLInputElement>("[name=opacity]");
  field.value = "30";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  expect(drawnOn(get<HTMLCanvasElement>("canvas"))[0]?.alpha).toBe(0.3);
  expect(asked).toHaveLength(1);
});
