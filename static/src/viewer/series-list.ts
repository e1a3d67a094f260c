import { frameOf, type Overlay, type SeriesEntry, stacks } from "./load";
import type { ImageStack, StackKind } from "./order";

/** Names of the stacks, "1 image" and "{count} images". */
export type SeriesWords = Record<StackKind | "image" | "images", string>;

/** The series of a study and the stacks of each; in the list, each stack is an entry. */
export class SeriesList {
  private readonly read = new Map<number, Promise<ImageStack[]>>();
  private readonly ready = new Map<number, ImageStack[]>();

  constructor(
    private readonly series: SeriesEntry[],
    private readonly chooser: HTMLSelectElement | null,
    private readonly words: SeriesWords,
  ) {}

  /** Reads a series once and lists its stacks. */
  stacks(index: number): Promise<ImageStack[]> {
    const series = this.series[index];
    if (!series) return Promise.resolve([]);
    const known = this.read.get(index);
    if (known) return known;
    const reading = stacks(series.metadata, series.hidden).then((found) => {
      this.ready.set(index, found);
      this.list(index, found);
      return found;
    });
    this.read.set(index, reading);
    reading.catch(() => this.read.delete(index)); // the next attempt asks again
    return reading;
  }

  /** The image ids behind an entry of the list: "2" is the first stack of series 2, "2.1" the second. */
  async imageIds(value: string): Promise<string[]> {
    const [series = 0, stack = 0] = value.split(".").map(Number);
    const found = await this.stacks(series);
    return (found[stack] ?? found[0])?.images.map(({ id }) => id) ?? [];
  }

  /** Reads all series, one after another, so that the list shows every stack. */
  async readAll(): Promise<void> {
    for (const index of this.series.keys()) await this.stacks(index).catch(() => undefined);
  }

  /** The entry in which an explained image lies; undefined while its series has not been read. */
  entryOf(overlay: Overlay): string | undefined {
    for (const [index, found] of this.ready) {
      const stack = found.findIndex(({ images }) =>
        images.some(({ id }) => {
          const { instance, frame } = frameOf(id);
          return instance === overlay.instance && frame === overlay.frame;
        }),
      );
      if (stack >= 0) return found.length > 1 ? `${index}.${stack}` : String(index);
    }
    return undefined;
  }

  /** The series of an entry. */
  uidOf(value: string): string {
    return this.series[Math.trunc(Number(value))]?.uid ?? "";
  }

  private list(index: number, found: ImageStack[]): void {
    const option = this.chooser?.querySelector<HTMLOptionElement>(`option[value="${index}"]`);
    if (!this.chooser || !option || found.length < 2) return;
    const chosen = option.selected;
    const name = option.textContent?.trim() ?? "";
    const options = found.map(({ kind, images }, number) => {
      const added = document.createElement("option");
      added.value = `${index}.${number}`;
      const count = this.words[images.length === 1 ? "image" : "images"].replace(
        "{count}",
        `${images.length}`,
      );
      added.textContent = `${name} · ${this.words[kind]} (${count})`;
      return added;
    });
    option.replaceWith(...options);
    if (chosen) this.chooser.value = `${index}.0`;
    this.chooser.classList.remove("hidden");
  }
}
