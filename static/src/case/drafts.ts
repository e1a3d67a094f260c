import { csrfToken } from "../texts";

const PAUSE = 1500;

/** Sends what is being written to the server when the hand rests, and says when it was kept. */
export function drafts(form: HTMLFormElement): void {
  const field = form.querySelector<HTMLTextAreaElement>("textarea[data-draft]");
  const state = form.querySelector<HTMLElement>("[data-draft-state]");
  const url = form.dataset.drafts;
  if (!field || !url) return;
  let timer = 0;
  let kept = field.value;
  const keep = async () => {
    if (field.value === kept) return;
    const sent = field.value;
    const revision = (form.elements.namedItem("revision") as HTMLInputElement | null)?.value ?? "0";
    const body = new URLSearchParams({ text: sent, note: form.dataset.note ?? "", revision });
    try {
      const answer = await fetch(url, {
        method: "POST",
        body,
        headers: { "X-CSRFToken": csrfToken() },
        keepalive: sent.length < 30_000,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      kept = sent;
      if (state)
        state.textContent = (form.dataset.saved ?? "").replace("{time}", new Date().toLocaleTimeString());
    } catch {
      if (state) state.textContent = form.dataset.failed ?? "";
    }
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(keep, PAUSE);
  });
  form.addEventListener("submit", () => clearTimeout(timer));
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && keep());
}
