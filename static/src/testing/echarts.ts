/** ECharts as far as pages use it: what a chart draws is its newest option. */
export class Chart {
  option: Record<string, unknown> = {};
  sizes = 0;
  private readonly listeners: Record<string, () => void> = {};

  constructor(readonly element: HTMLElement) {}

  setOption(option: Record<string, unknown>): void {
    this.option = option;
  }
  getOption = () => this.option;
  resize(): void {
    this.sizes += 1;
  }
  on(type: string, listener: () => void): void {
    this.listeners[type] = listener;
  }
  /** A person moved the bar's ends. */
  zoom(startValue: number, endValue: number): void {
    this.option = { ...this.option, dataZoom: [{ startValue, endValue }] };
    this.listeners.datazoom?.();
  }
  /** A series by its name. */
  series(name: string): Record<string, unknown> {
    const series = (this.option.series as Record<string, unknown>[]).find((entry) => entry.name === name);
    if (!series) throw new Error(`no series ${name}`);
    return series;
  }
}

/** The charts of the page, in the order of their making. */
export const charts: Chart[] = [];

/** In place of `echarts/core`. */
export const core = {
  use: () => {},
  init: (element: HTMLElement) => {
    charts.push(new Chart(element));
    return charts.at(-1);
  },
};

/** The newest chart. */
export function newest(): Chart {
  const chart = charts.at(-1);
  if (!chart) throw new Error("nothing is drawn");
  return chart;
}
