import { beforeEach, expect, test, vi } from "vitest";
import { tools as library, MouseBindings, started } from "../testing/cornerstone";
import { freshPages, write } from "../testing/page";
import { imageId, stackOf } from "../testing/viewer";

vi.mock("@cornerstonejs/core", async () => (await import("../testing/cornerstone")).core);
vi.mock("@cornerstonejs/tools", async () => (await import("../testing/cornerstone")).tools);
vi.mock("@cornerstonejs/dicom-image-loader", async () => (await import("../testing/cornerstone")).loader);
freshPages();
beforeEach(() => write('<div id="viewport"></div>'));

test("a new viewer holds the window tool left, zoom right, pan in the middle, and scrolls by the wheel", async () => {
  const { tools } = await stackOf();
  expect(tools.onButton(MouseBindings.Primary)).toBe("WindowLevel");
  expect(tools.onButton(MouseBindings.Secondary)).toBe("Zoom");
  expect(tools.onButton(MouseBindings.Auxiliary)).toBe("Pan");
  expect(tools.onButton(MouseBindings.Wheel)).toBe("StackScroll");
});

test("a tool that is held keeps its other button, and the tool before lets go", async () => {
  const { stack, tools } = await stackOf();
  stack.hold("zoom");
  expect(tools.onButton(MouseBindings.Primary)).toBe("Zoom");
  expect(tools.onButton(MouseBindings.Secondary)).toBe("Zoom");
  expect(tools.active.get("Zoom")).toContainEqual({ numTouchPoints: 2 });
  stack.hold("length");
  expect(tools.onButton(MouseBindings.Primary)).toBe("Length");
  expect(tools.onButton(MouseBindings.Secondary)).toBe("Zoom");
  expect(tools.active.has("WindowLevel")).toBe(false);
});

test("a series is shown from its first image, and only then one can go to an image", async () => {
  const { stack, viewport } = await stackOf();
  let shown = false;
  void stack.shown.then(() => {
    shown = true;
  });
  await Promise.resolve();
  expect(shown).toBe(false);
  await stack.show(["1", "2", "3"].map((uid) => imageId(uid)));
  await stack.shown;
  expect(viewport.getCurrentImageId()).toBe(imageId("1"));
});

test("the images of the series on the screen are loaded ahead, and of no other", async () => {
  const { stack } = await stackOf();
  await stack.show(["1", "2", "3"].map((uid) => imageId(uid)));
  expect(started.prefetch.element).toBe(stack.element);
  const next = stack.show(["4"].map((uid) => imageId(uid)));
  expect(started.prefetch.element).toBeUndefined();
  await next;
  expect(started.prefetch.element).toBe(stack.element);
  expect(started.prefetch.configuration).toMatchObject({ maxAfter: expect.any(Number) });
});

test("scrolling stops at both ends", async () => {
  const { stack, viewport } = await stackOf("1", "2", "3");
  await stack.scroll(-1);
  expect(viewport.index).toBe(0);
  await stack.scroll(2);
  await stack.scroll(5);
  expect(viewport.index).toBe(2);
});

test("zoom and inversion, and back to how the image came", async () => {
  const { stack, viewport } = await stackOf("1");
  stack.zoom(1.5);
  stack.invert();
  expect([viewport.getZoom(), viewport.properties.invert]).toEqual([3, true]);
  stack.invert();
  expect(viewport.properties.invert).toBe(false);
  stack.invert();
  stack.reset();
  expect([viewport.getZoom(), viewport.properties.invert]).toEqual([2, undefined]);
});

test("a second viewer on a page is an error", async () => {
  vi.spyOn(library.ToolGroupManager, "createToolGroup").mockReturnValue(undefined);
  await expect(stackOf()).rejects.toThrow("started twice");
});
