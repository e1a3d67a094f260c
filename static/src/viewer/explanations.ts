import { frameOf, type Manifest, type Overlay } from "./load";
import type { OverlayLayer } from "./overlay";
import type { Stack } from "./stack";

/** The switches in the findings panel and the controls under the image. */
export class Explanations {
  private active: Overlay | undefined;
  private overlays: Overlay[] = [];

  constructor(
    private readonly stack: Stack,
    private readonly layer: OverlayLayer,
    private readonly controls: HTMLElement,
    private readonly panel: () => HTMLElement | null,
    private readonly failed: (error: unknown) => void,
  ) {
    document.addEventListener("click", (event) => {
      const button = (event.target as HTMLElement).closest<HTMLElement>("[data-explanation]");
      if (button) void this.toggle(button.dataset.explanation ?? "");
    });
    this.input("opacity")?.addEventListener("input", (event) => {
      layer.setOpacity(Number((event.target as HTMLInputElement).value) / 100);
    });
    for (const radio of controls.querySelectorAll<HTMLInputElement>("input[name=sign]")) {
      radio.addEventListener("change", () => void this.draw());
    }
    controls.querySelector("[data-hide]")?.addEventListener("click", () => void this.toggle(""));
  }

  /** Takes over what the manifest knows; called again when the panel has changed. */
  update(manifest: Manifest): void {
    this.overlays = manifest.overlays;
    this.mark();
  }

  private async toggle(id: string): Promise<void> {
    const chosen = this.overlays.find((overlay) => overlay.explanation === id);
    this.active = chosen && chosen.explanation !== this.active?.explanation ? chosen : undefined;
    if (this.active) await this.goToFilm(this.active);
    await this.draw();
    this.mark();
  }

  private async goToFilm(overlay: Overlay): Promise<void> {
    const ids = this.stack.viewport.getImageIds();
    const index = ids.findIndex((imageId) => {
      const { instance, frame } = frameOf(imageId);
      return instance === overlay.instance && frame === overlay.frame;
    });
    if (index >= 0 && index !== this.stack.viewport.getCurrentImageIdIndex()) await this.stack.goTo(index);
  }

  private async draw(): Promise<void> {
    try {
      if (this.active) await this.layer.show(this.active, this.sign());
      else this.layer.hide();
    } catch (error) {
      this.active = undefined;
      this.failed(error);
    }
    this.controls.classList.toggle("hidden", !this.active);
    const title = this.controls.querySelector("[data-title]");
    if (title) title.textContent = this.active?.title ?? "";
  }

  private sign(): string {
    return this.controls.querySelector<HTMLInputElement>("input[name=sign]:checked")?.value ?? "both";
  }

  private input(name: string): HTMLInputElement | null {
    return this.controls.querySelector<HTMLInputElement>(`input[name=${name}]`);
  }

  private mark(): void {
    for (const button of this.panel()?.querySelectorAll<HTMLElement>("[data-explanation]") ?? []) {
      button.setAttribute("aria-pressed", String(button.dataset.explanation === this.active?.explanation));
    }
  }
}
