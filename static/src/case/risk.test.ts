import { beforeEach, expect, test, vi } from "vitest";
import { fakeCanvas } from "../testing/canvas";
import { charts, newest } from "../testing/echarts";
import { change, freshPages, get, jsonScript, write } from "../testing/page";
import { serve, status } from "../testing/server";
import { course, whatIf } from "./risk";

vi.mock("echarts/core", async () => (await import("../testing/echarts")).core);
freshPages();
beforeEach(() => {
  vi.useFakeTimers();
  fakeCanvas();
  charts.length = 0;
});

const COURSE = {
  course: [
    [6, 0.1234, 0.1, 0.15],
    [7, 0.25, 0.2, 0.3],
  ],
  threshold: 0.2,
};
const WORDS = { risk: "Risk", band: "Range", hour: "Hour", threshold: "Threshold" };

test("the risk is drawn by hour in percent, with its range and the threshold, once", () => {
  write(`<div id="course"></div>${jsonScript("course-points", COURSE)}${jsonScript("risk-texts", WORDS)}`);
  course();
  course();
  expect(charts).toHaveLength(1);
  expect(newest().series("Risk")).toMatchObject({
    data: [
      [6, 12.3],
      [7, 25],
    ],
    markLine: { data: [{ yAxis: 20 }] },
  });
  expect(newest().series("Range").data).toEqual([
    [6, 5],
    [7, 10],
  ]);
  expect(newest().option.xAxis).toMatchObject({ min: 6, max: 7 });
});

test("a page without a course draws none", () => {
  write('<div id="course"></div>');
  course();
  expect(charts).toEqual([]);
});

const ASKED = { asking: "Asking", failed: "No answer", answer: "{before} % now, {after} % if so" };
const FORM = `<form id="what-if" action="/what-if/" data-before="12.0"><output data-answer></output>
  <label><input type="range" name="v-GCS" min="3" max="15" step="1" value="14" data-was="14" data-unit="points"><output></output></label>
  <label><input type="range" name="v-HR" min="30" max="200" step="1" value="80" data-was="80" data-unit="/min"><output></output></label>
  </form>${jsonScript("what-if-texts", ASKED)}`;

function form(routes: Record<string, unknown>) {
  write(FORM);
  const asked = serve(routes);
  whatIf();
  return asked;
}
const said = () => get<HTMLOutputElement>("[data-answer]").value;
const slider = () => get<HTMLInputElement>("[name=v-GCS]");

test("a moved slider asks the model, waits for its answer and tells it", async () => {
  const asked = form({
    "POST /what-if/": { answer: "/answer/1/" },
    "GET /answer/1/": [() => ({ state: "running" }), () => ({ state: "succeeded", risk: 0.3456 })],
  });
  change(slider(), "5");
  expect(slider().nextElementSibling?.textContent).toBe("5 points");
  await vi.advanceTimersByTimeAsync(250);
  expect(said()).toBe("Asking");
  await vi.advanceTimersByTimeAsync(500);
  expect(said()).toBe("12.0 % now, 34.6 % if so");
  expect(String(asked[0]?.body)).toBe("v-GCS=5");
  expect(asked[0]?.headers.get("X-CSRFToken")).toBe("token-of-the-page");
  expect(asked.map(({ path }) => path)).toEqual(["/what-if/", "/answer/1/", "/answer/1/"]);
});

test("a slider that came back asks nothing", async () => {
  const asked = form({});
  change(slider(), "5");
  change(slider(), "14");
  await vi.advanceTimersByTimeAsync(250);
  expect(asked).toEqual([]);
  expect(said()).toBe("");
});

test.each([
  ["a problem that the server names", () => status(422, { problem: "Out of range" }), "Out of range"],
  ["an error without words", () => status(500, {}), "No answer"],
  ["no answer at all", () => Promise.reject(new Error("network")), "No answer"],
])("%s is reported", async (_, answer, words) => {
  form({ "POST /what-if/": answer });
  change(slider(), "5");
  await vi.advanceTimersByTimeAsync(500);
  expect(said()).toBe(words);
});

test("a model failure is reported", async () => {
  form({ "POST /what-if/": { answer: "/answer/1/" }, "GET /answer/1/": { state: "failed", reason: "x" } });
  change(slider(), "5");
  await vi.advanceTimersByTimeAsync(500);
  expect(said()).toBe("No answer");
});

test("only the newest question is answered", async () => {
  let slow = (_: unknown) => {};
  const late = new Promise((resolve) => {
    slow = resolve;
  });
  form({
    "POST /what-if/": [() => ({ answer: "/answer/1/" }), () => ({ answer: "/answer/2/" })],
    "GET /answer/1/": () => late,
    "GET /answer/2/": { state: "succeeded", risk: 0.5 },
  });
  change(slider(), "5");
  await vi.advanceTimersByTimeAsync(300);
  change(slider(), "6");
  await vi.advanceTimersByTimeAsync(300);
  expect(said()).toBe("12.0 % now, 50.0 % if so");
  slow({ state: "succeeded", risk: 0.9 });
  await vi.advanceTimersByTimeAsync(300);
  expect(said()).toBe("12.0 % now, 50.0 % if so");
});

test("a reset puts the labels back and forgets the question", async () => {
  form({ "POST /what-if/": { answer: "/answer/1/" }, "GET /answer/1/": { state: "succeeded", risk: 0.5 } });
  change(slider(), "5");
  await vi.advanceTimersByTimeAsync(500);
  get<HTMLFormElement>("form").reset();
  await vi.advanceTimersByTimeAsync(10);
  expect(said()).toBe("");
  expect(slider().nextElementSibling?.textContent).toBe("14 points");
});

test("the form is never sent as a page", () => {
  form({});
  expect(get("form").dispatchEvent(new Event("submit", { cancelable: true }))).toBe(false);
});
