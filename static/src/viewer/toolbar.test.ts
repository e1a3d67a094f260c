import { beforeEach, expect, test, vi } from "vitest";
import { MouseBindings, type ToolGroup, type Viewport } from "../testing/cornerstone";
import { freshPages, get, press, write } from "../testing/page";
import { stackOf } from "../testing/viewer";
import { toolbar } from "./toolbar";

vi.mock("@cornerstonejs/core", async () => (await import("../testing/cornerstone")).core);
vi.mock("@cornerstonejs/tools", async () => (await import("../testing/cornerstone")).tools);
vi.mock("@cornerstonejs/dicom-image-loader", async () => (await import("../testing/cornerstone")).loader);
freshPages();

let viewport: Viewport;
let tools: ToolGroup;

beforeEach(async () => {
  const button = (kind: string, name: string) => `<button data-${kind}="${name}"><svg></svg></button>`;
  write(`<div id="toolbar">${["window", "zoom", "pan", "length"].map((name) => button("tool", name)).join("")}
    ${["invert", "reset", "zoom-in", "zoom-out"].map((name) => button("act", name)).join("")}<p>text</p></div>
    <div id="viewport"></div>`);
  const viewer = await stackOf("1", "2", "3");
  ({ viewport, tools } = viewer);
  toolbar(get("#toolbar"), viewer.stack);
});

const pressed = () =>
  [...document.querySelectorAll<HTMLElement>("[aria-pressed=true]")].map((button) => button.dataset.tool);

test("the window tool is held at first", () => {
  expect(pressed()).toEqual(["window"]);
});

test.each([
  ["window", "w", "WindowLevel"],
  ["zoom", "z", "Zoom"],
  ["pan", "p", "Pan"],
  ["length", "l", "Length"],
])("the button and the key of %s give the left button to its tool", (name, key, tool) => {
  get(`[data-tool=${name}] svg`).dispatchEvent(new MouseEvent("click", { bubbles: true }));
  expect(pressed()).toEqual([name]);
  expect(tools.onButton(MouseBindings.Primary)).toBe(tool);
  press(get("#viewport"), "w");
  expect(press(get("#viewport"), key)).toBe(false);
  expect(pressed()).toEqual([name]);
});

test("buttons act at once", () => {
  get("[data-act=invert]").click();
  get("[data-act=zoom-in]").click();
  expect(viewport.properties.invert).toBe(true);
  expect(viewport.getZoom()).toBe(2.5);
  get("[data-act=zoom-out]").click();
  expect(viewport.getZoom()).toBe(2);
  get("[data-act=reset]").click();
  expect(viewport.properties.invert).toBeUndefined();
});

test.each([
  ["ArrowDown", "ArrowUp"],
  ["PageDown", "PageUp"],
])("%s and %s go through the images", (down, up) => {
  press(get("#viewport"), down);
  expect(viewport.index).toBe(1);
  press(get("#viewport"), up);
  expect(viewport.index).toBe(0);
});

test("other keys and keys with Ctrl are the browser's", () => {
  expect(press(get("#viewport"), "q")).toBe(true);
  expect(press(get("#viewport"), "r", { ctrlKey: true })).toBe(true);
  get("p").click();
  expect(pressed()).toEqual(["window"]);
});
