import type { DicomJson } from "./voi";

/**
 * The images of a series as stacks to scroll, each in one order: by position along the normal of the slices, from head
 * to feet, front to back or right to left as the models' volumes go; then by instance number, frame and SOP Instance
 * UID. Instance numbers alone define no order in space: devices repeat them or count in another direction.
 */

type Vector = [number, number, number];

/** One image: a frame of an instance. */
export interface Image {
  id: string;
  instance: DicomJson;
  frame: number;
}

/** What a stack shows: a plane, a localizer, or images of which it is not known where they lie. */
export type StackKind = "axial" | "coronal" | "sagittal" | "oblique" | "localizer" | "unplaced";

export interface ImageStack {
  kind: StackKind;
  images: Image[];
}

interface Plane {
  row: Vector;
  column: Vector;
  normal: Vector;
  position: Vector;
}

interface Placed extends Image {
  plane: Plane | undefined;
  localizer: boolean;
}

const [SHARED_GROUPS, FRAME_GROUPS] = ["52009229", "52009230"] as const;
const [PLANE_POSITION, PLANE_ORIENTATION] = ["00209113", "00209116"] as const;
/** Frame Type is in the functional group of the modality: CT, MR, PET (PS3.3 sections C.8.15.3.1, C.8.13.5.1, C.8.22). */
const FRAME_TYPES = ["00189329", "00189226", "00189751"];
const [POSITION, ORIENTATION, IMAGE_TYPE] = ["00200032", "00200037", "00080008"] as const;
const [NUMBER, SOP_INSTANCE, GRID_OFFSETS, FRAME_TYPE] = [
  "00200013",
  "00080018",
  "3004000C",
  "00089007",
] as const;

/** Cosine of the angle, 2.5 degrees, up to which slices are parallel: a stack's own deviate by rounding alone. */
const PARALLEL = 0.999;
/** Of a plane's name: the normal's part along its axis. */
const ALONG_AXIS = 0.9;
/** Positions that differ less, in mm, are one place. */
const SAME_PLACE = 0.01;

/** Splits a series into stacks, the largest first, and sorts each. */
export function stacksOf(images: Image[]): ImageStack[] {
  const placed = images.map(place);
  const groups = split(placed);
  const stacks = groups.map((group) => ({ kind: kindOf(group), images: sorted(group) }));
  return stacks.sort((a, b) => b.images.length - a.images.length || byNumber(lowest(a), lowest(b)));
}

function lowest(stack: ImageStack): Image {
  return stack.images.reduce((least, image) => (byNumber(image, least) < 0 ? image : least));
}

function place(image: Image): Placed {
  return { ...image, plane: planeOf(image.instance, image.frame), localizer: isLocalizer(image) };
}

/**
 * Groups parallel images; localizers and images without position are groups of their own. Images of which each has
 * its own direction, such as radial slices or the rotation of an angiogram, stay together.
 */
function split(images: Placed[]): Placed[][] {
  const groups: Placed[][] = [];
  for (const image of images) {
    const group = groups.find(([other]) => other !== undefined && belongTogether(other, image));
    if (group) group.push(image);
    else groups.push([image]);
  }
  const turned = groups.filter(([image]) => image?.plane !== undefined);
  const alone = turned.filter((group) => group.length === 1);
  if (
    turned.length > 1 &&
    (alone.length === turned.length || (turned.length > 3 && 2 * alone.length > turned.length))
  )
    return [turned.flat(), ...groups.filter((group) => !turned.includes(group))];
  return groups;
}

function belongTogether(a: Placed, b: Placed): boolean {
  if (a.localizer !== b.localizer) return false;
  if (!a.plane || !b.plane) return a.plane === b.plane;
  return dot(a.plane.row, b.plane.row) > PARALLEL && dot(a.plane.column, b.plane.column) > PARALLEL;
}

function kindOf(group: Placed[]): StackKind {
  const [image] = group;
  if (image?.localizer) return "localizer";
  const plane = image?.plane;
  if (!plane) return "unplaced";
  if (group.some((other) => !belongTogether(image as Placed, other))) return "oblique";
  const [x, y, z] = plane.normal.map(Math.abs) as Vector;
  if (z >= ALONG_AXIS) return "axial";
  if (y >= ALONG_AXIS) return "coronal";
  return x >= ALONG_AXIS ? "sagittal" : "oblique";
}

