import "./styles.css";
import "htmx.org";
import { submitOnChange } from "./autosubmit";
import { themeButton } from "./theme";

// Patients may put their page on the home screen; others work on shared machines.
if ("app" in document.documentElement.dataset) void navigator.serviceWorker?.register("/service-worker.js");

for (const button of document.querySelectorAll<HTMLButtonElement>("[data-theme-toggle]")) themeButton(button);
for (const field of document.querySelectorAll<HTMLSelectElement>("[data-autosubmit]")) submitOnChange(field);
