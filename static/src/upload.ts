import { texts } from "./texts";
import { fromDrop, fromInput, type Picked } from "./upload/folders";
import { Groups, type GroupWords } from "./upload/groups";
import { PendingRow } from "./upload/rows";
import { begin, type Outcome, send } from "./upload/transfer";

const AT_ONCE = 2;
type Words = "sending" | "checking" | "lost" | "lostReason" | "summary" | "signedOut" | keyof GroupWords;

class UploadPage {
  private readonly words = texts<Words>("upload-texts");
  private readonly queue: Picked[] = [];
  private readonly counts: Record<string, number> = { stored: 0, duplicate: 0, held: 0, refused: 0 };
  private readonly groups: Groups;
  private running = 0;
  private address: Promise<string> | undefined;

  constructor(
    private readonly zone: HTMLElement,
    private readonly list: HTMLElement,
    private readonly status: HTMLElement,
    private readonly pending: HTMLTemplateElement,
    finished: HTMLTemplateElement,
    several: HTMLTemplateElement,
  ) {
    this.groups = new Groups(list, finished, several, this.words);
    for (const input of zone.querySelectorAll<HTMLInputElement>("input[type=file]")) {
      input.addEventListener("change", () => {
        this.add(fromInput(input.files ?? new FileList()));
        input.value = "";
      });
    }
    for (const button of zone.querySelectorAll<HTMLButtonElement>("[data-choose]")) {
      button.addEventListener("click", () => document.getElementById(button.dataset.choose ?? "")?.click());
    }
    this.listenForDrops();
    window.addEventListener("beforeunload", (event) => {
      if (this.running > 0) event.preventDefault();
    });
  }

  private listenForDrops(): void {
    const mark = (on: boolean) => this.zone.toggleAttribute("data-over", on);
    document.addEventListener("dragover", (event) => {
      event.preventDefault();
      mark(true);
    });
    document.addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false));
    document.addEventListener("drop", async (event) => {
      event.preventDefault();
      mark(false);
      if (event.dataTransfer) this.add(await fromDrop(event.dataTransfer));
    });
  }

  private add(picked: Picked[]): void {
    this.queue.push(...picked);
    this.tell();
    while (this.running < AT_ONCE && this.queue.length > 0) void this.work();
  }

  private async work(): Promise<void> {
    this.running += 1;
    for (let next = this.queue.shift(); next; next = this.queue.shift()) await this.transfer(next);
    this.running -= 1;
    this.tell();
  }

  private async transfer(picked: Picked): Promise<void> {
    const row = new PendingRow(this.pending, picked.path);
    this.list.prepend(row.element);
    row.progress(0, this.words.sending);
    try {
      this.address ??= begin(this.zone.dataset.start ?? "");
      await send(
        await this.address,
        picked,
        (share) => row.progress(share, share < 1 ? this.words.sending : this.words.checking),
        (outcome) => this.show(outcome),
      );
    } catch (error) {
      this.address = undefined;
      const status = error instanceof Error ? error.message : "";
      const reason = status === "403" || status === "404" ? this.words.signedOut : this.words.lostReason;
      this.show({ name: picked.path, outcome: "refused", label: this.words.lost, reason, study: "" });
    }
    row.element.remove();
  }

  private show(outcome: Outcome): void {
    this.groups.add(outcome);
    this.counts[outcome.outcome] = (this.counts[outcome.outcome] ?? 0) + 1;
    this.tell();
  }

  /** One sentence for everybody who cannot see the rows. */
  private tell(): void {
    const numbers: Record<string, number> = { ...this.counts, waiting: this.queue.length + this.running };
    this.status.textContent = this.words.summary.replace(/\{(\w+)\}/g, (_, key) => String(numbers[key] ?? 0));
  }
}

const part = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
new UploadPage(
  part("dropzone"),
  part("outcomes"),
  part("upload-status"),
  part<HTMLTemplateElement>("pending-row"),
  part<HTMLTemplateElement>("outcome-row"),
  part<HTMLTemplateElement>("group-row"),
);
