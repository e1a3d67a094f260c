import { StyleForm } from "./style-form";

const overlays = [...document.querySelectorAll<HTMLImageElement>("img[data-overlay]")];
const fields = document.getElementById("overlay-form");

if (overlays.length > 0 && fields) {
  let revision = document.getElementById("figures")?.dataset.revision ?? "0";
  const draw = () => {
    for (const overlay of overlays) {
      const { source, overlay: view } = overlay.dataset;
      overlay.src = `${source}?${form.query()}&view=${view}&r=${revision}`;
    }
  };
  const form = new StyleForm(fields, draw, (share) => {
    for (const overlay of overlays) overlay.style.opacity = String(share);
  });
  form.applyEarlyChanges();
  // The figures are asked for again while the explanation is refined: the picture follows.
  document.addEventListener("htmx:after:swap", () => {
    const now = document.getElementById("figures")?.dataset.revision ?? revision;
    if (now !== revision) {
      revision = now;
      draw();
    }
  });
} else {
  // There was no picture yet when the page came: once there is one, only a reload completes the page.
  document.addEventListener("htmx:after:swap", () => {
    if (document.getElementById("figures")?.dataset.revision !== "0") history.go(0); // loads it again
  });
}

document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
