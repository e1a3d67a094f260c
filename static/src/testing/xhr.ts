/** `XMLHttpRequest` of a test: the requests that were sent, which the test answers piece by piece. */
import { vi } from "vitest";

export class SentRequest {
  method = "";
  url = "";
  readonly headers: Record<string, string> = {};
  form = new FormData();
  status = 0;
  responseText = "";
  readonly upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  onprogress?: () => void;
  onload?: () => void;
  onerror?: () => void;

  constructor(private readonly list: SentRequest[]) {}

  open(method: string, url: string): void {
    this.method = method;
    this.url = url;
  }
  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  send(form: FormData): void {
    this.form = form;
    this.list.push(this);
  }
  /** More of the answer arrives. */
  receive(text: string, status = 200): void {
    this.status = status;
    this.responseText += text;
    this.onprogress?.();
  }
  /** The answer is complete. */
  finish(status = 200, text = ""): void {
    this.status = status;
    this.responseText += text;
    this.onload?.();
  }
}

/** Replaces `XMLHttpRequest`; gives the list that fills as requests are sent. */
export function fakeRequests(): SentRequest[] {
  const sent: SentRequest[] = [];
  vi.stubGlobal(
    "XMLHttpRequest",
    class extends SentRequest {
      constructor() {
        super(sent);
      }
    },
  );
  return sent;
}
