/** The parts of DICOM JSON (PS3.18 annex F) that a window needs. */
export type DicomJson = Record<string, { Value?: unknown[]; BulkDataURI?: string }>;

/** What Cornerstone asks for as `voiLutModule`. */
export interface VoiLutModule {
  windowCenter?: number[];
  windowWidth?: number[];
  voiLUTFunction: string[];
}

const [CENTER, WIDTH, FUNCTION] = ["00281050", "00281051", "00281056"] as const;
const [SHARED_GROUPS, FRAME_GROUPS, FRAME_VOI] = ["52009229", "52009230", "00289132"] as const;
const FUNCTIONS = ["LINEAR", "LINEAR_EXACT", "SIGMOID"];

/**
 * The window of a frame (PS3.3 sections C.11.2 and C.7.6.16.2.10): of its own functional groups, of those that all
 * frames share, else of the object.
 *
 * The function is a list on purpose: Cornerstone's loader takes the first element of whatever it gets, and of the
 * text "LINEAR" that is "L", which makes the image white.
 */
export function voiLutModule(instance: DicomJson, frame: number): VoiLutModule {
  const own = items(instance, FRAME_GROUPS)[frame - 1];
  const shared = items(instance, SHARED_GROUPS)[0];
  const sources = [own, shared].flatMap((groups) => (groups ? items(groups, FRAME_VOI).slice(0, 1) : []));
  const source = sources.find((candidate) => numbers(candidate, WIDTH)) ?? instance;
  const written = String(source[FUNCTION]?.Value?.[0] ?? "LINEAR").trim();
  const voi: VoiLutModule = { voiLUTFunction: [FUNCTIONS.includes(written) ? written : "LINEAR"] };
  const [center, width] = [numbers(source, CENTER), numbers(source, WIDTH)];
  if (center && width) {
    voi.windowCenter = center;
    voi.windowWidth = width;
  }
  return voi;
}

function items(instance: DicomJson, tag: string): DicomJson[] {
  return (instance[tag]?.Value ?? []) as DicomJson[];
}

/** The numbers of an attribute; undefined if there is none, or one is no number. */
function numbers(instance: DicomJson, tag: string): number[] | undefined {
  const values = (instance[tag]?.Value ?? []).map(Number);
  return values.length > 0 && values.every(Number.isFinite) ? values : undefined;
}
