import { beforeEach, expect, test } from "vitest";
import { freshPages, write } from "../testing/page";
import { serve, status } from "../testing/server";
import { fakeRequests, type SentRequest } from "../testing/xhr";
import { begin, type Outcome, send } from "./transfer";

freshPages();

const picked = { file: new File(["DICM"], "a.dcm"), path: "study/a.dcm" };
const line = (name: string) =>
  JSON.stringify({ name, outcome: "stored", label: "Stored", reason: "", study: "/s/" });

let requests: SentRequest[];
let outcomes: Outcome[];
let shares: number[];

beforeEach(() => {
  write("");
  requests = fakeRequests();
  outcomes = [];
  shares = [];
});

function start() {
  const done = send(
    "/upload/1/files/",
    picked,
    (share) => shares.push(share),
    (o) => outcomes.push(o),
  );
  const request = requests[0];
  if (!request) throw new Error("nothing was sent");
  return { done, request };
}

test("an upload begins with the page's token and tells where its files go", async () => {
  const asked = serve({ "POST /imaging/upload/": { files: "/upload/7/files/" } });
  expect(await begin("/imaging/upload/")).toBe("/upload/7/files/");
  expect(asked[0]?.headers.get("X-CSRFToken")).toBe("token-of-the-page");
});

test("an upload that may not begin is an error with its status", async () => {
  serve({ "POST /imaging/upload/": () => status(403) });
  await expect(begin("/imaging/upload/")).rejects.toThrow("403");
});

test("a file is sent with its path, and its progress is reported", async () => {
  const { done, request } = start();
  expect([request.method, request.url]).toEqual(["POST", "/upload/1/files/"]);
  expect(request.headers["X-CSRFToken"]).toBe("token-of-the-page");
  expect(request.form.get("path")).toBe("study/a.dcm");
  expect((request.form.get("file") as File).name).toBe("a.dcm");
  request.upload.onprogress?.({ loaded: 1, total: 4 });
  request.upload.onprogress?.({ loaded: 0, total: 0 });
  expect(shares).toEqual([0.25, 0]);
  request.finish(200, `${line("a.dcm")}\n`);
  await done;
  expect(outcomes.map(({ name }) => name)).toEqual(["a.dcm"]);
});

test("the outcomes of an archive are reported line by line, even when a line arrives in two chunks", async () => {
  const { done, request } = start();
  request.receive(`${line("1.dcm")}\n${line("2.dcm").slice(0, 10)}`);
  expect(outcomes.map(({ name }) => name)).toEqual(["1.dcm"]);
  request.receive(`${line("2.dcm").slice(10)}\n`);
  expect(outcomes.map(({ name }) => name)).toEqual(["1.dcm", "2.dcm"]);
  request.finish();
  await done;
  expect(outcomes).toHaveLength(2);
});

test("a file refused by form is an outcome under its own path", async () => {
  const { done, request } = start();
  request.finish(400, JSON.stringify({ outcome: "refused", label: "Refused", reason: "Empty" }));
  await done;
  expect(outcomes).toEqual([
    { outcome: "refused", label: "Refused", reason: "Empty", name: "study/a.dcm", study: "" },
  ]);
});

test.each([403, 500])("status %s is an error that names it", async (code) => {
  const { done, request } = start();
  request.finish(code);
  await expect(done).rejects.toThrow(String(code));
  expect(outcomes).toEqual([]);
});

test("a broken line is an error", async () => {
  const { done, request } = start();
  request.onerror?.();
  await expect(done).rejects.toThrow("network");
});
