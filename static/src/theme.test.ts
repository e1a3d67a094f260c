import { afterEach, expect, test, vi } from "vitest";
import { freshPages, get, write } from "./testing/page";
import { themeButton } from "./theme";

freshPages();
afterEach(() => {
  delete document.documentElement.dataset.theme;
  // biome-ignore lint/suspicious/noDocumentCookie: as in the module under test
  document.cookie = "theme=; max-age=0; path=/";
});

function system(dark: boolean): void {
  vi.stubGlobal("matchMedia", (query: string) => ({ matches: dark && query.includes("dark") }));
}

test.each([
  [false, "medportal-dark", "true"],
  [true, "medportal", "false"],
])("with a dark system (%s) the button changes to the other theme", (dark, theme, pressed) => {
  system(dark);
  write("<button></button>");
  themeButton(get<HTMLButtonElement>("button"));
  expect(get("button").getAttribute("aria-pressed")).toBe(String(dark));
  get("button").click();
  expect(document.documentElement.dataset.theme).toBe(theme);
  expect(get("button").getAttribute("aria-pressed")).toBe(pressed);
  expect(document.cookie).toContain(`theme=${theme}`);
});

test("what was chosen counts more than the system, and a second press goes back", () => {
  system(true);
  document.documentElement.dataset.theme = "medportal";
  write("<button></button>");
  themeButton(get<HTMLButtonElement>("button"));
  expect(get("button").getAttribute("aria-pressed")).toBe("false");
  get("button").click();
  get("button").click();
  expect(document.documentElement.dataset.theme).toBe("medportal");
});
