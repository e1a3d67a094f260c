import { beforeEach, expect, test } from "vitest";
import { freshPages, get, jsonScript, settle, write } from "./testing/page";
import { type Asked, serve, status } from "./testing/server";
import { fakeRequests, type SentRequest } from "./testing/xhr";

freshPages();

const WORDS = {
  sending: "Sending",
  checking: "Checking",
  open: "Open study",
  decide: "Decide",
  files: "Files",
  stored: "Stored",
  duplicate: "Already stored",
  held: "Quarantined",
  refused: "Not accepted",
  lost: "Not sent",
  lostReason: "The connection was lost",
  signedOut: "You are signed out",
  summary: "{stored} stored, {refused} refused, {waiting} waiting",
};
const PAGE = `<div id="dropzone" data-start="/imaging/upload/"><button data-choose="choose-files">Choose</button>
  <input id="choose-files" type="file" multiple></div><p id="upload-status"></p><ul id="outcomes"></ul>
  <template id="pending-row"><li data-pending><span data-name></span><span data-state></span><progress></progress>
  </li></template><template id="outcome-row"><li><span data-badge></span><span data-name></span>
  <a data-study class="hidden"></a><span data-reason></span></li></template>
  <template id="group-row"><li><span data-counts></span><span data-title></span><a class="hidden" data-open></a><details>
  <summary data-summary></summary><ul data-files></ul></details></li></template>${jsonScript("upload-texts", WORDS)}`;

let requests: SentRequest[];
let begun: Asked[];
let begins: () => unknown;

beforeEach(async () => {
  write(PAGE);
  requests = fakeRequests();
  begins = () => ({ files: "/upload/1/files/" });
  begun = serve({ "POST /imaging/upload/": () => begins() });
  await import("./upload");
});

function drop(...names: string[]): void {
  const files = names.map((name) => new File(["x"], name));
  const event = new Event("drop", { cancelable: true });
  document.dispatchEvent(Object.assign(event, { dataTransfer: { items: [], files } }));
}

const stored = (name: string) =>
  `${JSON.stringify({ name, outcome: "stored", label: "Stored", reason: "", study: "/studies/1/" })}\n`;
const pending = () =>
  [...document.querySelectorAll("[data-pending] [data-name]")].map((element) => element.textContent);
const done = () =>
  [...document.querySelectorAll("#outcomes li:not([data-pending])")].map((row) =>
    row.textContent?.replace(/\s+/g, " ").trim(),
  );

test("dropped files go two at a time to one upload, and their outcomes are listed", async () => {
  drop("1.dcm", "2.dcm", "3.dcm");
  await settle();
  expect(requests.map(({ form }) => form.get("path"))).toEqual(["1.dcm", "2.dcm"]);
  expect(pending()).toEqual(["2.dcm", "1.dcm"]);
  expect(get("#upload-status").textContent).toBe("0 stored, 0 refused, 3 waiting");
  requests[0]?.finish(200, stored("1.dcm"));
  await settle();
  expect(requests[2]?.form.get("path")).toBe("3.dcm");
  requests[1]?.finish(200, stored("2.dcm"));
  requests[2]?.finish(400, JSON.stringify({ outcome: "refused", label: "Refused", reason: "No DICOM" }));
  await settle();
  expect(pending()).toEqual([]);
  expect(done()).toHaveLength(3);
  expect(done().some((row) => row?.includes("No DICOM") && row.includes("3.dcm"))).toBe(true);
  expect(get("#upload-status").textContent).toBe("2 stored, 1 refused, 0 waiting");
  expect(begun).toHaveLength(1);
});

test("the row tells how far a file is", async () => {
  drop("1.dcm");
  await settle();
  requests[0]?.upload.onprogress?.({ loaded: 1, total: 2 });
  expect(get("[data-state]").textContent).toBe("Sending");
  requests[0]?.upload.onprogress?.({ loaded: 2, total: 2 });
  expect(get("[data-state]").textContent).toBe("Checking");
});

test("a lost session is reported, and the next file starts a new upload", async () => {
  begins = () => status(403);
  drop("1.dcm");
  await settle();
  expect(get("[data-reason]").textContent).toBe("You are signed out");
  begins = () => ({ files: "/upload/2/files/" });
  drop("2.dcm");
  await settle();
  expect(requests.map(({ url }) => url)).toEqual(["/upload/2/files/"]);
});

test("a lost connection is reported on the file's row", async () => {
  drop("1.dcm");
  await settle();
  requests[0]?.onerror?.();
  await settle();
  expect(get("[data-badge]").textContent).toBe("Not sent");
  expect(get("[data-reason]").textContent).toBe("The connection was lost");
  expect(get("#upload-status").textContent).toBe("0 stored, 1 refused, 0 waiting");
});

test("the button opens the chooser, whose files are sent", async () => {
  const input = get<HTMLInputElement>("#choose-files");
  let opened = 0;
  input.addEventListener("click", () => opened++);
  get("[data-choose]").click();
  expect(opened).toBe(1);
  const files = [new File(["x"], "chosen.dcm")];
  Object.defineProperty(input, "files", { value: files });
  input.dispatchEvent(new Event("change"));
  await settle();
  expect(pending()).toEqual(["chosen.dcm"]);
});

test("leaving asks while files are on their way, and only then", async () => {
  const leave = () => window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
  expect(leave()).toBe(true);
  drop("1.dcm");
  await settle();
  expect(leave()).toBe(false);
  requests[0]?.finish(200, stored("1.dcm"));
  await settle();
  expect(leave()).toBe(true);
});

test("the zone shows that something hangs over the page", () => {
  const zone = get("#dropzone");
  expect(document.dispatchEvent(new Event("dragover", { cancelable: true }))).toBe(false);
  expect(zone.hasAttribute("data-over")).toBe(true);
  document.dispatchEvent(Object.assign(new Event("dragleave"), { relatedTarget: document.body }));
  expect(zone.hasAttribute("data-over")).toBe(true);
  document.dispatchEvent(Object.assign(new Event("dragleave"), { relatedTarget: null }));
  expect(zone.hasAttribute("data-over")).toBe(false);
});
