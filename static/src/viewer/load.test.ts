import { beforeEach, expect, test, vi } from "vitest";
import { metadata, providers } from "../testing/cornerstone";
import { serve, status } from "../testing/server";
import { frameOf, imageIds, json, type Overlay, placeOf } from "./load";

vi.mock("@cornerstonejs/metadata", async () => (await import("../testing/cornerstone")).metaData);
beforeEach(() => metadata.clear());

function instance(number: number | undefined, uid: string, more: Record<string, unknown> = {}) {
  const pixels = `/dicom-web/studies/1/series/2/instances/${uid}/frames`;
  return {
    "00200013": number === undefined ? {} : { Value: [number] },
    "7FE00010": { BulkDataURI: pixels },
    ...more,
  };
}
const uids = (ids: string[]) => ids.map((id) => `${frameOf(id).instance}/${frameOf(id).frame}`);

test("images come in the order of their instance number, with their metadata", async () => {
  serve({ "GET /metadata": [instance(10, "1.10"), instance(2, "1.2"), instance(undefined, "1.0")] });
  const ids = await imageIds("/metadata");
  expect(uids(ids)).toEqual(["1.0/1", "1.2/1", "1.10/1"]);
  expect(ids[1]).toBe("wadors:/dicom-web/studies/1/series/2/instances/1.2/frames/1");
  expect(metadata.get(ids[1] ?? "")).toEqual({ dicomwebJson: instance(2, "1.2") });
});

test("an image's VOI LUT Function is answered before the library cuts it to its first letter", async () => {
  const film = instance(1, "1.1", {
    "00281050": { Value: [40] },
    "00281051": { Value: [400] },
    "00281056": { Value: ["LINEAR_EXACT"] },
  });
  serve({ "GET /metadata": [film] });
  const [first] = await imageIds("/metadata");
  const [[answer, priority]] = providers as [(typeof providers)[0]];
  expect(answer("voiLutModule", first)).toEqual({
    windowCenter: [40],
    windowWidth: [400],
    voiLUTFunction: ["LINEAR_EXACT"],
  });
  expect(answer("voiLutModule", "wadors:/other")).toBeUndefined();
  expect(answer("imagePlaneModule", first)).toBeUndefined();
  expect(priority).toBeGreaterThan(10_000);
});

test("each frame of a multi-frame object is an image", async () => {
  serve({ "GET /metadata": [instance(1, "1.1", { "00280008": { Value: [3] } })] });
  expect(uids(await imageIds("/metadata"))).toEqual(["1.1/1", "1.1/2", "1.1/3"]);
});

test("pixels may be floating-point numbers", async () => {
  const float = { "00200013": { Value: [1] }, "7FE00008": { BulkDataURI: "/x/instances/1.9/frames" } };
  serve({ "GET /metadata": [float] });
  expect(uids(await imageIds("/metadata"))).toEqual(["1.9/1"]);
});

test("an error of the server names the address", async () => {
  serve({ "GET /metadata": () => status(500) });
  await expect(json("/metadata")).rejects.toThrow("500 /metadata");
});

const overlay = (more: Partial<Overlay>) =>
  ({ instance: "1.2", frame: 2, slices: [], ...more }) as unknown as Overlay;
const id = (uid: string, frame: number) => `wadors:/studies/1/series/2/instances/${uid}/frames/${frame}`;

test("a film's explanation belongs to its frame alone", () => {
  expect(placeOf(id("1.2", 2), overlay({}))).toBe(0);
  expect(placeOf(id("1.2", 1), overlay({}))).toBeUndefined();
  expect(placeOf(id("1.3", 2), overlay({}))).toBeUndefined();
});

test("a slice's place in a volume is the middle of its share", () => {
  const volume = overlay({ slices: ["1.5", "1.6", "1.7", "1.8"] });
  expect(placeOf(id("1.5", 1), volume)).toBe(0.125);
  expect(placeOf(id("1.8", 1), volume)).toBe(0.875);
  expect(placeOf(id("1.2", 2), volume)).toBeUndefined();
});

test("an address without an instance belongs to nothing", () => {
  expect(frameOf("elsewhere")).toEqual({ instance: "", frame: 1 });
});
