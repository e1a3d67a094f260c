import { beforeEach, expect, test, vi } from "vitest";
import { drawnOn, fakeCanvas } from "../testing/canvas";
import type { Viewport } from "../testing/cornerstone";
import { freshPages, get, write } from "../testing/page";
import { serve, status } from "../testing/server";
import { overlayOf, pictures, stackOf } from "../testing/viewer";
import { OverlayLayer } from "./overlay";
import type { Stack } from "./stack";

vi.mock("@cornerstonejs/core", async () => (await import("../testing/cornerstone")).core);
vi.mock("@cornerstonejs/tools", async () => (await import("../testing/cornerstone")).tools);
vi.mock("@cornerstonejs/dicom-image-loader", async () => (await import("../testing/cornerstone")).loader);
freshPages();

let viewport: Viewport;
let stack: Stack;
let layer: OverlayLayer;

beforeEach(async () => {
  fakeCanvas();
  write('<div id="viewport"></div>');
  ({ stack, viewport } = await stackOf("1.1", "1.2"));
  layer = new OverlayLayer(stack);
});

const style = new URLSearchParams({ sign: "both" });
const drawn = () => drawnOn(get<HTMLCanvasElement>("canvas.overlay"));
const images = () => drawn().filter(({ kind }) => kind === "image");

test("a picture is asked for in its style and laid over the image's pixels", async () => {
  const asked = serve({ "GET /overlays/1.1.png": pictures() });
  await layer.show(overlayOf("1.1"), style);
  expect(String(asked[0]?.query)).toBe("sign=both&view=film&r=1");
  // 12 x 24 picture points over 100 x 50 pixels of 2 CSS pixels each, which begin at (10, 20), half a pixel earlier.
  expect(images()).toEqual([
    {
      kind: "image",
      image: { path: "/overlays/1.1.png", width: 12, height: 24 },
      rectangle: [0, 0, 12, 24, 0, 0, 12, 24],
      transform: [200 / 12, 0, 0, 100 / 24, 9, 19],
      alpha: 0.6,
    },
  ]);
});

test("it moves and grows with the image", async () => {
  serve({ "GET /overlays/1.1.png": pictures() });
  await layer.show(overlayOf("1.1"), style);
  stack.zoom(2);
  expect(images()[0]?.transform).toEqual([400 / 12, 0, 0, 200 / 24, 8, 18]);
});

test("another image than its own stays plain", async () => {
  serve({ "GET /overlays/1.1.png": pictures() });
  await layer.show(overlayOf("1.1"), style);
  await stack.goTo(1);
  expect(drawn()).toEqual([]);
  await stack.goTo(0);
  expect(images()).toHaveLength(1);
});

test("each slice of a volume gets its level of the file", async () => {
  serve({ "GET /overlays/1.1.png": pictures() });
  const volume = overlayOf("1.1", { slices: ["1.1", "1.2"], levels: 4 });
  await layer.show(volume, style);
  expect(images()[0]?.rectangle).toEqual([0, 6, 12, 6, 0, 0, 12, 6]);
  await stack.goTo(1);
  expect(images()[0]?.rectangle).toEqual([0, 18, 12, 6, 0, 0, 12, 6]);
  expect(layer.place()).toBe(0.75);
});

test("hidden again the image is plain; opacity counts for the picture", async () => {
  serve({ "GET /overlays/1.1.png": pictures() });
  await layer.show(overlayOf("1.1"), style);
  layer.setOpacity(0.25);
  expect(images()[0]?.alpha).toBe(0.25);
  layer.hide();
  expect(drawn()).toEqual([]);
  expect(layer.place()).toBeUndefined();
});

test("a picture asked for earlier that comes later is not shown", async () => {
  const answer = pictures();
  let late = (_: Response) => {};
  serve({
    "GET /overlays/1.1.png": () => new Promise<Response>((resolve) => (late = resolve)),
    "GET /overlays/1.1b.png": answer,
  });
  const first = layer.show(overlayOf("1.1"), style);
  await layer.show(overlayOf("1.1", { png: "/overlays/1.1b.png" }), style);
  late(answer({ path: "/overlays/1.1.png" }));
  await first;
  expect(images()[0]?.image).toMatchObject({ path: "/overlays/1.1b.png" });
});

test("a picture that cannot be had is an error", async () => {
  serve({ "GET /overlays/1.1.png": () => status(404) });
  await expect(layer.show(overlayOf("1.1"), style)).rejects.toThrow("404");
});

test("marked cells and the cursor are drawn over the picture", async () => {
  serve({ "GET /overlays/1.1.png": pictures() });
  await layer.show(overlayOf("1.1"), style);
  layer.mark(new Set([0, 5]), 4, 6);
  const marks = drawn().filter(({ kind }) => kind !== "image");
  expect(marks.map(({ kind, rectangle }) => [kind, rectangle])).toEqual([
    ["fill", [0, 0, 3, 6]],
    ["fill", [3, 6, 3, 6]],
    ["stroke", [6, 6, 3, 6]],
  ]);
});

test("a point of the element lies in a cell, or beside the image", async () => {
  expect(layer.cellAt([10, 20], 10), "nothing is explained yet").toBeUndefined();
  serve({ "GET /overlays/1.1.png": pictures() });
  await layer.show(overlayOf("1.1"), style);
  expect(layer.cellAt([9.5, 19.5], 10)).toBe(0);
  expect(layer.cellAt([9 + 105, 19 + 35], 10)).toBe(35);
  expect(layer.cellAt([208, 118], 10)).toBe(99);
  expect(layer.cellAt([8, 30], 10)).toBeUndefined();
  expect(layer.cellAt([100, 120], 10)).toBeUndefined();
});

test("without an image nothing is drawn", async () => {
  serve({ "GET /overlays/1.1.png": pictures() });
  await layer.show(overlayOf("1.1"), style);
  viewport.getImageData = () => undefined as never;
  viewport.render();
  expect(drawn()).toEqual([]);
});
