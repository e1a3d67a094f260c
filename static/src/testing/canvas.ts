/** A canvas for jsdom, which has none: it keeps what is drawn on it, until its size is set, as in a browser. */
import { vi } from "vitest";

type Matrix = [number, number, number, number, number, number];
export interface Drawn {
  kind: "image" | "fill" | "stroke";
  /** The arguments: of an image its source and target rectangles, else a rectangle. */
  rectangle: number[];
  image?: unknown;
  transform: Matrix;
  alpha: number;
}

class Context {
  readonly drawn: Drawn[] = [];
  globalAlpha = 1;
  fillStyle = "";
  strokeStyle = "";
  lineWidth = 1;
  private transform: Matrix = [1, 0, 0, 1, 0, 0];

  clear(): void {
    this.drawn.length = 0;
    this.globalAlpha = 1;
    this.transform = [1, 0, 0, 1, 0, 0];
  }
  setTransform(...matrix: Matrix): void {
    this.transform = matrix;
  }
  drawImage(image: unknown, ...rectangle: number[]): void {
    this.add("image", rectangle, image);
  }
  fillRect(...rectangle: number[]): void {
    this.add("fill", rectangle);
  }
  strokeRect(...rectangle: number[]): void {
    this.add("stroke", rectangle);
  }
  /** The fill colour of the one pixel; only `rgb(r, g, b)` is understood. */
  getImageData(): { data: number[] } {
    return { data: [...(this.fillStyle.match(/\d+/g) ?? ["0", "0", "0"]).slice(0, 3).map(Number), 255] };
  }
  private add(kind: Drawn["kind"], rectangle: number[], image?: unknown): void {
    this.drawn.push({ kind, rectangle, image, transform: this.transform, alpha: this.globalAlpha });
  }
}

const contexts = new WeakMap<HTMLCanvasElement, Context>();

function contextOf(canvas: HTMLCanvasElement): Context {
  const context = contexts.get(canvas) ?? new Context();
  contexts.set(canvas, context);
  return context;
}

/** Gives canvases a context. */
export function fakeCanvas(): void {
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockImplementation(function (this: HTMLCanvasElement) {
    return contextOf(this) as never;
  });
  vi.spyOn(HTMLCanvasElement.prototype, "width", "set").mockImplementation(function (
    this: HTMLCanvasElement,
  ) {
    contextOf(this).clear();
  });
}

/** What a canvas shows now. */
export function drawnOn(canvas: HTMLCanvasElement): Drawn[] {
  return contextOf(canvas).drawn;
}
