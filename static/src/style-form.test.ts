import { expect, test } from "vitest";
import { StyleForm } from "./style-form";
import { change, freshPages, get, write } from "./testing/page";

freshPages();

const FIELDS = `<div id="fields">
  <input type="radio" name="sign" value="both" checked><input type="radio" name="sign" value="positive">
  <select name="space"><option value="probability">p<option value="logit">l</select>
  <input type="range" name="threshold" min="0" max="100" value="15"><input type="checkbox" name="contours">
  <input type="range" name="opacity" min="0" max="100" value="60"><input name="other"></div>`;

function form() {
  write(FIELDS);
  const changes: string[] = [];
  const shares: number[] = [];
  const style = new StyleForm(
    get("#fields"),
    () => changes.push(String(style.query())),
    (share) => shares.push(share),
  );
  return { style, changes, shares };
}

test("the query of the picture follows the fields", () => {
  const { style, changes } = form();
  expect(Object.fromEntries(style.query())).toEqual({
    sign: "both",
    space: "probability",
    threshold: "0.15",
    contours: "false",
  });
  change(get<HTMLSelectElement>("select"), "logit");
  change(get<HTMLInputElement>("[name=threshold]"), "40");
  get<HTMLInputElement>("[value=positive]").click();
  expect(changes.at(-1)).toBe("sign=positive&space=logit&threshold=0.4&contours=false");
  expect(changes).toHaveLength(3);
});

test("the opacity asks for no new picture", () => {
  const { changes, shares } = form();
  change(get<HTMLInputElement>("[name=opacity]"), "25");
  change(get<HTMLInputElement>("[name=other]"), "x");
  expect(shares).toEqual([0.25]);
  expect(changes).toEqual([]);
});

test("a key turns contours on and off", () => {
  const { style, changes } = form();
  style.toggleContours();
  expect(changes).toEqual(["sign=both&space=probability&threshold=0.15&contours=true"]);
  style.toggleContours();
  expect(style.query().get("contours")).toBe("false");
});

test("a page without fields gets the usual picture", () => {
  write('<div id="fields"></div>');
  const style = new StyleForm(
    get("#fields"),
    () => {},
    () => {},
  );
  expect(String(style.query())).toBe("sign=both&space=probability&threshold=0.15&contours=false");
});
