import { beforeEach, expect, test, vi } from "vitest";
import { drawnOn, fakeCanvas } from "../testing/canvas";
import { freshPages, get, press, settle, write } from "../testing/page";
import { type Asked, serve, status } from "../testing/server";
import { overlayOf, pictures, stackOf } from "../testing/viewer";
import { Brush } from "./brush";
import type { Overlay } from "./load";
import { OverlayLayer } from "./overlay";

vi.mock("@cornerstonejs/core", async () => (await import("../testing/cornerstone")).core);
vi.mock("@cornerstonejs/tools", async () => (await import("../testing/cornerstone")).tools);
vi.mock("@cornerstonejs/dicom-image-loader", async () => (await import("../testing/cornerstone")).loader);
freshPages();

const WORDS = {
  probe: "{before} % with, {after} % without the area",
  probing: "Asking the model",
  probeFailed: "No answer",
  probeEmpty: "Paint an area first",
};
let brush: Brush;
let layer: OverlayLayer;
let asked: Asked[];
let answers: Record<string, unknown>;
const overlay = overlayOf("1.1");

beforeEach(async () => {
  fakeCanvas();
  write(`<div id="viewport" tabindex="0"></div><div id="controls"><button data-brush></button>
    <div id="brush" class="hidden"><input name="radius" value="0"><button data-ask></button>
    <button data-clear></button><p data-answer></p></div></div>`);
  answers = { "GET /overlays/1.1.png": pictures() };
  asked = serve(answers);
  const { stack } = await stackOf("1.1");
  layer = new OverlayLayer(stack);
  brush = new Brush(stack.element, layer, get("#controls"), WORDS);
});

async function explain(chosen: Overlay = overlay): Promise<void> {
  await layer.show(chosen, new URLSearchParams());
  brush.choose(chosen);
}
/** An image of 200 x 100 CSS pixels lies at (9, 19); cells are 1/48 of that. */
const point = (row: number, column: number) => ({
  clientX: 9 + (200 * (column + 0.5)) / 48,
  clientY: 19 + (100 * (row + 0.5)) / 48,
  pointerId: 1,
  bubbles: true,
  cancelable: true,
});
const move = (type: string, row: number, column: number) =>
  get("#viewport").dispatchEvent(new PointerEvent(type, point(row, column)));
const painted = () => drawnOn(get<HTMLCanvasElement>("canvas")).filter(({ kind }) => kind === "fill").length;
const answer = () => get("[data-answer]").textContent;
const posted = () =>
  asked.filter(({ method }) => method === "POST").map(({ body }) => JSON.parse(String(body)));
const done = (more = {}) => ({
  id: "9",
  state: "succeeded",
  reason: "",
  before: 0.8,
  label: "pneumonia",
  probabilities: { pneumonia: 0.25 },
  ...more,
});

test("without an explanation there is nothing to paint on", () => {
  get("[data-brush]").click();
  expect(get("[data-brush]").getAttribute("aria-pressed")).toBe("false");
  expect(move("pointerdown", 3, 4)).toBe(true);
  expect(press(get("#viewport"), " ")).toBe(true);
});

test("a painted area is sent with the explanation's finding, and the answer told", async () => {
  answers["POST /probes/"] = { id: "9", state: "queued" };
  answers["GET /api/v1/probes/9/"] = [() => ({ id: "9", state: "running" }), () => done()];
  await explain();
  get("[data-brush]").click();
  expect(get("#brush").classList).not.toContain("hidden");
  move("pointerdown", 3, 4);
  move("pointermove", 3, 5);
  move("pointerup", 3, 6);
  move("pointermove", 3, 7);
  expect(painted()).toBe(2);
  get("[data-ask]").click();
  expect(answer()).toBe("Asking the model");
  await vi.waitFor(() => expect(answer()).toBe("Pneumonia on 1.1: 80.0 % with, 25.0 % without the area"));
  expect(posted()).toEqual([{ cells: [3 * 48 + 4, 3 * 48 + 5] }]);
  expect(asked.find(({ method }) => method === "POST")?.headers.get("X-CSRFToken")).toBe("token-of-the-page");
});

