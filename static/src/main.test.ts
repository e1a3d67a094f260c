import { expect, test, vi } from "vitest";
import { change, freshPages, get, write } from "./testing/page";

vi.mock("htmx.org", () => ({}));
freshPages();

test("every page has its theme button and fields that send themselves", async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  write(
    "<button data-theme-toggle></button><form><select data-autosubmit><option>en<option>zh</select></form>",
  );
  let sent = 0;
  get("form").addEventListener("submit", (event) => {
    event.preventDefault();
    sent += 1;
  });
  await import("./main");
  get("button").click();
  expect(document.documentElement.dataset.theme).toBe("medportal-dark");
  change(get<HTMLSelectElement>("select"), "zh");
  expect(sent).toBe(1);
  delete document.documentElement.dataset.theme;
});

test.each([
  ["a patient's", true, ["/service-worker.js"]],
  ["another's", false, []],
])("%s page is kept for the home screen: %s", async (_, patient, workers) => {
  const registered: string[] = [];
  vi.stubGlobal("navigator", { serviceWorker: { register: async (url: string) => registered.push(url) } });
  write("");
  document.documentElement.toggleAttribute("data-app", patient);
  await import("./main");
  expect(registered).toEqual(workers);
  document.documentElement.removeAttribute("data-app");
});
