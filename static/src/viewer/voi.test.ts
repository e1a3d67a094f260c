import { expect, test } from "vitest";
import { type DicomJson, voiLutModule } from "./voi";

const WINDOW: DicomJson = { "00281050": { Value: [40] }, "00281051": { Value: [400] } };
const withFunction = (name: unknown): DicomJson => ({ ...WINDOW, "00281056": { Value: [name] } });

for (const name of ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
  test(`the function ${name} comes whole, as the first of a list`, () => {
    expect(voiLutModule(withFunction(name), 1)).toEqual({
      windowCenter: [40],
      windowWidth: [400],
      voiLUTFunction: [name],
    });
  });

test("what is no function of the standard is linear", () => {
  for (const name of ["", "L", "linear", undefined, null, 7])
    expect(voiLutModule(withFunction(name), 1).voiLUTFunction).toEqual(["LINEAR"]);
  expect(voiLutModule(WINDOW, 1).voiLUTFunction).toEqual(["LINEAR"]);
});

test("the first of several windows comes first, and all are kept", () => {
  const several = { "00281050": { Value: [40, "500"] }, "00281051": { Value: [400, 1500] } };
  expect(voiLutModule(several, 1).windowCenter).toEqual([40, 500]);
  expect(voiLutModule(several, 1).windowWidth).toEqual([400, 1500]);
});

test("without a usable window none is given", () => {
  for (const file of [{}, { "00281050": { Value: [40] } }, { ...WINDOW, "00281051": { Value: ["wide"] } }])
    expect(voiLutModule(file as DicomJson, 1)).toEqual({ voiLUTFunction: ["LINEAR"] });
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
  expect(voiLutModule(file, 1)).toEqual({
    windowCenter: [5],
    windowWidth: [10],
    voiLUTFunction: ["SIGMOID"],
  });
  expect(voiLutModule(file, 2).windowCenter).toEqual([7]);
  delete file["52009229"];
  expect(voiLutModule(file, 2).windowCenter).toEqual([40]);
});