test("the radius makes a disc that ends at the image's edge", async () => {
  await explain();
  get<HTMLInputElement>("[name=radius]").value = "2";
  get("[data-brush]").click();
  move("pointerdown", 20, 20);
  expect(painted()).toBe(13);
  get("[data-clear]").click();
  move("pointerdown", 0, 0);
  expect(painted()).toBe(6);
});

test("keys move the cursor, in fours with Shift, paint and ask", async () => {
  answers["POST /probes/"] = done();
  await explain();
  brush.toggle(true);
  expect(document.activeElement).toBe(get("#viewport"));
  press(get("#viewport"), "ArrowRight");
  press(get("#viewport"), "ArrowUp", { shiftKey: true });
  expect(press(get("#viewport"), " ")).toBe(false);
  press(get("#viewport"), "Enter");
  await settle();
  expect(posted()).toEqual([{ cells: [20 * 48 + 25] }]);
  expect(press(get("#viewport"), "q")).toBe(true);
  press(get("#viewport"), "Escape");
  expect(get("#brush").classList).toContain("hidden");
  expect(painted()).toBe(0);
});

test("the cursor stays on the image", async () => {
  answers["POST /probes/"] = done();
  await explain();
  brush.toggle(true);
  for (let turn = 0; turn < 20; turn++) {
    press(get("#viewport"), "ArrowDown", { shiftKey: true });
    press(get("#viewport"), "ArrowLeft", { shiftKey: true });
  }
  press(get("#viewport"), " ");
  press(get("#viewport"), "Enter");
  await settle();
  expect(posted()).toEqual([{ cells: [47 * 48] }]);
});

test("in a volume the slice's depth is sent too", async () => {
  answers["POST /probes/"] = done();
  await explain(overlayOf("1.1", { slices: ["1.0", "1.1"], levels: 2 }));
  brush.toggle(true);
  press(get("#viewport"), " ");
  press(get("#viewport"), "Enter");
  await settle();
  expect(posted()).toEqual([{ cells: [24 * 48 + 24], depth: 0.75 }]);
});

test("nothing painted asks nothing", async () => {
  await explain();
  brush.toggle(true);
  get("[data-ask]").click();
  expect(answer()).toBe("Paint an area first");
  expect(posted()).toEqual([]);
});

test.each([
  ["an error of the server", () => status(500), "No answer"],
  [
    "a refusal with its reason",
    () => done({ state: "refused", reason: "No consent", probabilities: {} }),
    "No consent",
  ],
  ["a failure without words", () => done({ state: "failed", probabilities: {} }), "No answer"],
])("%s is reported", async (_, reply, words) => {
  answers["POST /probes/"] = reply;
  await explain();
  brush.toggle(true);
  press(get("#viewport"), " ");
  get("[data-ask]").click();
  await settle();
  expect(answer()).toBe(words);
});

test("another explanation ends the painting, a finer one of the same does not", async () => {
  await explain();
  brush.toggle(true);
  brush.choose({ ...overlay, revision: 2 });
  expect(get("#brush").classList).not.toContain("hidden");
  brush.choose(overlayOf("1.2"));
  expect(get("#brush").classList).toContain("hidden");
});

test("while painting the viewer's own tools get no pointer, and points beside the image paint nothing", async () => {
  await explain();
  brush.toggle(true);
  let heard = 0;
  get("#viewport").addEventListener("mousedown", () => heard++);
  get("#viewport").dispatchEvent(new MouseEvent("mousedown", { bubbles: true, cancelable: true }));
  expect(heard).toBe(0);
  move("pointerdown", -5, 3);
  expect(painted()).toBe(0);
});
