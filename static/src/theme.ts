const LIGHT = "medportal";
const DARK = "medportal-dark";
const YEAR = 365 * 24 * 3600;

function current(): string {
  const chosen = document.documentElement.dataset.theme;
  if (chosen) return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? DARK : LIGHT;
}

/** A button that changes between light and dark; a cookie lets the server draw the next page so. */
export function themeButton(button: HTMLButtonElement): void {
  const show = () => button.setAttribute("aria-pressed", String(current() === DARK));
  button.addEventListener("click", () => {
    const next = current() === DARK ? LIGHT : DARK;
    document.documentElement.dataset.theme = next;
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in Firefox
    document.cookie = `theme=${next}; path=/; max-age=${YEAR}; samesite=lax`;
    show();
  });
  show();
}
