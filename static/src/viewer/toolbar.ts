import type { Stack, ToolKey } from "./stack";

const KEYS: Record<string, string> = {
  w: "window",
  z: "zoom",
  p: "pan",
  l: "length",
  i: "invert",
  r: "reset",
  "+": "zoom-in",
  "=": "zoom-in",
  "-": "zoom-out",
  ArrowDown: "next",
  ArrowUp: "previous",
  PageDown: "next",
  PageUp: "previous",
};

/** The buttons over the image and their keys. */
export function toolbar(bar: HTMLElement, stack: Stack): void {
  const buttons = [...bar.querySelectorAll<HTMLButtonElement>("button[data-tool]")];
  const hold = (key: ToolKey) => {
    stack.hold(key);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === key));
  };
  const actions: Record<string, () => void> = {
    window: () => hold("window"),
    zoom: () => hold("zoom"),
    pan: () => hold("pan"),
    length: () => hold("length"),
    invert: () => stack.invert(),
    reset: () => stack.reset(),
    "zoom-in": () => stack.zoom(1.25),
    "zoom-out": () => stack.zoom(0.8),
    next: () => void stack.scroll(1),
    previous: () => void stack.scroll(-1),
  };
  bar.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>(
      "button[data-tool], button[data-act]",
    );
    const name = button?.dataset.tool ?? button?.dataset.act;
    if (name) actions[name]?.();
  });
  stack.element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const name = KEYS[event.key];
    if (!name) return;
    event.preventDefault();
    actions[name]?.();
  });
  hold("window");
}