function sorted(group: Placed[]): Image[] {
  const [image] = group;
  const parallel = image?.plane && group.every((other) => belongTogether(image, other));
  if (!image?.plane || !parallel) return [...group].sort(byNumber);
  const axis = inOrder(image.plane.normal);
  const depth = new Map(group.map((other) => [other, other.plane ? dot(other.plane.position, axis) : 0]));
  const along = [...group].sort((a, b) => (depth.get(a) ?? 0) - (depth.get(b) ?? 0));
  // Places are numbered first: a comparison with a tolerance would not be transitive.
  const places = new Map<Placed, number>();
  let [number, last] = [0, Number.NEGATIVE_INFINITY];
  for (const other of along) {
    const here = depth.get(other) ?? 0;
    if (here - last > SAME_PLACE) number += 1;
    last = here;
    places.set(other, number);
  }
  return along.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0) || byNumber(a, b));
}

/** The normal, turned so that a stack goes from head to feet, else from front to back, else from right to left. */
function inOrder(normal: Vector): Vector {
  const [x, y, z] = normal.map(Math.abs) as Vector;
  const [nx, ny, nz] = normal;
  const forward = z >= x && z >= y ? nz < 0 : y >= x ? ny > 0 : nx > 0;
  return forward ? normal : [-nx, -ny, -nz];
}

function byNumber(a: Image, b: Image): number {
  return (
    number(a.instance, NUMBER) - number(b.instance, NUMBER) ||
    compare(text(a.instance, SOP_INSTANCE), text(b.instance, SOP_INSTANCE)) ||
    a.frame - b.frame
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The plane of a frame: by its functional groups, by those that all frames share, else by the object's own values. */
function planeOf(instance: DicomJson, frame: number): Plane | undefined {
  const sources = [items(instance, FRAME_GROUPS)[frame - 1], items(instance, SHARED_GROUPS)[0]];
  const inGroups = (sequence: string, tag: string, length: number) =>
    sources
      .map((source) => source && vector(items(source, sequence)[0], tag, length))
      .find((values) => values !== undefined);
  const orientation = inGroups(PLANE_ORIENTATION, ORIENTATION, 6) ?? vector(instance, ORIENTATION, 6);
  const position = inGroups(PLANE_POSITION, POSITION, 3) ?? vector(instance, POSITION, 3);
  if (!orientation || !position) return undefined;
  const row = unit(orientation.slice(0, 3) as Vector);
  const column = unit(orientation.slice(3) as Vector);
  const normal = row && column && unit(cross(row, column));
  if (!row || !column || !normal) return undefined;
  return { row, column, normal, position: shifted(instance, frame, position as Vector, normal) };
}

/** The position of a frame of a dose (PS3.3 section C.8.8.3.2): offsets from the first, or places along the axis. */
function shifted(instance: DicomJson, frame: number, position: Vector, normal: Vector): Vector {
  const offsets = instance[GRID_OFFSETS]?.Value?.map(Number);
  const offset = offsets?.[frame - 1];
  if (!offsets || offset === undefined || !Number.isFinite(offset)) return position;
  const by = offset - (offsets[0] ?? 0);
  return position.map((value, axis) => value + by * (normal[axis] ?? 0)) as Vector;
}

function isLocalizer(image: Image): boolean {
  const types = [image.instance[IMAGE_TYPE]?.Value ?? []];
  const groups = items(image.instance, FRAME_GROUPS)[image.frame - 1] ?? {};
  for (const sequence of FRAME_TYPES) types.push(items(groups, sequence)[0]?.[FRAME_TYPE]?.Value ?? []);
  return types.some((values) => values.some((value) => /^(LOCALIZER|SCOUT)$/i.test(String(value).trim())));
}

function items(dataset: DicomJson | undefined, tag: string): DicomJson[] {
  const value = dataset?.[tag]?.Value;
  return Array.isArray(value) ? (value as DicomJson[]) : [];
}

function vector(dataset: DicomJson | undefined, tag: string, length: number): number[] | undefined {
  const values = dataset?.[tag]?.Value?.map(Number);
  return values?.length === length && values.every(Number.isFinite) ? values : undefined;
}

function number(dataset: DicomJson, tag: string): number {
  const value = Number(dataset[tag]?.Value?.[0] ?? 0);
  return Number.isFinite(value) ? value : 0;
}

function text(dataset: DicomJson, tag: string): string {
  return String(dataset[tag]?.Value?.[0] ?? "");
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross(a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function unit(vector: Vector): Vector | undefined {
  const length = Math.sqrt(dot(vector, vector));
  return length > 1e-6 ? (vector.map((value) => value / length) as Vector) : undefined;
}
