/** Sends the form of a field as soon as the field changes; without script the form's button does. */
export function submitOnChange(field: HTMLSelectElement): void {
  field.form?.querySelector("[data-without-script]")?.classList.add("hidden");
  field.addEventListener("change", () => field.form?.requestSubmit());
}
