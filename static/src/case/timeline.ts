import { axis, carried, colour, draw } from "./charts";

interface Bins {
  kinds: [string, string][];
  bins: [string, Record<string, number>][];
}

const COLOURS: Record<string, number> = {
  note: 0,
  finding: 1,
  prediction: 1,
  study: 2,
  alarm: 3,
  report: 4,
  value: 5,
  task: 6,
  decision: 7,
};

/** Everything that happened, counted by kind; the stretch between the bar's ends is what the list shows. */
export function timeline(): void {
  const element = document.getElementById("timeline-chart");
  const found = carried<Bins>("bins");
  const form = document.getElementById("timeline-filters") as HTMLFormElement | null;
  if (!element || !found || !form || found.bins.length === 0) return;
  const chart = draw(element, () => option(found));
  let timer = 0;
  chart.on("datazoom", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => choose(chart.getOption(), found, form), 300);
  });
}

function choose(option: Record<string, unknown>, found: Bins, form: HTMLFormElement): void {
  const zoom = (option.dataZoom as { startValue: number; endValue: number }[])[0];
  if (!zoom) return;
  const times = found.bins.map(([start]) => Date.parse(start));
  const last = times.length - 1;
  const set = (name: string, value: string) => {
    (form.elements.namedItem(name) as HTMLInputElement).value = value;
  };
  const from = Math.max(0, Math.round(zoom.startValue));
  const to = Math.min(last, Math.round(zoom.endValue));
  set("since", from <= 0 ? "" : iso(times[from]));
  set("until", to >= last ? "" : iso(times[to + 1]));
  form.dispatchEvent(new Event("zoomed"));
}

function iso(time: number | undefined): string {
  return time === undefined ? "" : new Date(time).toISOString();
}

function option(found: Bins) {
  const used = found.kinds.filter(([kind]) => found.bins.some(([, counts]) => counts[kind]));
  return {
    grid: { left: 42, right: 14, top: 34, bottom: 64 },
    legend: {
      type: "scroll",
      top: 0,
      textStyle: { color: colour("text") },
      pageTextStyle: { color: colour("text") },
    },
    tooltip: { trigger: "axis", renderMode: "richText" },
    xAxis: {
      type: "category",
      data: found.bins.map(([start]) => start.slice(0, 16).replace("T", " ")),
      ...axis(),
    },
    yAxis: { type: "value", minInterval: 1, ...axis() },
    dataZoom: [
      { type: "slider", bottom: 8, height: 26, textStyle: { color: colour("text") } },
      { type: "inside" },
    ],
    series: used.map(([kind, title]) => ({
      type: "bar",
      stack: "all",
      name: title,
      itemStyle: { color: colour(`kind-${COLOURS[kind] ?? 7}`) },
      data: found.bins.map(([, counts]) => counts[kind] ?? 0),
    })),
  };
}
