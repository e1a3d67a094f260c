import { csrfToken } from "../texts";
import { axis, carried, colour, draw } from "./charts";

interface Course {
  course: [number, number, number, number][];
  threshold: number;
}
type CourseWords = { risk: string; band: string; hour: string; threshold: string };
type WhatIfWords = { asking: string; failed: string; answer: string };

/** The risk by hour between the least and the greatest of the models. */
export function course(): void {
  const element = document.getElementById("course");
  const points = carried<Course>("course-points");
  const words = carried<CourseWords>("risk-texts");
  if (element && points && words && !element.dataset.drawn) {
    element.dataset.drawn = "yes";
    draw(element, () => option(points, words));
  }
}

function option({ course, threshold }: Course, words: CourseWords) {
  const percent = (share: number) => Math.round(1000 * share) / 10;
  const first = course[0]?.[0] ?? 0;
  const last = course.at(-1)?.[0] ?? first;
  return {
    grid: { left: 44, right: 16, top: 30, bottom: 40 },
    tooltip: { trigger: "axis", renderMode: "richText" },
    legend: { data: [words.risk], top: 0, textStyle: { color: colour("text") } },
    xAxis: {
      type: "value",
      min: first,
      max: Math.max(last, first + 1),
      name: words.hour,
      nameLocation: "middle",
      nameGap: 24,
      ...axis(),
    },
    yAxis: {
      type: "value",
      min: 0,
      axisLabel: { formatter: "{value} %", color: colour("text") },
      splitLine: { lineStyle: { color: colour("text", 12) } },
    },
    series: [
      {
        type: "line",
        stack: "band",
        symbol: "none",
        lineStyle: { opacity: 0 },
        tooltip: { show: false },
        data: course.map(([hour, , low]) => [hour, percent(low)]),
      },
      {
        type: "line",
        stack: "band",
        symbol: "none",
        name: words.band,
        lineStyle: { opacity: 0 },
        areaStyle: { color: colour("line", 22) },
        tooltip: { show: false },
        data: course.map(([hour, , low, high]) => [hour, percent(high) - percent(low)]),
      },
      {
        type: "line",
        name: words.risk,
        symbolSize: 4,
        lineStyle: { color: colour("line"), width: 2.5 },
        itemStyle: { color: colour("line") },
        data: course.map(([hour, value]) => [hour, percent(value)]),
        markLine: {
          silent: true,
          symbol: "none",
          label: { formatter: words.threshold, color: colour("text"), position: "insideEndTop" },
          lineStyle: { color: colour("bad"), type: "dashed" },
          data: [{ yAxis: percent(threshold) }],
        },
      },
    ],
  };
}

/** Sliders: what would the model say if a value were another one? Asked when the hand rests. */
export function whatIf(): void {
  const form = document.getElementById("what-if") as HTMLFormElement | null;
  const words = carried<WhatIfWords>("what-if-texts");
  if (!form || !words || form.dataset.ready) return;
  form.dataset.ready = "yes";
  const answer = form.querySelector<HTMLOutputElement>("[data-answer]");
  const sliders = [...form.querySelectorAll<HTMLInputElement>("input[type=range]")];
  let timer = 0;
  let asked = 0;
  const say = (text: string) => {
    if (answer) answer.value = text;
  };
  const label = (slider: HTMLInputElement) => {
    const output = slider.parentElement?.querySelector("output");
    if (output) output.value = `${Number(slider.value)} ${slider.dataset.unit}`;
  };
  const ask = async () => {
    const mine = ++asked;
    const moved = sliders.filter(
      (slider) => Math.abs(Number(slider.value) - Number(slider.dataset.was)) > Number(slider.step) / 2,
    );
    if (moved.length === 0) return say("");
    say(words.asking);
    try {
      const body = new URLSearchParams(moved.map((slider) => [slider.name, slider.value]));
      const first = await fetch(form.action, {
        method: "POST",
        body,
        headers: { "X-CSRFToken": csrfToken() },
      });
      const told = await first.json();
      if (!first.ok) return say(told.problem ?? words.failed);
      const risk = await fetched(told.answer, () => mine === asked);
      if (mine === asked && risk !== undefined)
        say(
          words.answer
            .replace("{before}", form.dataset.before ?? "")
            .replace("{after}", (100 * risk).toFixed(1)),
        );
    } catch {
      if (mine === asked) say(words.failed);
    }
  };
  form.addEventListener("input", (event) => {
    label(event.target as HTMLInputElement);
    clearTimeout(timer);
    timer = window.setTimeout(ask, 250);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    asked++;
    setTimeout(() => {
      sliders.forEach(label);
      say("");
    });
  });
}

async function fetched(url: string, wanted: () => boolean): Promise<number | undefined> {
  for (let turn = 0; turn < 150 && wanted(); turn++) {
    const told = await (await fetch(url, { headers: { "X-Polling": "1" } })).json();
    if (told.state === "succeeded") return told.risk;
    if (told.state === "failed" || told.state === "refused") throw new Error(told.reason);
    await new Promise((done) => setTimeout(done, 200));
  }
  return undefined;
}
