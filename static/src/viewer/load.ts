import { metaData } from "@cornerstonejs/metadata";
import { type Image, type ImageStack, stacksOf } from "./order";
import { type DicomJson, voiLutModule } from "./voi";

/** What the server's manifest says. */
export interface Manifest {
  series: SeriesEntry[];
  overlays: Overlay[];
}

/** A series with images. */
export interface SeriesEntry {
  uid: string;
  modality: string;
  number: number;
  description: string;
  metadata: string;
  /** SOP Instance UIDs of those that cannot be drawn. */
  hidden: string[];
}

/** An explanation's picture and the frame to which it belongs. */
export interface Overlay {
  explanation: string;
  instance: string;
  frame: number;
  title: string;
  png: string;
  revision: number;
  probes: string;
  label: string;
  /** SOP Instance UIDs of a volume from head to feet; empty for a film. */
  slices: string[];
  /** How many pictures of a volume lie below each other in the file. */
  levels: number;
}

const PIXELS = ["7FE00010", "7FE00008", "7FE00009"];
const headers = new Map<string, DicomJson>();
const BEFORE_THE_LIBRARYS = 20_000;

metaData.addProvider((type: string, imageId: unknown) => {
  const instance = type === "voiLutModule" ? headers.get(String(imageId)) : undefined;
  return instance && voiLutModule(instance, frameOf(String(imageId)).frame);
}, BEFORE_THE_LIBRARYS);

/** Fetches JSON of this site. */
export async function json<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status} ${url}`);
  return answer.json();
}

/** Reads a series' metadata and returns Cornerstone's image ids, a frame each, in the order to scroll. */
export async function imageIds(metadataUrl: string): Promise<string[]> {
  return (await stacks(metadataUrl)).flatMap(({ images }) => images.map(({ id }) => id));
}

/**
 * Reads a series' metadata and returns its stacks.
 *
 * @param hidden SOP Instance UIDs of objects that cannot be drawn; those without pixels are left out anyway.
 */
export async function stacks(metadataUrl: string, hidden: string[] = []): Promise<ImageStack[]> {
  const instances = await json<DicomJson[]>(metadataUrl);
  const left = new Set(hidden);
  return stacksOf(instances.filter((instance) => !left.has(uidOf(instance))).flatMap(imagesOf));
}

function imagesOf(instance: DicomJson): Image[] {
  const uri = PIXELS.map((tag) => instance[tag]?.BulkDataURI).find(Boolean);
  if (!uri) return [];
  const frames = Math.max(1, number(instance, "00280008"));
  return Array.from({ length: frames }, (_, index) => {
    const id = `wadors:${uri}/${index + 1}`;
    headers.set(id, instance);
    metaData.addTyped("naturalized", id, { dicomwebJson: instance });
    return { id, instance, frame: index + 1 };
  });
}

/** Where an image lies in what is explained: 0 for its film, 0 to 1 from head to feet in a volume; else undefined. */
export function placeOf(imageId: string, overlay: Overlay): number | undefined {
  const { instance, frame } = frameOf(imageId);
  if (overlay.slices.length === 0)
    return instance === overlay.instance && frame === overlay.frame ? 0 : undefined;
  const slice = overlay.slices.indexOf(instance);
  return slice < 0 ? undefined : (slice + 0.5) / overlay.slices.length;
}

/** The SOP Instance UID and frame number of an image id. */
export function frameOf(imageId: string): { instance: string; frame: number } {
  const match = /instances\/([^/]+)\/frames\/(\d+)/.exec(imageId);
  return { instance: match?.[1] ?? "", frame: Number(match?.[2] ?? 1) };
}

function uidOf(instance: DicomJson): string {
  return String(instance["00080018"]?.Value?.[0] ?? "");
}

function number(instance: DicomJson, tag: string): number {
  return Number(instance[tag]?.Value?.[0] ?? 0);
}
