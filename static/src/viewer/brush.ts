import { csrfToken } from "../texts";
import type { Overlay } from "./load";
import type { OverlayLayer } from "./overlay";

const EDGE = 48;
const POLL = 120;
type Words = Record<"probe" | "probing" | "probeFailed" | "probeEmpty", string>;
interface Probe {
  id: string;
  state: string;
  reason: string;
  before: number;
  label: string;
  probabilities: Record<string, number>;
}

/** The doctor paints an area; the model answers as if healthy lung were there. */
export class Brush {
  private readonly cells = new Set<number>();
  private cursor = (EDGE / 2) * EDGE + EDGE / 2;
  private active = false;
  private painting = false;
  private overlay: Overlay | undefined;

  constructor(
    private readonly element: HTMLElement,
    private readonly layer: OverlayLayer,
    private readonly controls: HTMLElement,
    private readonly words: Words,
  ) {
    this.find("[data-brush]").addEventListener("click", () => this.toggle(!this.active));
    this.find("[data-ask]").addEventListener("click", () => void this.ask());
    this.find("[data-clear]").addEventListener("click", () => this.clear());
    // Before the viewer's own tools, which would move the image.
    for (const type of ["pointerdown", "pointermove", "pointerup", "mousedown", "touchstart"])
      element.addEventListener(type, (event) => this.pointed(event), { capture: true });
    element.addEventListener("keydown", (event) => this.pressed(event), { capture: true });
  }

  /** Which explanation's finding is asked about; none ends the painting. */
  choose(overlay: Overlay | undefined): void {
    if (overlay?.explanation !== this.overlay?.explanation) this.toggle(false);
    this.overlay = overlay;
  }

  /** Begins or ends the painting. */
  toggle(on: boolean): void {
    this.active = on && this.overlay !== undefined;
    this.find("[data-brush]").setAttribute("aria-pressed", String(this.active));
    this.find("#brush").classList.toggle("hidden", !this.active);
    this.clear();
    if (this.active) this.element.focus();
  }

  private clear(): void {
    this.cells.clear();
    this.say("");
    this.show();
  }

  private pointed(event: Event): void {
    if (!this.active) return;
    event.stopPropagation();
    event.preventDefault();
    if (!(event instanceof PointerEvent)) return;
    if (event.type === "pointerdown") this.element.setPointerCapture(event.pointerId);
    this.painting = event.type === "pointerdown" || (this.painting && event.type === "pointermove");
    if (!this.painting) return;
    const box = this.element.getBoundingClientRect();
    const cell = this.layer.cellAt([event.clientX - box.left, event.clientY - box.top], EDGE);
    if (cell === undefined) return;
    this.cursor = cell;
    this.paint(cell);
  }

  private pressed(event: KeyboardEvent): void {
    if (!this.active || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 4 : 1;
    const moves: Record<string, [number, number]> = {
      ArrowUp: [-step, 0],
      ArrowDown: [step, 0],
      ArrowLeft: [0, -step],
      ArrowRight: [0, step],
    };
    const move = moves[event.key];
    if (move) this.move(move);
    else if (event.key === " ") this.paint(this.cursor);
    else if (event.key === "Enter") void this.ask();
    else if (event.key === "Escape") this.toggle(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private move([down, right]: [number, number]): void {
    const clamp = (value: number) => Math.min(EDGE - 1, Math.max(0, value));
    const row = clamp(Math.floor(this.cursor / EDGE) + down);
    this.cursor = row * EDGE + clamp((this.cursor % EDGE) + right);
    this.show();
  }

  private paint(centre: number): void {
    const radius = Number((this.find("[name=radius]") as HTMLInputElement).value);
    const [row, column] = [Math.floor(centre / EDGE), centre % EDGE];
    for (let down = -radius; down <= radius; down++)
      for (let right = -radius; right <= radius; right++) {
        const [r, c] = [row + down, column + right];
        const inside = Math.min(r, c) >= 0 && Math.max(r, c) < EDGE;
        if (inside && down * down + right * right <= radius * radius) this.cells.add(r * EDGE + c);
      }
    this.show();
  }

  private show(): void {
    this.layer.mark(this.cells, EDGE, this.active ? this.cursor : undefined);
  }

  private async ask(): Promise<void> {
    if (!this.overlay) return;
    if (this.cells.size === 0) return this.say(this.words.probeEmpty);
    this.say(this.words.probing);
    try {
      const answer = await this.answer(this.overlay);
      const percent = (value: number) => (100 * value).toFixed(1);
      const after = answer.probabilities[answer.label];
      if (after === undefined) return this.say(answer.reason || this.words.probeFailed);
      const said = this.words.probe.replace("{before}", percent(answer.before));
      this.say(`${this.overlay.title}: ${said.replace("{after}", percent(after))}`);
    } catch {
      this.say(this.words.probeFailed);
    }
  }

  private async answer(overlay: Overlay): Promise<Probe> {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
    const depth = overlay.slices.length > 0 ? { depth: this.layer.place() } : {};
    const body = JSON.stringify({ cells: [...this.cells], ...depth });
    let probe = await this.json(await fetch(overlay.probes, { method: "POST", headers, body }));
    while (probe.state === "queued" || probe.state === "running") {
      await new Promise((resolve) => setTimeout(resolve, POLL));
      probe = await this.json(await fetch(`/api/v1/probes/${probe.id}/`));
    }
    return probe;
  }

  private async json(answer: Response): Promise<Probe> {
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  private say(words: string): void {
    this.find("[data-answer]").textContent = words;
  }

  private find(selector: string): HTMLElement {
    return this.controls.querySelector(selector) as HTMLElement;
  }
}
