/** Completes what is typed by codes of the terminology, as the browser's own list of a field. */
export function codes(form: HTMLFormElement): void {
  const field = form.querySelector<HTMLInputElement>("input[list]");
  const list = form.querySelector("datalist");
  const url = form.dataset.codes;
  if (!field || !list || !url) return;
  let timer = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(async () => {
      if (field.value.trim().length < 2) return;
      const answer = await fetch(`${url}?${new URLSearchParams({ q: field.value })}`);
      if (!answer.ok) return;
      const { codes: found } = (await answer.json()) as { codes: [string, string][] };
      list.replaceChildren(
        ...found.map(([code, title]) => new Option(`${code} ${title}`, `${code} ${title}`)),
      );
    }, 200);
  });
}
