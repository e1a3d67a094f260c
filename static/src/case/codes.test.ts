import { beforeEach, expect, test, vi } from "vitest";
import { change, freshPages, get, write } from "../testing/page";
import { serve, status } from "../testing/server";
import { codes } from "./codes";

freshPages();
beforeEach(() => {
  vi.useFakeTimers();
  write('<form data-codes="/codes/"><input list="list"><datalist id="list"></datalist></form>');
  codes(get<HTMLFormElement>("form"));
});

const type = (text: string) => change(get<HTMLInputElement>("input"), text);
const offered = () => [...document.querySelectorAll("option")].map((option) => option.value);

test("what is typed is completed by codes, once the hand rests", async () => {
  const asked = serve({ "GET /codes/": { codes: [["J18.9", "Pneumonia, unspecified"]] } });
  type("pn");
  await vi.advanceTimersByTimeAsync(100);
  type("pneu&q=x");
  await vi.advanceTimersByTimeAsync(250);
  expect(asked.map(({ query }) => query.get("q"))).toEqual(["pneu&q=x"]);
  expect(offered()).toEqual(["J18.9 Pneumonia, unspecified"]);
});

test("one letter asks nothing", async () => {
  const asked = serve({});
  type(" p ");
  await vi.advanceTimersByTimeAsync(250);
  expect(asked).toEqual([]);
});

test("an error keeps what was offered", async () => {
  const answers = [() => ({ codes: [["A00", "Cholera"]] }), () => status(500)];
  serve({ "GET /codes/": answers });
  type("cho");
  await vi.advanceTimersByTimeAsync(250);
  type("chol");
  await vi.advanceTimersByTimeAsync(250);
  expect(answers).toEqual([]);
  expect(offered()).toEqual(["A00 Cholera"]);
});

test("a form without a list is left alone", () => {
  write('<form data-codes="/codes/"><input></form>');
  expect(() => codes(get<HTMLFormElement>("form"))).not.toThrow();
  serve({});
  change(get<HTMLInputElement>("input"), "pneu");
  expect(vi.getTimerCount()).toBe(0);
});
