import { Enums } from "@cornerstonejs/core";
import { texts } from "./texts";
import { Brush } from "./viewer/brush";
import { Explanations } from "./viewer/explanations";
import { json, type Manifest, type Overlay } from "./viewer/load";
import { OverlayLayer } from "./viewer/overlay";
import { SeriesList, type SeriesWords } from "./viewer/series-list";
import { Stack } from "./viewer/stack";
import { toolbar } from "./viewer/toolbar";

type Words =
  | keyof SeriesWords
  | "noImages"
  | "loading"
  | "failed"
  | "position"
  | "explanationFailed"
  | "probe"
  | "probing"
  | "probeFailed"
  | "probeEmpty";
const words = texts<Words>("viewer-texts");
const element = document.getElementById("viewport") as HTMLDivElement;
const status = document.getElementById("viewer-status") as HTMLElement;
const url = element.dataset.manifest ?? "";

async function start(): Promise<void> {
  status.textContent = words.loading;
  const [stack, manifest] = await Promise.all([Stack.create(element), json<Manifest>(url)]);
  const layer = new OverlayLayer(stack);
  toolbar(document.getElementById("toolbar") as HTMLElement, stack);
  const panel = () => document.getElementById("findings");
  const controls = document.getElementById("overlay-controls") as HTMLElement;
  const brush = new Brush(element, layer, controls, words);
  const chooser = document.getElementById("series") as HTMLSelectElement | null;
  const list = new SeriesList(manifest.series, chooser, words);
  const open = async (value: string) => {
    status.textContent = words.loading;
    const ids = await list.imageIds(value);
    if (ids.length > 0) await stack.show(ids);
    status.textContent = ids.length > 0 ? "" : words.noImages;
    element.dataset.ready = list.uidOf(value);
  };
  const openImage = async (overlay: Overlay) => {
    const value = list.entryOf(overlay);
    if (value === undefined) return;
    if (chooser) chooser.value = value;
    await open(value);
  };
  const report = () => {
    status.textContent = words.explanationFailed;
  };
  const explanations = new Explanations(stack, layer, brush, controls, panel, report, openImage);
  explanations.update(manifest);
  keepOpen(panel);
  document.addEventListener("htmx:after:swap", async () => explanations.update(await json<Manifest>(url)));
  showPosition(stack);
  chooser?.addEventListener("change", () => open(chooser.value).catch(fail));
  if (manifest.series.length === 0) {
    status.textContent = words.noImages;
    return;
  }
  await open("0");
  void list.readAll();
}

/**
 * The panel is asked for again while work is under way. What the doctor has opened stays open, and while a form
 * is open nothing is replaced: a comment half written is not lost.
 */
function keepOpen(panel: () => HTMLElement | null): void {
  const sections = () => [...(panel()?.querySelectorAll("details") ?? [])];
  let open: number[] = [];
  document.addEventListener("htmx:before:swap", (event) => {
    const asked = (event as CustomEvent).detail.ctx?.request?.method;
    if (asked === "GET" && panel()?.querySelector("details[open] form")) event.preventDefault();
    open = sections().flatMap((section, place) => (section.open ? [place] : []));
  });
  document.addEventListener("htmx:after:swap", () => {
    for (const [place, section] of sections().entries()) if (open.includes(place)) section.open = true;
  });
}

function showPosition(stack: Stack): void {
  const place = document.getElementById("position") as HTMLElement;
  element.addEventListener(Enums.Events.STACK_NEW_IMAGE, () => {
    const total = stack.viewport.getImageIds().length;
    const current = stack.viewport.getCurrentImageIdIndex() + 1;
    place.textContent = words.position
      .replace("{current}", String(current))
      .replace("{total}", String(total));
  });
}

function fail(error: unknown): void {
  console.error(error);
  status.textContent = words.failed;
  element.dataset.ready = "failed";
}

start().catch(fail);
