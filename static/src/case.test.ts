import { beforeEach, expect, test, vi } from "vitest";
import { fakeCanvas } from "./testing/canvas";
import { freshPages, jsonScript, write } from "./testing/page";

vi.mock("echarts/core", async () => (await import("./testing/echarts")).core);
freshPages();
beforeEach(fakeCanvas);

test("a page of a case starts with what it carries, and draws what comes later", async () => {
  write(
    `<form data-drafts="/d/"><textarea data-draft></textarea></form>
     <form data-codes="/c/"><input list="l"><datalist id="l"></datalist></form>
     ${jsonScript("risk-texts", { risk: "Risk", band: "", hour: "", threshold: "" })}`,
  );
  await import("./case");
  const { charts } = await import("./testing/echarts");
  const before = charts.length;
  const points = { course: [[6, 0.1, 0.1, 0.1]], threshold: 0.2 };
  document.body.insertAdjacentHTML(
    "beforeend",
    `<div id="course"></div>${jsonScript("course-points", points)}`,
  );
  document.dispatchEvent(new Event("htmx:after:swap"));
  expect(charts).toHaveLength(before + 1);
  expect(charts.at(-1)?.series("Risk").data).toEqual([[6, 10]]);
});
