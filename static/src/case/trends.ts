import { axis, carried, colour, draw } from "./charts";

interface Trend {
  code: string;
  title: string;
  unit: string;
  low: number | null;
  high: number | null;
  /** Time, value, comparator: "<" or ">" if the value is a limit and the true one lies below or above it. */
  points: [string, number, string][];
}

/** A line a kind of value, with the reference range as a band. */
export function trends(): void {
  const words = carried<{ reference: string; value: string }>("trend-texts");
  for (const trend of carried<Trend[]>("trends") ?? []) {
    const element = document.querySelector<HTMLElement>(`[data-trend="${trend.code}"]`);
    if (element && trend.points.length > 1) draw(element, () => option(trend, words?.reference ?? ""));
  }
}

/** Limits are triangles that point to where the true value lies, and the line leaves them out. */
function limits(trend: Trend) {
  const censored = trend.points.filter(([, , comparator]) => comparator);
  if (censored.length === 0) return [];
  return [
    {
      type: "scatter",
      name: trend.title,
      data: censored.map(([time, value, comparator]) => ({
        value: [time, value],
        name: `${comparator}${value} ${trend.unit}`,
        symbolRotate: comparator.startsWith("<") ? 180 : 0,
      })),
      symbol: "triangle",
      symbolSize: 9,
      itemStyle: { color: "transparent", borderColor: colour("line"), borderWidth: 2 },
      label: { show: true, formatter: "{b}", position: "top" },
    },
  ];
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
        data: trend.points.map(([time, value, comparator]) => [time, comparator ? null : value]),
        symbolSize: trend.points.length > 60 ? 3 : 6,
        sampling: "lttb",
        lineStyle: { color: colour("line"), width: 2 },
        itemStyle: { color: colour("line") },
        markArea: band,
      },
      ...limits(trend),
    ],
  };
}
