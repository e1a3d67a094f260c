/** Texts that the server has translated, from a JSON block of the page. */
export function texts<Keys extends string>(id: string): Record<Keys, string> {
  const block = document.getElementById(id);
  if (!block?.textContent) throw new Error(`the page lacks its texts: ${id}`);
  return JSON.parse(block.textContent);
}

/** The CSRF token for requests that htmx does not send. */
export function csrfToken(): string {
  return document.querySelector<HTMLMetaElement>("meta[name=csrf-token]")?.content ?? "";
}
