import { beforeEach, expect, test, vi } from "vitest";
import { change, freshPages, get, write } from "../testing/page";
import { type Asked, serve, status } from "../testing/server";
import { drafts } from "./drafts";

freshPages();

let asked: Asked[];
let answer: () => unknown;

beforeEach(() => {
  vi.useFakeTimers();
  write(`<form data-drafts="/draft/" data-note="7" data-saved="Draft saved {time}" data-failed="Not saved">
    <input name="revision" value="3"><textarea data-draft>before</textarea><p data-draft-state></p></form>`);
  answer = () => ({});
  asked = serve({ "POST /draft/": () => answer() });
  drafts(get<HTMLFormElement>("form"));
});

const type = (text: string) => change(get<HTMLTextAreaElement>("textarea"), text);
const sent = () => asked.map(({ body }) => String(body));

test("what is written is sent when the hand rests, and the page says so", async () => {
  type("Cough");
  await vi.advanceTimersByTimeAsync(1000);
  type("Cough since Monday");
  await vi.advanceTimersByTimeAsync(1000);
  expect(sent()).toEqual([]);
  await vi.advanceTimersByTimeAsync(600);
  expect(sent()).toEqual(["text=Cough+since+Monday&note=7&revision=3"]);
  expect(asked[0]?.headers.get("X-CSRFToken")).toBe("token-of-the-page");
  expect(get("[data-draft-state]").textContent).toMatch(/^Draft saved .*\d/);
});

test("what was kept is not sent again", async () => {
  type("Cough");
  await vi.advanceTimersByTimeAsync(1600);
  type("Cough");
  await vi.advanceTimersByTimeAsync(1600);
  expect(sent()).toHaveLength(1);
});

test("a draft that could not be saved is reported and retried at the next pause in typing", async () => {
  answer = () => status(503);
  type("Cough");
  await vi.advanceTimersByTimeAsync(1600);
  expect(get("[data-draft-state]").textContent).toBe("Not saved");
  answer = () => ({});
  type("Cough");
  await vi.advanceTimersByTimeAsync(1600);
  expect(sent()).toHaveLength(2);
  expect(get("[data-draft-state]").textContent).toContain("Draft saved");
});

test("a page that is hidden keeps at once", async () => {
  type("Cough");
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(0);
  expect(sent()).toHaveLength(1);
});

test("a note that is sent leaves no draft behind", async () => {
  type("Cough");
  get("form").dispatchEvent(new Event("submit"));
  await vi.advanceTimersByTimeAsync(5000);
  expect(sent()).toEqual([]);
});
