import { axis, carried, colour, draw } from "./charts";

interface Trend {
  code: string;
  title: string;
  unit: string;
  low: number | null;
  high: number | null;
  points: [string, number][];
}

/** A line a kind of value, with the reference range as a band. */
export function trends(): void {
  const words = carried<{ reference: string; value: string }>("trend-texts");
  for (const trend of carried<Trend[]>("trends") ?? []) {
    const element = document.querySelector<HTMLElement>(`[data-trend="${trend.code}"]`);
    if (element && trend.points.length > 1) draw(element, () => option(trend, words?.reference ?? ""));
  }
}

function option(trend: Trend, reference: string) {
  const band =
    trend.low === null
      ? undefined
      : {
          silent: true,
          itemStyle: { color: colour("good", 14) },
          data: [[{ yAxis: trend.low, name: reference, label: { show: false } }, { yAxis: trend.high }]],
        };
  return {
    grid: { left: 42, right: 10, top: 10, bottom: 22 },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      valueFormatter: (value: number) => `${value} ${trend.unit}`,
    },
    xAxis: { type: "time", ...axis(), splitNumber: 3 },
    yAxis: { type: "value", scale: true, splitNumber: 3, ...axis() },
    dataZoom: trend.points.length > 40 ? [{ type: "inside" }] : [],
    series: [
      {
        type: "line",
        name: trend.title,
        data: trend.points,
        symbolSize: trend.points.length > 60 ? 3 : 6,
        sampling: "lttb",
        lineStyle: { color: colour("line"), width: 2 },
        itemStyle: { color: colour("line") },
        markArea: band,
      },
    ],
  };
}
