import { beforeEach, expect, test } from "vitest";
import { freshPages, get, press, write } from "./testing/page";

freshPages();

let sent: string[];
let opened: string[];

beforeEach(async () => {
  const row = (n: number) =>
    `<li class="queue-row"><input type="checkbox" name="chosen" value="${n}"><a data-open href="#r${n}">Open</a></li>`;
  write(`<form data-queue><input type="checkbox" data-all><span data-chosen data-words="{n} chosen"></span>
    <ul>${[1, 2, 3].map(row).join("")}</ul>
    <button name="act" value="approve">Approve</button><button name="act" value="release">Release</button>
    <details data-reject><summary>Reject</summary><textarea name="reason"></textarea></details></form>
    <button id="elsewhere">x</button>`);
  sent = [];
  opened = [];
  get("form").addEventListener("submit", (event) => {
    event.preventDefault();
    sent.push(`${(event.submitter as HTMLButtonElement).value} ${chosen().join()}`);
  });
  get("ul").addEventListener("click", (event) => {
    const link = (event.target as HTMLElement).closest("a");
    if (link) opened.push(link.hash);
  });
  await import("./queue");
});

const boxes = () => [...document.querySelectorAll<HTMLInputElement>("[name=chosen]")];
const chosen = () => boxes().flatMap((box) => (box.checked ? [box.value] : []));
const key = (name: string, options?: KeyboardEventInit) =>
  press(document.activeElement as Element, name, options);

test("j and k move between the rows and stop at the ends", () => {
  boxes()[0]?.focus();
  key("k");
  expect(document.activeElement).toBe(boxes()[0]);
  for (let turn = 0; turn < 5; turn++) key("j");
  expect(document.activeElement).toBe(boxes()[2]);
});

test("x chooses, the count and the box for all follow", () => {
  boxes()[1]?.focus();
  key("x");
  const all = get<HTMLInputElement>("[data-all]");
  expect(get("[data-chosen]").textContent).toBe("1 chosen");
  expect([all.checked, all.indeterminate]).toEqual([false, true]);
  all.click();
  expect(chosen()).toEqual(["1", "2", "3"]);
  expect(get("[data-chosen]").textContent).toBe("3 chosen");
  all.click();
  expect(chosen()).toEqual([]);
});

test("a and r send what was chosen, or the row in focus if nothing was", () => {
  boxes()[2]?.focus();
  key("a");
  expect(sent).toEqual(["approve 3"]);
  boxes()[0]?.focus();
  key("r");
  expect(sent[1]).toBe("release 3");
});

test("n opens the reason and leads into it, where letters are letters", () => {
  boxes()[1]?.focus();
  key("n");
  expect(get<HTMLDetailsElement>("[data-reject]").open).toBe(true);
  expect(document.activeElement).toBe(get("textarea"));
  expect(chosen()).toEqual(["2"]);
  expect(key("a")).toBe(true);
  expect(sent).toEqual([]);
});

test("Enter opens the row, but never instead of a link or button in focus", () => {
  boxes()[1]?.focus();
  key("Enter");
  expect(opened).toEqual(["#r2"]);
  document.querySelectorAll<HTMLElement>("[data-open]")[0]?.focus();
  expect(key("Enter")).toBe(true);
  expect(opened).toEqual(["#r2"]);
});

test("keys with Ctrl and keys outside the list do nothing", () => {
  boxes()[0]?.focus();
  key("a", { ctrlKey: true });
  get<HTMLButtonElement>("button[value=approve]").focus();
  key("x");
  expect(sent).toEqual([]);
  expect(chosen()).toEqual([]);
});
