import { expect, test, vi } from "vitest";
import { change, freshPages, get, write } from "./testing/page";

freshPages();

const PAGE = `<div id="overlay-form"><input type="range" name="threshold" value="15">
  <input type="range" name="opacity" value="60"><input type="checkbox" name="contours"></div>
  <div id="figures" data-revision="3"></div><button data-print>Print</button>
  <img data-overlay="axial" data-source="/overlay.png"><img data-overlay="coronal" data-source="/overlay.png">`;

const swap = () => document.dispatchEvent(new Event("htmx:after:swap"));
const addresses = () => [...document.querySelectorAll("img")].map((image) => image.getAttribute("src"));

test("each view is drawn in the style that was chosen", async () => {
  write(PAGE);
  await import("./explanation");
  get<HTMLInputElement>("[name=contours]").click();
  const query = "sign=both&space=probability&threshold=0.15&contours=true";
  expect(addresses()).toEqual([
    `/overlay.png?${query}&view=axial&r=3`,
    `/overlay.png?${query}&view=coronal&r=3`,
  ]);
  change(get<HTMLInputElement>("[name=opacity]"), "30");
  expect([...document.querySelectorAll("img")].map((image) => image.style.opacity)).toEqual(["0.3", "0.3"]);
});

test("what was set before the script ran is drawn", async () => {
  write(PAGE);
  get<HTMLInputElement>("[name=contours]").click();
  get<HTMLInputElement>("[name=opacity]").value = "30";
  await import("./explanation");
  expect(addresses()[0]).toContain("&contours=true&");
  expect(document.querySelector("img")?.style.opacity).toBe("0.3");
});

test("pictures follow a finer explanation, once for each", async () => {
  write(PAGE);
  await import("./explanation");
  swap();
  expect(addresses()).toEqual([null, null]);
  get("#figures").dataset.revision = "4";
  swap();
  expect(addresses()[0]).toMatch(/&view=axial&r=4$/);
});

test("a page without a picture loads again once there is one", async () => {
  write('<div id="figures" data-revision="0"></div>');
  const go = vi.spyOn(history, "go").mockImplementation(() => {});
  await import("./explanation");
  swap();
  expect(go).not.toHaveBeenCalled();
  get("#figures").dataset.revision = "1";
  swap();
  expect(go.mock.calls).toEqual([[0]]);
});

test("the page can be printed", async () => {
  write(PAGE);
  const print = vi.fn();
  vi.stubGlobal("print", print);
  await import("./explanation");
  get("[data-print]").click();
  expect(print).toHaveBeenCalledOnce();
});
