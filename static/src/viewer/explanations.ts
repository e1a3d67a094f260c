import { StyleForm } from "../style-form";
import type { Brush } from "./brush";
import { frameOf, type Manifest, type Overlay } from "./load";
import type { OverlayLayer } from "./overlay";
import type { Stack } from "./stack";

/** The switches in the findings panel and the controls under the image. */
export class Explanations {
  private active: Overlay | undefined;
  private last: Overlay | undefined;
  private overlays: Overlay[] = [];
  private readonly style: StyleForm;

  constructor(
    private readonly stack: Stack,
    private readonly layer: OverlayLayer,
    private readonly brush: Brush,
    private readonly controls: HTMLElement,
    private readonly panel: () => HTMLElement | null,
    private readonly failed: (error: unknown) => void,
    /** Opens the stack in which an explained image lies, if it is not on the screen. */
    private readonly open: (overlay: Overlay) => Promise<void> = async () => {},
  ) {
    document.addEventListener("click", (event) => {
      const button = (event.target as HTMLElement).closest<HTMLElement>("[data-explanation]");
      if (button) void this.toggle(button.dataset.explanation ?? "");
    });
    this.style = new StyleForm(
      controls,
      () => void this.draw(),
      (share) => layer.setOpacity(share),
    );
    controls.querySelector("[data-hide]")?.addEventListener("click", () => void this.toggle(""));
    stack.element.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** Takes over what the manifest knows; called again when the panel has changed. */
  update(manifest: Manifest): void {
    this.overlays = manifest.overlays;
    const now = this.overlays.find((overlay) => overlay.explanation === this.active?.explanation);
    if (now && now.revision !== this.active?.revision) {
      this.active = now;
      void this.draw();
    }
    this.mark();
  }

  private pressed(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "e") {
      const next = this.active ? "" : (this.last ?? this.overlays[0])?.explanation;
      void this.toggle(next ?? "");
    } else if (event.key === "c" && this.active) this.style.toggleContours();
    else if (event.key === "b" && this.active) this.brush.toggle(true);
  }

  private async toggle(id: string): Promise<void> {
    const chosen = this.overlays.find((overlay) => overlay.explanation === id);
    this.active = chosen && chosen.explanation !== this.active?.explanation ? chosen : undefined;
    this.mark();
    if (this.active) {
      this.last = this.active;
      await this.goToFilm(this.active);
    }
    await this.draw();
    this.mark();
  }

  private async goToFilm(overlay: Overlay): Promise<void> {
    await this.stack.shown; // who is quicker than the slices still gets to the one that counts
    if (this.indexOf(overlay) < 0) await this.open(overlay);
    const index = this.indexOf(overlay);
    if (index >= 0 && index !== this.stack.viewport.getCurrentImageIdIndex()) await this.stack.goTo(index);
  }

  private indexOf(overlay: Overlay): number {
    return this.stack.viewport.getImageIds().findIndex((imageId) => {
      const { instance, frame } = frameOf(imageId);
      return instance === overlay.instance && frame === overlay.frame;
    });
  }

  private async draw(): Promise<void> {
    try {
      if (this.active) await this.layer.show(this.active, this.style.query());
      else this.layer.hide();
    } catch (error) {
      this.active = undefined;
      this.failed(error);
    }
    this.brush.choose(this.active);
    this.controls.classList.toggle("hidden", !this.active);
    const title = this.controls.querySelector("[data-title]");
    if (title) title.textContent = this.active?.title ?? "";
  }

  private mark(): void {
    for (const button of this.panel()?.querySelectorAll<HTMLElement>("[data-explanation]") ?? []) {
      button.setAttribute("aria-pressed", String(button.dataset.explanation === this.active?.explanation));
    }
  }
}
