/**
 * The review queue by keyboard. Single letters act only while the focus is in the list (WCAG 2.1.4), never while
 * something is typed.
 */
const form = document.querySelector<HTMLFormElement>("form[data-queue]");
if (form) review(form);

export function review(form: HTMLFormElement): void {
  const rows = [...form.querySelectorAll<HTMLElement>(".queue-row")];
  const boxes = [...form.querySelectorAll<HTMLInputElement>("input[name=chosen]")];
  const all = form.querySelector<HTMLInputElement>("[data-all]");
  const said = form.querySelector<HTMLElement>("[data-chosen]");
  const reject = form.querySelector<HTMLDetailsElement>("[data-reject]");

  const count = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    if (said) said.textContent = (said.dataset.words ?? "{n}").replace("{n}", String(chosen));
    if (all) {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
  };
  const at = () => rows.findIndex((row) => row.contains(document.activeElement));
  const focus = (place: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, place))];
    row?.querySelector<HTMLElement>("input, [data-open]")?.focus();
    row?.scrollIntoView({ block: "nearest" });
  };
  const press = (act: string) => {
    const place = at();
    const box = boxes[place];
    if (box && !boxes.some((one) => one.checked)) box.checked = true; // what is in focus, if nothing else was chosen
    form.querySelector<HTMLButtonElement>(`button[name=act][value=${act}]`)?.click();
  };

  all?.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  form.addEventListener("change", count);
  form.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      target.matches("textarea, input:not([type=checkbox])")
    )
      return;
    if (at() < 0) return;
    const acts: Record<string, () => void> = {
      j: () => focus(at() + 1),
      k: () => focus(at() - 1),
      x: () => boxes[at()]?.click(),
      a: () => press("approve"),
      r: () => press("release"),
      n: () => {
        const box = boxes[at()];
        if (box && !boxes.some((one) => one.checked)) box.click();
        if (reject) reject.open = true;
        reject?.querySelector("textarea")?.focus();
      },
      Enter: () => rows[at()]?.querySelector<HTMLAnchorElement>("[data-open]")?.click(),
    };
    const act = acts[event.key];
    if (!act || (event.key === "Enter" && target.matches("a, button"))) return;
    event.preventDefault();
    act();
  });
  count();
}
