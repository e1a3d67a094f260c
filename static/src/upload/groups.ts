import { BADGES, fill, type LinkWords, outcomeRow } from "./rows";
import type { Outcome } from "./transfer";

/** Words of the rows: those of the link, "Files", and a label for each outcome. */
export type GroupWords = LinkWords & Record<"files" | Outcome["outcome"], string>;

interface Group {
  element: HTMLElement;
  rows: HTMLElement[];
  counts: Map<Outcome["outcome"], number>;
}

/**
 * The rows of an upload: one for each study, or for each reason why files are in none. A file alone has a plain row;
 * with the second the row becomes a heading under which the files are listed.
 */
export class Groups {
  private readonly groups = new Map<string, Group>();

  constructor(
    private readonly list: HTMLElement,
    private readonly single: HTMLTemplateElement,
    private readonly several: HTMLTemplateElement,
    private readonly words: GroupWords,
  ) {}

  /** Shows the outcome of one more file. */
  add(outcome: Outcome): void {
    const row = outcomeRow(this.single, outcome, this.words);
    const group = outcome.group ? this.groups.get(outcome.group) : undefined;
    if (!group) {
      this.list.prepend(row);
      if (outcome.group)
        this.groups.set(outcome.group, {
          element: row,
          rows: [row],
          counts: new Map([[outcome.outcome, 1]]),
        });
      return;
    }
    if (group.rows.length === 1) this.become(group, outcome);
    const files = group.element.querySelector("[data-files]");
    for (const added of group.rows.length === 1 ? [...group.rows, row] : [row]) files?.append(inner(added));
    group.rows.push(row);
    group.counts.set(outcome.outcome, (group.counts.get(outcome.outcome) ?? 0) + 1);
    this.count(group);
  }

  /** Puts a heading in place of the only row. */
  private become(group: Group, outcome: Outcome): void {
    const heading = this.several.content.firstElementChild?.cloneNode(true) as HTMLElement;
    const title = heading.querySelector("[data-title]");
    if (title) title.textContent = outcome.title ?? "";
    const link = heading.querySelector<HTMLAnchorElement>("[data-open]");
    if (link) fill(link, outcome, this.words, outcome.title ?? "");
    if (outcome.study) link?.toggleAttribute("data-study", true);
    group.element.replaceWith(heading);
    group.element = heading;
  }

  private count(group: Group): void {
    const badges = [...group.counts].map(([outcome, number]) => {
      const badge = document.createElement("span");
      badge.className = `badge ${BADGES[outcome]}`;
      badge.textContent = `${this.words[outcome]} ${number}`;
      return badge;
    });
    group.element.querySelector("[data-counts]")?.replaceChildren(...badges);
    const summary = group.element.querySelector("[data-summary]");
    if (summary) summary.textContent = `${this.words.files} (${group.rows.length})`;
  }
}

/** A row within a group: the heading has the link and the frame. */
function inner(row: HTMLElement): HTMLElement {
  row.classList.remove("panel", "p-3");
  row.querySelector("[data-study]")?.remove();
  row.querySelector("[data-of]")?.remove();
  return row;
}
