import { codes } from "./case/codes";
import { drafts } from "./case/drafts";
import { course, whatIf } from "./case/risk";
import { timeline } from "./case/timeline";
import { trends } from "./case/trends";

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-drafts]")) drafts(form);
const completions = () => {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-codes]:not([data-completed])")) {
    form.dataset.completed = "";
    codes(form);
  }
};
completions();
trends();
timeline();
const risk = () => {
  course();
  whatIf();
};
risk();
document.addEventListener("htmx:after:swap", risk);
document.addEventListener("htmx:after:swap", completions);
