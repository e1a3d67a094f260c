import { Enums, utilities } from "@cornerstonejs/core";
import { frameOf, type Overlay } from "./load";
import type { Stack } from "./stack";

type Point = [number, number];

/** Draws an explanation over the image, tied to its pixels, so that it moves with zoom and pan. */
export class OverlayLayer {
  private readonly canvas = document.createElement("canvas");
  private shown: { overlay: Overlay; picture: ImageBitmap } | undefined;
  private opacity = 0.6;

  constructor(private readonly stack: Stack) {
    this.canvas.className = "overlay";
    this.canvas.setAttribute("aria-hidden", "true");
    stack.element.append(this.canvas);
    stack.element.addEventListener(Enums.Events.IMAGE_RENDERED, () => this.draw());
  }

  /** Fetches and shows an explanation; `sign` is both, positive or negative. */
  async show(overlay: Overlay, sign: string): Promise<void> {
    const answer = await fetch(`${overlay.png}?sign=${sign}`);
    if (!answer.ok) throw new Error(String(answer.status));
    this.shown = { overlay, picture: await createImageBitmap(await answer.blob()) };
    this.draw();
  }

  /** Shows the plain image. */
  hide(): void {
    this.shown = undefined;
    this.draw();
  }

  /** 0 is invisible, 1 is full. */
  setOpacity(opacity: number): void {
    this.opacity = opacity;
    this.draw();
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
    const { width: w, height: h } = this.shown.picture;
    context.setTransform(
      (scale * (right[0] - origin[0])) / w,
      (scale * (right[1] - origin[1])) / w,
      (scale * (down[0] - origin[0])) / h,
      (scale * (down[1] - origin[1])) / h,
      scale * origin[0],
      scale * origin[1],
    );
    context.globalAlpha = this.opacity;
    context.drawImage(this.shown.picture, 0, 0);
  }

  /** Where the image's first corner, its right end and its lower end lie in the element (CSS pixels). */
  private corners(): [Point, Point, Point] | undefined {
    const { viewport } = this.stack;
    const imageId = viewport.getCurrentImageId();
    if (!this.shown || !imageId) return undefined;
    const { instance, frame } = frameOf(imageId);
    if (instance !== this.shown.overlay.instance || frame !== this.shown.overlay.frame) return undefined;
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
