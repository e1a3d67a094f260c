import "./styles.css";
import "htmx.org";
import { submitOnChange } from "./autosubmit";
import { themeButton } from "./theme";

for (const button of document.querySelectorAll<HTMLButtonElement>("[data-theme-toggle]")) themeButton(button);
for (const field of document.querySelectorAll<HTMLSelectElement>("[data-autosubmit]")) submitOnChange(field);
