/** A page for a test: its content, the listeners that a script adds to it, and what jsdom lacks. */
import { afterEach, beforeEach, vi } from "vitest";

type Added = [
  EventTarget,
  string,
  EventListenerOrEventListenerObject,
  boolean | AddEventListenerOptions | undefined,
];

/** Gives each test of a file an empty page without listeners of the test before. Call it once in the file. */
export function freshPages(): void {
  const added: Added[] = [];

  beforeEach(() => {
    vi.resetModules();
    for (const target of [document, window]) {
      const add = target.addEventListener.bind(target);
      vi.spyOn(target, "addEventListener").mockImplementation(
        (
          type: string,
          listener: EventListenerOrEventListenerObject,
          options?: boolean | AddEventListenerOptions,
        ) => {
          added.push([target, type, listener, options]);
          add(type, listener, options);
        },
      );
    }
    vi.stubGlobal(
      "ResizeObserver",
      class {
        observe() {}
      },
    );
    Element.prototype.scrollIntoView = () => {};
    Element.prototype.setPointerCapture = () => {};
  });

  afterEach(() => {
    for (const [target, type, listener, options] of added.splice(0))
      target.removeEventListener(type, listener, options);
    document.body.replaceChildren();
    document.head.replaceChildren();
    vi.useRealTimers();
  });
}

/** Writes the page's body and its CSRF token. */
export function write(html: string): void {
  document.head.innerHTML = '<meta name="csrf-token" content="token-of-the-page">';
  document.body.innerHTML = html;
}

/** The only element of a selector. */
export function get<E extends HTMLElement = HTMLElement>(selector: string): E {
  const elements = document.querySelectorAll<E>(selector);
  if (elements.length !== 1) throw new Error(`${elements.length} elements match ${selector}`);
  return elements[0] as E;
}

/** Presses a key in an element. */
export function press(element: Element, key: string, options: KeyboardEventInit = {}): boolean {
  return element.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...options }),
  );
}

/** Changes a field as a person does. */
export function change(
  field: HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement,
  value: string,
): void {
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

/** A block of JSON as Django's `json_script` writes it. */
export function jsonScript(id: string, value: unknown): string {
  return `<script id="${id}" type="application/json">${JSON.stringify(value)}</script>`;
}

/** Lets promises and timers that are due finish. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve));
}
