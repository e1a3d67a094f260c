import { beforeEach, expect, test, vi } from "vitest";
import { fakeCanvas } from "../testing/canvas";
import { charts, newest } from "../testing/echarts";
import { freshPages, get, jsonScript, settle, write } from "../testing/page";
import { axis, carried, colour, draw } from "./charts";

vi.mock("echarts/core", async () => (await import("../testing/echarts")).core);
freshPages();
beforeEach(() => {
  fakeCanvas();
  charts.length = 0;
});

test("a colour of the theme is given with its share", () => {
  write("<style>.probe-line { color: rgb(10, 20, 30) }</style>");
  expect(colour("line")).toBe("rgba(10, 20, 30, 1)");
  expect(colour("line", 22)).toBe("rgba(10, 20, 30, 0.22)");
  expect(document.querySelector(".probe-line"), "the probe is gone again").toBeNull();
});

test("an axis is drawn in the text's colour", () => {
  write("<style>.probe-text { color: rgb(1, 2, 3) }</style>");
  expect(axis().axisLabel).toEqual({ color: "rgba(1, 2, 3, 1)", hideOverlap: true });
});

test("a chart is redrawn when the theme changes and resized with its element", async () => {
  let resized = () => {};
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(listener: () => void) {
        resized = listener;
      }
      observe() {}
    },
  );
  write('<div id="chart"></div>');
  let turn = 0;
  draw(get("#chart"), () => ({ title: `turn ${++turn}` }));
  expect(newest().option).toMatchObject({ title: "turn 1", animation: false });
  expect(newest().element.parentElement, "in a child, which has no id").toBe(get("#chart"));
  expect(newest().element.id).toBe("");
  document.documentElement.dataset.theme = "medportal-dark";
  await settle();
  expect(newest().option).toMatchObject({ title: "turn 2" });
  resized();
  expect(newest().sizes).toBe(1);
  delete document.documentElement.dataset.theme;
  await settle();
});

test("what the page carries is read; where it carries nothing there is nothing", () => {
  write(jsonScript("bins", { kinds: [] }));
  expect(carried("bins")).toEqual({ kinds: [] });
  expect(carried("other")).toBeUndefined();
});
