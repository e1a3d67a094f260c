import type { Outcome } from "./transfer";

/** The colour of each outcome. */
export const BADGES = {
  stored: "badge-success",
  duplicate: "badge-info",
  held: "badge-warning",
  refused: "badge-error",
};

/** The row of a file that is on its way. */
export class PendingRow {
  readonly element: HTMLLIElement;
  private readonly bar: HTMLProgressElement;
  private readonly state: HTMLElement;

  constructor(template: HTMLTemplateElement, name: string) {
    const copy = template.content.firstElementChild?.cloneNode(true);
    this.element = copy as HTMLLIElement;
    this.bar = this.find("progress");
    this.state = this.find("[data-state]");
    this.find("[data-name]").textContent = name;
    this.bar.setAttribute("aria-label", name);
  }

  /** Shows the share that has been sent; at 1 the server is checking. */
  progress(share: number, text: string): void {
    if (share < 1) this.bar.value = share;
    else this.bar.removeAttribute("value");
    this.state.textContent = text;
  }

  private find<E extends HTMLElement>(selector: string): E {
    const found = this.element.querySelector<E>(selector);
    if (!found) throw new Error(`the row template lacks ${selector}`);
    return found;
  }
}

/** Words on the link of a row. */
export interface LinkWords {
  open: string;
  decide: string;
}

/** The row of a file whose outcome is known. */
export function outcomeRow(template: HTMLTemplateElement, outcome: Outcome, words: LinkWords): HTMLLIElement {
  const row = template.content.firstElementChild?.cloneNode(true) as HTMLLIElement;
  const set = (selector: string, text: string) => {
    const place = row.querySelector(selector);
    if (place) place.textContent = text;
  };
  set("[data-name]", outcome.name);
  set("[data-reason]", outcome.reason);
  set("[data-badge]", outcome.label);
  if (outcome.study) set("[data-of]", outcome.title ?? "");
  row.querySelector("[data-badge]")?.classList.add(BADGES[outcome.outcome]);
  const link = row.querySelector<HTMLAnchorElement>("[data-study]");
  if (link) fill(link, outcome, words, outcome.name);
  return row;
}

/** Leads to the study, or to where one decides on the file. */
export function fill(link: HTMLAnchorElement, outcome: Outcome, words: LinkWords, name: string): void {
  const address = outcome.study || outcome.decide;
  if (!address) return;
  const text = outcome.study ? words.open : words.decide;
  link.href = address;
  link.textContent = text;
  link.setAttribute("aria-label", `${text}: ${name}`);
  link.classList.remove("hidden");
}
