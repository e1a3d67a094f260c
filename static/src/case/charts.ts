import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import {
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
} from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([
  BarChart,
  LineChart,
  ScatterChart,
  GridComponent,
  TooltipComponent,
  DataZoomComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  CanvasRenderer,
]);

export type Chart = echarts.ECharts;
export type Option = echarts.EChartsCoreOption;

/** A colour of the theme as the canvas understands it. */
export function colour(name: string, share = 100): string {
  const probe = document.createElement("span");
  probe.className = `probe-${name}`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = found;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return `rgba(${red}, ${green}, ${blue}, ${share / 100})`;
}

/** Draws a chart and redraws it when the window or the theme changes. The numbers stand beside it as a table. */
export function draw(element: HTMLElement, option: () => Option): Chart {
  // In a child without id: of elements with one, htmx copies the style when it swaps them, which the CSP forbids.
  const stage = document.createElement("div");
  stage.className = "size-full";
  element.append(stage);
  const chart = echarts.init(stage);
  const show = () => {
    const text = { color: colour("text"), fontFamily: getComputedStyle(document.body).fontFamily };
    chart.setOption({ animation: false, textStyle: text, ...option() }, true);
  };
  show();
  new ResizeObserver(() => chart.resize()).observe(element);
  new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return chart;
}

export function axis(): Record<string, unknown> {
  return {
    axisLabel: { color: colour("text"), hideOverlap: true },
    axisLine: { lineStyle: { color: colour("text", 40) } },
    splitLine: { lineStyle: { color: colour("text", 12) } },
  };
}

/** JSON that the page carries; undefined where it carries none. */
export function carried<T>(id: string): T | undefined {
  const text = document.getElementById(id)?.textContent;
  return text ? (JSON.parse(text) as T) : undefined;
}
