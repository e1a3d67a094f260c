import { expect, test } from "vitest";
import { type Image, type ImageStack, stacksOf } from "./order";
import type { DicomJson } from "./voi";

const AXIAL = [1, 0, 0, 0, 1, 0];
const CORONAL = [1, 0, 0, 0, 0, -1];
const SAGITTAL = [0, 1, 0, 0, 0, -1];

interface Said {
  number?: number;
  position?: number[];
  orientation?: number[];
  type?: string[];
  uid?: string;
}

function image(said: Said, frame = 1): Image {
  const instance: DicomJson = { "00200013": { Value: said.number === undefined ? [] : [said.number] } };
  if (said.position) instance["00200032"] = { Value: said.position };
  if (said.orientation) instance["00200037"] = { Value: said.orientation };
  if (said.type) instance["00080008"] = { Value: said.type };
  if (said.uid) instance["00080018"] = { Value: [said.uid] };
  return { id: `${said.uid ?? said.number}/${frame}`, instance, frame };
}
const shown = (stacks: ImageStack[]) =>
  stacks.map(({ kind, images }) => [kind, images.map(({ id }) => id.split("/")[0])]);
const axial = (z: number, number: number, more: Said = {}) =>
  image({ number, position: [0, 0, z], orientation: AXIAL, uid: `z${z}`, ...more });

// The metadata of shared/cases/dicom/slice_order and mixed_orientation, reported to OHIF and rse-panimg.
test("slices whose numbers contradict their positions are scrolled from head to feet", () => {
  const series = [axial(0, 4), axial(5, 1), axial(10, 5), axial(15, 2), axial(20, 3)];
  expect(shown(stacksOf(series))).toEqual([["axial", ["z20", "z15", "z10", "z5", "z0"]]]);
});

test("a slice in another direction is apart from the stack, whose slices are in order", () => {
  const series = [
    image({ number: 1, position: [0, 0, 0], orientation: CORONAL, uid: "localizer" }),
    ...[5, 10, 15, 20, 25].map((z, index) => axial(z, index + 2)),
  ];
  expect(shown(stacksOf(series))).toEqual([
    ["axial", ["z25", "z20", "z15", "z10", "z5"]],
    ["coronal", ["localizer"]],
  ]);
});

test("equal numbers do not matter where positions are known", () => {
  const series = [axial(2, 1), axial(1, 1), axial(3, 1)];
  expect(shown(stacksOf(series))[0]?.[1]).toEqual(["z3", "z2", "z1"]);
});

test("the order is the same whichever way the slices come and the rows run", () => {
  const turned = [1, 0, 0, 0, -1, 0];
  const series = [1, 2, 3].map((z) => axial(z, 4 - z, { orientation: turned }));
  expect(shown(stacksOf(series))[0]?.[1]).toEqual(["z3", "z2", "z1"]);
  expect(shown(stacksOf([...series].reverse()))[0]?.[1]).toEqual(["z3", "z2", "z1"]);
});

test("coronal slices go from front to back, sagittal ones from right to left", () => {
  const coronal = [3, 1, 2].map((y) =>
    image({ number: 1, position: [0, y, 0], orientation: CORONAL, uid: `y${y}` }),
  );
  expect(shown(stacksOf(coronal))).toEqual([["coronal", ["y1", "y2", "y3"]]]);
  const sagittal = [3, 1, 2].map((x) =>
    image({ number: 1, position: [x, 0, 0], orientation: SAGITTAL, uid: `x${x}` }),
  );
  expect(shown(stacksOf(sagittal))).toEqual([["sagittal", ["x1", "x2", "x3"]]]);
});

test("a tilted gantry is one stack along its normal", () => {
  const [cosine, sine] = [Math.cos(0.3), Math.sin(0.3)];
  const tilted = [1, 0, 0, 0, cosine, sine];
  const series = [2, 3, 1].map((z) => axial(z, 1, { orientation: tilted }));
  expect(shown(stacksOf(series))).toEqual([["axial", ["z3", "z2", "z1"]]]);
});

test("slices at one place go by number, then by UID", () => {
  const phases = [
    axial(1, 12, { uid: "b" }),
    axial(1.001, 11, { uid: "a" }),
    axial(2, 2, { uid: "d" }),
    axial(2, 2, { uid: "c" }),
  ];
  expect(shown(stacksOf(phases))[0]?.[1]).toEqual(["c", "d", "a", "b"]);
});

