import { beforeEach, expect, test, vi } from "vitest";
import { metadata } from "../testing/cornerstone";
import { freshPages, get, write } from "../testing/page";
import { type Asked, serve, status } from "../testing/server";
import type { Overlay, SeriesEntry } from "./load";
import { SeriesList } from "./series-list";

vi.mock("@cornerstonejs/metadata", async () => (await import("../testing/cornerstone")).metaData);
freshPages();

const WORDS = {
  axial: "axial",
  coronal: "coronal",
  sagittal: "sagittal",
  oblique: "oblique",
  localizer: "localizer",
  unplaced: "without position",
  image: "1 image",
  images: "{count} images",
};
const slice = (uid: string, position: number[], orientation: number[]) => ({
  "00080018": { Value: [uid] },
  "00200032": { Value: position },
  "00200037": { Value: orientation },
  "7FE00010": { BulkDataURI: `/instances/${uid}/frames` },
});
const mixed = [
  slice("1.1", [0, 0, 0], [1, 0, 0, 0, 0, -1]),
  slice("1.2", [0, 0, 1], [1, 0, 0, 0, 1, 0]),
  slice("1.3", [0, 0, 2], [1, 0, 0, 0, 1, 0]),
  { "00080018": { Value: ["1.9"] } },
];
const series = (uid: string, hidden: string[] = []): SeriesEntry => ({
  uid,
  modality: "CT",
  number: 1,
  description: "",
  metadata: `/metadata/${uid}`,
  hidden,
});
let asked: Asked[];
let routes: Record<string, unknown>;

beforeEach(() => {
  metadata.clear();
  write(
    `<select id="series" class="hidden"><option value="0">CT 1</option><option value="1">CT 2</option></select>`,
  );
  routes = { "GET /metadata/a": mixed, "GET /metadata/b": [mixed[1]] };
  asked = serve(routes);
});
const chooser = () => get<HTMLSelectElement>("#series");
const names = () => [...chooser().options].map(({ value, textContent }) => [value, textContent]);

test("each stack is an entry, and objects without pixels are none", async () => {
  const list = new SeriesList([series("a"), series("b")], chooser(), WORDS);
  await list.readAll();
  expect(names()).toEqual([
    ["0.0", "CT 1 · axial (2 images)"],
    ["0.1", "CT 1 · coronal (1 image)"],
    ["1", "CT 2"],
  ]);
  expect(chooser().value).toBe("0.0");
  expect(chooser().classList).not.toContain("hidden");
  expect(await list.imageIds("0")).toEqual([
    "wadors:/instances/1.3/frames/1",
    "wadors:/instances/1.2/frames/1",
  ]);
  expect(await list.imageIds("0.1")).toEqual(["wadors:/instances/1.1/frames/1"]);
  expect(asked).toHaveLength(2);
  expect([list.uidOf("0.1"), list.uidOf("1"), list.uidOf("7")]).toEqual(["a", "b", ""]);
});

test("what cannot be drawn is left out", async () => {
  const list = new SeriesList([series("a", ["1.1"])], chooser(), WORDS);
  expect(await list.stacks(0)).toHaveLength(1);
  expect(await list.stacks(5)).toEqual([]);
});

test("the stack of an explained image is found once it has been read", async () => {
  const list = new SeriesList([series("a"), series("b")], null, WORDS);
  const overlay = (instance: string) => ({ instance, frame: 1 }) as Overlay;
  expect(list.entryOf(overlay("1.1"))).toBeUndefined();
  await list.readAll();
  expect(list.entryOf(overlay("1.1"))).toBe("0.1");
  expect(list.entryOf(overlay("9.9"))).toBeUndefined();
});

test("a series that failed is asked for again, and does not stop the others", async () => {
  routes["GET /metadata/a"] = () => status(500);
  const list = new SeriesList([series("a"), series("b")], chooser(), WORDS);
  await list.readAll();
  await expect(list.stacks(0)).rejects.toThrow("500");
  routes["GET /metadata/a"] = mixed;
  expect(await list.stacks(0)).toHaveLength(2);
});
