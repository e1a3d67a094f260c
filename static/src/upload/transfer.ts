import { csrfToken } from "../texts";
import type { Picked } from "./folders";

/** What the server says of one file; an archive gives several. */
export interface Outcome {
  name: string;
  outcome: "stored" | "duplicate" | "held" | "refused";
  label: string;
  reason: string;
  study: string;
  /** Where to decide on a quarantined file. */
  decide?: string;
  /** Equal for files that are shown as one row; without it a file has a row of its own. */
  group?: string;
  /** Heading of the group. */
  title?: string;
}

/** Begins an upload and returns the address for its files. */
export async function begin(url: string): Promise<string> {
  const answer = await fetch(url, { method: "POST", headers: { "X-CSRFToken": csrfToken() } });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()).files;
}

/** Sends one file; `sent` gets the share that has left, `said` each outcome as soon as it is known. */
export function send(
  url: string,
  picked: Picked,
  sent: (share: number) => void,
  said: (outcome: Outcome) => void,
): Promise<void> {
  const form = new FormData();
  form.append("path", picked.path);
  form.append("file", picked.file);
  const request = new XMLHttpRequest();
  request.open("POST", url);
  request.setRequestHeader("X-CSRFToken", csrfToken());
  let read = 0;
  const readLines = () => {
    for (;;) {
      const end = request.responseText.indexOf("\n", read);
      if (end < 0) return;
      said(JSON.parse(request.responseText.slice(read, end)));
      read = end + 1;
    }
  };
  return new Promise((done, fail) => {
    request.upload.onprogress = (event) => sent(event.total ? event.loaded / event.total : 0);
    request.onprogress = () => request.status === 200 && readLines();
    request.onload = () => {
      if (request.status === 400) {
        said({ ...JSON.parse(request.responseText), name: picked.path, study: "" });
        return done();
      }
      if (request.status !== 200) return fail(new Error(String(request.status)));
      readLines();
      done();
    };
    request.onerror = () => fail(new Error("network"));
    request.send(form);
  });
}
