import { Enums, utilities } from "@cornerstonejs/core";
import { type Overlay, placeOf } from "./load";
import type { Stack } from "./stack";

type Point = [number, number];

/** Draws an explanation over the image, tied to its pixels, so that it moves with zoom and pan. */
export class OverlayLayer {
  private readonly canvas = document.createElement("canvas");
  private shown: { overlay: Overlay; picture: ImageBitmap } | undefined;
  private opacity = 0.6;
  private wishes = 0;
  private marked: { cells: ReadonlySet<number>; edge: number; cursor: number | undefined } = {
    cells: new Set(),
    edge: 1,
    cursor: undefined,
  };

  constructor(private readonly stack: Stack) {
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    stack.element.append(this.canvas);
    stack.element.addEventListener(Enums.Events.IMAGE_RENDERED, () => this.draw());
  }

  /** Fetches and shows an explanation in a style: the query of its picture. */
  async show(overlay: Overlay, style: URLSearchParams): Promise<void> {
    // A picture asked for earlier may come later: only the newest wish is shown.
    const wish = ++this.wishes;
    const view = overlay.slices.length > 0 ? "slices" : "film";
    const answer = await fetch(`${overlay.png}?${style}&view=${view}&r=${overlay.revision}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const picture = await createImageBitmap(await answer.blob());
    if (wish !== this.wishes) return;
    this.shown = { overlay, picture };
    this.draw();
  }

  /** Shows the plain image. */
  hide(): void {
    this.wishes++;
    this.shown = undefined;
    this.draw();
  }

  /** 0 is invisible, 1 is full. */
  setOpacity(opacity: number): void {
    this.opacity = opacity;
    this.draw();
  }

  /** Cells of a square grid over the image that are marked; drawn hatched over everything. */
  mark(cells: ReadonlySet<number>, edge: number, cursor: number | undefined): void {
    this.marked = { cells, edge, cursor };
    this.draw();
  }

  /** Which cell of a grid over the image lies under a point of the element; undefined beside the image. */
  cellAt(point: Point, edge: number): number | undefined {
    const corners = this.corners();
    if (!corners) return undefined;
    const [origin, right, down] = corners;
    const [ax, ay] = [right[0] - origin[0], right[1] - origin[1]];
    const [bx, by] = [down[0] - origin[0], down[1] - origin[1]];
    const [px, py] = [point[0] - origin[0], point[1] - origin[1]];
    const area = ax * by - ay * bx;
    const column = Math.floor((edge * (px * by - py * bx)) / area);
    const row = Math.floor((edge * (ax * py - ay * px)) / area);
    return Math.min(row, column) < 0 || Math.max(row, column) >= edge ? undefined : row * edge + column;
  }

  /** Where the shown image lies in what is explained; undefined if it is another one. */
  place(): number | undefined {
    const imageId = this.stack.viewport.getCurrentImageId();
    return this.shown && imageId ? placeOf(imageId, this.shown.overlay) : undefined;
  }

  private draw(): void {
    const { clientWidth: width, clientHeight: height } = this.stack.element;
    const scale = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const context = this.canvas.getContext("2d");
    const corners = this.corners();
    if (!context || !corners || !this.shown) return;
    const [origin, right, down] = corners;
    const { picture, overlay } = this.shown;
    const [w, h] = [picture.width, picture.height / overlay.levels];
    const level = Math.min(overlay.levels - 1, Math.floor((this.place() ?? 0) * overlay.levels));
    context.setTransform(
      (scale * (right[0] - origin[0])) / w,
      (scale * (right[1] - origin[1])) / w,
      (scale * (down[0] - origin[0])) / h,
      (scale * (down[1] - origin[1])) / h,
      scale * origin[0],
      scale * origin[1],
    );
    context.globalAlpha = this.opacity;
    context.drawImage(picture, 0, level * h, w, h, 0, 0, w, h);
    this.drawMarks(context, w / this.marked.edge, h / this.marked.edge);
  }

  private drawMarks(context: CanvasRenderingContext2D, width: number, height: number): void {
    const { cells, edge, cursor } = this.marked;
    const box = (cell: number): [number, number, number, number] => [
      (cell % edge) * width,
      Math.floor(cell / edge) * height,
      width,
      height,
    ];
    context.globalAlpha = 0.55;
    context.fillStyle = "#fff";
    for (const cell of cells) context.fillRect(...box(cell));
    context.globalAlpha = 1;
    context.strokeStyle = "#ffe14d";
    context.lineWidth = width / 4;
    if (cursor !== undefined) context.strokeRect(...box(cursor));
  }

  /** Where the image's first corner, its right end and its lower end lie in the element (CSS pixels). */
  private corners(): [Point, Point, Point] | undefined {
    const { viewport } = this.stack;
    const imageId = viewport.getCurrentImageId();
    if (!this.shown || !imageId) return undefined;
    if (this.place() === undefined) return undefined;
    const image = viewport.getImageData();
    if (!image) return undefined;
    const [columns, rows] = image.dimensions;
    const toCanvas = (column: number, row: number) => {
      const world = utilities.transformIndexToWorld(image.imageData as never, [column, row, 0]);
      return viewport.worldToCanvas(world) as Point;
    };
    // Indices count voxel centres: the film's edge lies half a voxel before the first.
    return [toCanvas(-0.5, -0.5), toCanvas(columns - 0.5, -0.5), toCanvas(-0.5, rows - 0.5)];
  }
}
