import { beforeEach, expect, test } from "vitest";
import { freshPages, get, write } from "../testing/page";
import { Groups } from "./groups";
import type { Outcome } from "./transfer";

freshPages();

const WORDS = {
  open: "Open study",
  decide: "Decide",
  files: "Files",
  stored: "Stored",
  duplicate: "Already stored",
  held: "Quarantined",
  refused: "Not accepted",
};
const PAGE = `<ul id="list"></ul><template id="single"><li class="panel p-3"><span class="badge" data-badge></span>
  <span data-name></span><a class="hidden" data-study></a><span data-reason></span></li></template>
  <template id="several"><li><span data-counts></span><span data-title></span><a class="hidden" data-open></a>
  <details><summary data-summary></summary><ul data-files></ul></details></li></template>`;

const slice = (number: number, more: Partial<Outcome> = {}): Outcome => ({
  name: `${number}.dcm`,
  outcome: "stored",
  label: "Stored",
  reason: "",
  study: "/studies/1/",
  group: "study:1",
  title: "Tove Berg · CT Chest",
  ...more,
});
const rows = () => [...get("#list").children] as HTMLElement[];
let groups: Groups;

beforeEach(() => {
  write(PAGE);
  groups = new Groups(get("#list"), get("#single"), get("#several"), WORDS);
});

test("a file alone has a plain row under its own name", () => {
  groups.add(slice(1));
  expect(rows()).toHaveLength(1);
  expect(rows()[0]?.querySelector("[data-study]")?.getAttribute("aria-label")).toBe("Open study: 1.dcm");
  expect(rows()[0]?.querySelector("details")).toBeNull();
});

test("48 slices of a study are one row with counts, one link and the files below", () => {
  for (let number = 1; number <= 46; number++) groups.add(slice(number));
  groups.add(slice(47, { outcome: "duplicate", label: "Already stored" }));
  groups.add(slice(48, { reason: "Stored as received, but it cannot be displayed." }));
  expect(rows()).toHaveLength(1);
  const [row] = rows() as [HTMLElement];
  const counts = [...row.querySelectorAll("[data-counts] .badge")].map((badge) => badge.textContent);
  expect(counts).toEqual(["Stored 47", "Already stored 1"]);
  expect(row.querySelector("[data-title]")?.textContent).toBe("Tove Berg · CT Chest");
  expect(row.querySelectorAll("a")).toHaveLength(1);
  expect(row.querySelector("a")?.getAttribute("href")).toBe("/studies/1/");
  expect(row.querySelectorAll("[data-files] > li")).toHaveLength(48);
  expect(row.querySelector("[data-summary]")?.textContent).toBe("Files (48)");
  expect(row.querySelector("[data-files] li:last-child")?.textContent).toContain("cannot be displayed");
});

test("two studies, and files without one, are rows of their own", () => {
  groups.add(slice(1));
  groups.add(slice(2, { group: "study:2" }));
  groups.add(slice(3));
  groups.add(slice(4, { group: "refused:empty:", outcome: "refused", label: "Not accepted", study: "" }));
  groups.add(slice(5, { group: "refused:empty:", outcome: "refused", label: "Not accepted", study: "" }));
  expect(rows()).toHaveLength(3);
  expect(rows()[0]?.querySelector("a:not(.hidden)")).toBeNull();
});

test("a file without a group stays alone", () => {
  groups.add(slice(1, { group: undefined }));
  groups.add(slice(2, { group: undefined }));
  expect(rows()).toHaveLength(2);
});