test("without positions images go by number, then by UID", () => {
  const films = [
    image({ number: 10, uid: "x" }),
    image({ number: 2, uid: "z" }),
    image({ number: 2, uid: "y" }),
    image({ uid: "w" }),
  ];
  expect(shown(stacksOf(films))).toEqual([["unplaced", ["w", "y", "z", "x"]]]);
});

test("an image without position is apart from a stack", () => {
  const series = [axial(1, 1), image({ number: 2, uid: "dose sheet" }), axial(2, 3)];
  expect(shown(stacksOf(series))).toEqual([
    ["axial", ["z2", "z1"]],
    ["unplaced", ["dose sheet"]],
  ]);
});

test("a localizer in the stack's own direction is apart from it", () => {
  const scout = axial(0, 1, { type: ["ORIGINAL", "PRIMARY", "LOCALIZER"], uid: "scout" });
  const found = stacksOf([scout, axial(1, 2), axial(2, 3)]);
  expect(found.map(({ kind }) => kind)).toEqual(["axial", "localizer"]);
});

test("slices about an axis, each in its own direction, stay together by number", () => {
  const radial = [4, 2, 3, 1, 5].map((number) => {
    const angle = number * 0.5;
    const orientation = [Math.cos(angle), Math.sin(angle), 0, 0, 0, -1];
    return image({ number, position: [0, 0, 0], orientation, uid: `r${number}` });
  });
  expect(shown(stacksOf(radial))).toEqual([["oblique", ["r1", "r2", "r3", "r4", "r5"]]]);
});

test("frames are placed by their functional groups", () => {
  const frame = (z: number) => ({ "00209113": { Value: [{ "00200032": { Value: [0, 0, z] } }] } });
  const instance: DicomJson = {
    "00080018": { Value: ["1.2"] },
    "52009229": { Value: [{ "00209116": { Value: [{ "00200037": { Value: AXIAL } }] } }] },
    "52009230": { Value: [frame(2), frame(3), frame(1)] },
  };
  const found = stacksOf([1, 2, 3].map((number) => ({ id: `f${number}`, instance, frame: number })));
  expect(shown(found)).toEqual([["axial", ["f2", "f1", "f3"]]]);
});

test("frames of other directions in one object are stacks of their own", () => {
  const frame = (position: number[], orientation: number[]) => ({
    "00209113": { Value: [{ "00200032": { Value: position } }] },
    "00209116": { Value: [{ "00200037": { Value: orientation } }] },
  });
  const groups = [
    frame([0, 0, 1], AXIAL),
    frame([0, 1, 0], CORONAL),
    frame([0, 0, 2], AXIAL),
    frame([0, 2, 0], CORONAL),
  ];
  const instance: DicomJson = { "52009230": { Value: groups } };
  const found = stacksOf([1, 2, 3, 4].map((number) => ({ id: `f${number}`, instance, frame: number })));
  expect(shown(found)).toEqual([
    ["axial", ["f3", "f1"]],
    ["coronal", ["f2", "f4"]],
  ]);
});

test("frames of a cine without positions keep their order", () => {
  const cine = image({ number: 1, uid: "1.2" });
  const frames = [3, 1, 2].map((frame) => ({ ...cine, id: `f${frame}`, frame }));
  expect(shown(stacksOf(frames))[0]?.[1]).toEqual(["f1", "f2", "f3"]);
});

test("a dose grid is placed by its offsets", () => {
  const dose = (frame: number): Image => ({
    id: `f${frame}`,
    frame,
    instance: {
      "00200032": { Value: [0, 0, 100] },
      "00200037": { Value: AXIAL },
      "3004000C": { Value: [0, 2.5, 5] },
    },
  });
  expect(shown(stacksOf([dose(1), dose(2), dose(3)]))[0]?.[1]).toEqual(["f3", "f2", "f1"]);
});

test.each([[["a", 0, 0]], [[0, 0]], [[Number.NaN, 0, 0]]])(
  "a malformed position %j is no position",
  (position) => {
    const series = [
      image({ number: 2, position: position as number[], orientation: AXIAL }),
      image({ number: 1 }),
    ];
    expect(shown(stacksOf(series))).toEqual([["unplaced", ["1", "2"]]]);
  },
);

test("an orientation without a plane is no orientation", () => {
  const flat = image({ number: 1, position: [0, 0, 0], orientation: [1, 0, 0, 1, 0, 0] });
  expect(stacksOf([flat])[0]?.kind).toBe("unplaced");
  expect(stacksOf([])).toEqual([]);
});
