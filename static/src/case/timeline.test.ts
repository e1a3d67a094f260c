import { beforeEach, expect, test, vi } from "vitest";
import { fakeCanvas } from "../testing/canvas";
import { charts, newest } from "../testing/echarts";
import { freshPages, get, jsonScript, write } from "../testing/page";
import { timeline } from "./timeline";

vi.mock("echarts/core", async () => (await import("../testing/echarts")).core);
freshPages();

const BINS = {
  kinds: [
    ["note", "Notes"],
    ["alarm", "Alarms"],
    ["report", "Reports"],
  ],
  bins: [
    ["2026-03-02T08:00:00+00:00", { note: 2 }],
    ["2026-03-02T09:00:00+00:00", { note: 1, alarm: 3 }],
    ["2026-03-02T10:00:00+00:00", {}],
  ],
};
const FORM = `<form id="timeline-filters"><input name="since"><input name="until"></form>`;
let zooms: string[];

beforeEach(() => {
  vi.useFakeTimers();
  fakeCanvas();
  charts.length = 0;
  zooms = [];
});

function start(bins: unknown = BINS): void {
  write(`<div id="timeline-chart"></div>${FORM}${jsonScript("bins", bins)}`);
  const form = get<HTMLFormElement>("form");
  form.addEventListener("zoomed", () => {
    const data = new FormData(form);
    zooms.push(`${data.get("since")} to ${data.get("until")}`);
  });
  timeline();
}

test("what happened is counted by kind; a kind that never did has no bar", () => {
  start();
  expect(newest().series("Notes").data).toEqual([2, 1, 0]);
  expect(newest().series("Alarms").data).toEqual([0, 3, 0]);
  expect(newest().option.series).toHaveLength(2);
  expect(newest().option.xAxis).toMatchObject({
    data: ["2026-03-02 08:00", "2026-03-02 09:00", "2026-03-02 10:00"],
  });
});

test("the list shows the stretch between the bar's ends, once the hand rests", () => {
  start();
  newest().zoom(0, 1);
  newest().zoom(1, 1);
  expect(zooms).toEqual([]);
  vi.advanceTimersByTime(300);
  expect(zooms).toEqual(["2026-03-02T09:00:00.000Z to 2026-03-02T10:00:00.000Z"]);
});

test("the whole stretch is no limit", () => {
  start();
  newest().zoom(-0.3, 2.4);
  vi.advanceTimersByTime(300);
  expect(zooms).toEqual([" to "]);
});

test("a case in which nothing happened draws nothing", () => {
  start({ kinds: [], bins: [] });
  expect(charts).toEqual([]);
});
