/** The fields that say how an overlay is drawn, in the viewer and on an explanation's own page. */
export class StyleForm {
  constructor(
    private readonly fields: HTMLElement,
    private readonly changed: () => void,
    private readonly opacity: (share: number) => void,
  ) {
    fields.addEventListener("input", (event) => {
      const field = event.target as HTMLInputElement;
      if (field.name === "opacity") opacity(Number(field.value) / 100);
    });
    fields.addEventListener("change", (event) => {
      const name = (event.target as HTMLInputElement).name;
      if (["threshold", "contours", "sign", "space"].includes(name)) changed();
    });
  }

  /** Applies what was set before this script ran: by a quick hand, or restored by the browser after a reload. */
  applyEarlyChanges(): void {
    const inputs = [...this.fields.querySelectorAll("input")];
    const options = [...this.fields.querySelectorAll("option")];
    const altered = ({ type, checked, defaultChecked, value, defaultValue }: HTMLInputElement) =>
      type === "checkbox" || type === "radio" ? checked !== defaultChecked : value !== defaultValue;
    const alteredInputs = inputs.filter(altered);
    const opacity = alteredInputs.find((input) => input.name === "opacity");
    if (opacity) this.opacity(Number(opacity.value) / 100);
    const unit = options.some((option) => option.selected && option !== options[0]);
    if (unit || alteredInputs.some((input) => input !== opacity)) this.changed();
  }

  /** The query of the picture. */
  query(): URLSearchParams {
    const input = (selector: string) => this.fields.querySelector<HTMLInputElement>(selector);
    return new URLSearchParams({
      sign: input("input[name=sign]:checked")?.value ?? "both",
      space: this.fields.querySelector<HTMLSelectElement>("[name=space]")?.value ?? "probability",
      threshold: String(Number(input("[name=threshold]")?.value ?? 15) / 100),
      contours: String(input("[name=contours]")?.checked ?? false),
    });
  }

  /** Turns contours on and off, for a key. */
  toggleContours(): void {
    this.fields.querySelector<HTMLInputElement>("[name=contours]")?.click();
  }
}
