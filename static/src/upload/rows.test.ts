import { beforeEach, expect, test } from "vitest";
import { freshPages, get, write } from "../testing/page";
import { outcomeRow, PendingRow } from "./rows";

freshPages();

const WORDS = { open: "Open study", decide: "Decide" };
const PENDING = `<template id="pending"><li><span data-name></span><span data-state></span>
  <progress max="1" value="0"></progress></li></template>`;
const DONE = `<template id="done"><li><span class="badge" data-badge></span><span data-name></span>
  <a class="hidden" data-study></a><span data-reason></span></li></template>`;

beforeEach(() => write(PENDING + DONE));

test("a file on its way shows its share, then that the server is checking", () => {
  const row = new PendingRow(get<HTMLTemplateElement>("#pending"), "a<b>.dcm");
  const bar = row.element.querySelector("progress") as HTMLProgressElement;
  expect(row.element.querySelector("[data-name]")?.textContent).toBe("a<b>.dcm");
  expect(bar.getAttribute("aria-label")).toBe("a<b>.dcm");
  row.progress(0.4, "Sending");
  expect(bar.value).toBe(0.4);
  row.progress(1, "Checking");
  expect(bar.hasAttribute("value")).toBe(false);
  expect(row.element.querySelector("[data-state]")?.textContent).toBe("Checking");
});

test("a template without its parts is an error that names the part", () => {
  write('<template id="pending"><li></li></template>');
  expect(() => new PendingRow(get<HTMLTemplateElement>("#pending"), "x")).toThrow("progress");
});

test("a stored file leads to its study", () => {
  const outcome = {
    name: "a.dcm",
    outcome: "stored",
    label: "Stored",
    reason: "",
    study: "/studies/1/",
  } as const;
  const row = outcomeRow(get<HTMLTemplateElement>("#done"), outcome, WORDS);
  const link = row.querySelector("a") as HTMLAnchorElement;
  expect(link.getAttribute("href")).toBe("/studies/1/");
  expect(link.getAttribute("aria-label")).toBe("Open study: a.dcm");
  expect(link.classList).not.toContain("hidden");
  expect(row.querySelector(".badge-success")?.textContent).toBe("Stored");
});

test("a refused file says why and leads nowhere", () => {
  const outcome = {
    name: "a.txt",
    outcome: "refused",
    label: "Refused",
    reason: "No DICOM",
    study: "",
  } as const;
  const row = outcomeRow(get<HTMLTemplateElement>("#done"), outcome, WORDS);
  expect(row.querySelector("a")?.classList).toContain("hidden");
  expect(row.querySelector("[data-reason]")?.textContent).toBe("No DICOM");
  expect(row.querySelector(".badge-error")).not.toBeNull();
});

test("a quarantined file leads to where one decides", () => {
  const outcome = {
    name: "a.dcm",
    outcome: "held",
    label: "Quarantined",
    reason: "No Patient ID",
    study: "",
    decide: "/imaging/held/",
  } as const;
  const link = outcomeRow(get<HTMLTemplateElement>("#done"), outcome, WORDS).querySelector("a");
  expect(link?.getAttribute("href")).toBe("/imaging/held/");
  expect(link?.getAttribute("aria-label")).toBe("Decide: a.dcm");
});
