import assert from "node:assert/strict";
import { test } from "node:test";
import { type DicomJson, voiLutModule } from "./voi.ts";

const WINDOW: DicomJson = { "00281050": { Value: [40] }, "00281051": { Value: [400] } };
const withFunction = (name: unknown): DicomJson => ({ ...WINDOW, "00281056": { Value: [name] } });

for (const name of ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
  test(`the function ${name} comes whole, as the first of a list`, () => {
    assert.deepEqual(voiLutModule(withFunction(name), 1), {
      windowCenter: [40],
      windowWidth: [400],
      voiLUTFunction: [name],
    });
  });

test("what is no function of the standard is linear", () => {
  for (const name of ["", "L", "linear", undefined, null, 7])
    assert.deepEqual(voiLutModule(withFunction(name), 1).voiLUTFunction, ["LINEAR"]);
  assert.deepEqual(voiLutModule(WINDOW, 1).voiLUTFunction, ["LINEAR"]);
});

test("the first of several windows comes first, and all are kept", () => {
  const several = { "00281050": { Value: [40, "500"] }, "00281051": { Value: [400, 1500] } };
  assert.deepEqual(voiLutModule(several, 1).windowCenter, [40, 500]);
  assert.deepEqual(voiLutModule(several, 1).windowWidth, [400, 1500]);
});

test("without a usable window none is given", () => {
  for (const file of [{}, { "00281050": { Value: [40] } }, { ...WINDOW, "00281051": { Value: ["wide"] } }])
    assert.deepEqual(voiLutModule(file as DicomJson, 1), { voiLUTFunction: ["LINEAR"] });
});

test("a frame's own window goes before the shared one, that before the object's", () => {
  const group = (center: number, name: string): DicomJson => ({
    "00289132": {
      Value: [
        { "00281050": { Value: [center] }, "00281051": { Value: [10] }, "00281056": { Value: [name] } },
      ],
    },
  });
  const file: DicomJson = {
    ...WINDOW,
    "52009229": { Value: [group(7, "LINEAR_EXACT")] },
    "52009230": { Value: [group(5, "SIGMOID"), {}] },
  };
  assert.deepEqual(voiLutModule(file, 1), {
    windowCenter: [5],
    windowWidth: [10],
    voiLUTFunction: ["SIGMOID"],
  });
  assert.deepEqual(voiLutModule(file, 2).windowCenter, [7]);
  delete file["52009229"];
  assert.deepEqual(voiLutModule(file, 2).windowCenter, [40]);
});
