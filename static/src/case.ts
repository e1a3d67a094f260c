import { codes } from "./case/codes";
import { drafts } from "./case/drafts";
import { course, whatIf } from "./case/risk";
import { timeline } from "./case/timeline";
import { trends } from "./case/trends";

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-drafts]")) drafts(form);
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-codes]")) codes(form);
trends();
timeline();
const risk = () => {
  course();
  whatIf();
};
risk();
document.addEventListener("htmx:after:swap", risk);
