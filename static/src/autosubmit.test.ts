import { expect, test } from "vitest";
import { submitOnChange } from "./autosubmit";
import { change, freshPages, get, write } from "./testing/page";

freshPages();

test("a changed field sends its form, and the button for browsers without script goes", () => {
  write(`<form><select name="role"><option>doctor<option>nurse</select>
         <button data-without-script>Go</button></form>`);
  const sent: string[] = [];
  get("form").addEventListener("submit", (event) => {
    event.preventDefault();
    sent.push(String(new FormData(event.target as HTMLFormElement).get("role")));
  });
  submitOnChange(get<HTMLSelectElement>("select"));
  expect(get("button").classList).toContain("hidden");
  expect(sent).toEqual([]);
  change(get<HTMLSelectElement>("select"), "nurse");
  expect(sent).toEqual(["nurse"]);
});
