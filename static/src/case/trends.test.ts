import { beforeEach, expect, test, vi } from "vitest";
import { fakeCanvas } from "../testing/canvas";
import { charts } from "../testing/echarts";
import { freshPages, jsonScript, write } from "../testing/page";
import { trends } from "./trends";

vi.mock("echarts/core", async () => (await import("../testing/echarts")).core);
freshPages();
beforeEach(() => {
  fakeCanvas();
  charts.length = 0;
});

const points = (count: number) =>
  Array.from({ length: count }, (_, hour) => [`2026-03-02T${hour}`, hour, ""]);
const trend = (code: string, count: number, low: number | null = 60) => ({
  code,
  title: `Title ${code}`,
  unit: "mmol/L",
  low,
  high: low === null ? null : 100,
  points: points(count),
});

test("each value gets a line with its reference range; a single point gets none", () => {
  write(
    `<div data-trend="HR"></div><div data-trend="GCS"></div><div data-trend="one"></div>
     ${jsonScript("trend-texts", { reference: "Reference range", value: "Value" })}
     ${jsonScript("trends", [trend("HR", 3), trend("GCS", 70, null), trend("one", 1), trend("not here", 3)])}`,
  );
  trends();
  expect(charts.map((chart) => chart.element.parentElement?.dataset.trend)).toEqual(["HR", "GCS"]);
  const [rate, coma] = charts;
  expect(rate?.series("Title HR")).toMatchObject({
    data: points(3).map(([time, value]) => [time, value]),
    markArea: { data: [[{ yAxis: 60, name: "Reference range" }, { yAxis: 100 }]] },
  });
  const tooltip = rate?.option.tooltip as { valueFormatter: (value: number) => string };
  expect(tooltip.valueFormatter(2.5)).toBe("2.5 mmol/L");
  expect(rate?.option.dataZoom).toEqual([]);
  expect(coma?.series("Title GCS").markArea).toBeUndefined();
  expect(coma?.option.dataZoom, "many points can be zoomed").toEqual([{ type: "inside" }]);
});

test("a page without values draws nothing", () => {
  write("");
  trends();
  expect(charts).toEqual([]);
});

test("a limit of detection is a labelled triangle and no point of the line", () => {
  const limited = {
    ...trend("CRP", 3),
    points: [
      ["2026-03-02T00", 0.5, "<"],
      ["2026-03-02T01", 12, ""],
      ["2026-03-02T02", 300, ">"],
    ],
  };
  write(`<div data-trend="CRP"></div>${jsonScript("trends", [limited])}`);
  trends();
  const series = (charts[0]?.option.series ?? []) as { data: unknown[]; symbol?: string }[];
  const [line, scatter] = series;
  expect(line?.data).toEqual([
    ["2026-03-02T00", null],
    ["2026-03-02T01", 12],
    ["2026-03-02T02", null],
  ]);
  expect(scatter?.symbol).toBe("triangle");
  expect(scatter?.data).toMatchObject([
    { value: ["2026-03-02T00", 0.5], name: "<0.5 mmol/L", symbolRotate: 180 },
    { value: ["2026-03-02T02", 300], name: ">300 mmol/L", symbolRotate: 0 },
  ]);
});
