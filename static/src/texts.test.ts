import { expect, test } from "vitest";
import { freshPages, jsonScript, write } from "./testing/page";
import { csrfToken, texts } from "./texts";

freshPages();

test("texts are read from the page's block", () => {
  write(jsonScript("viewer-texts", { loading: "正在加载" }));
  expect(texts<"loading">("viewer-texts").loading).toBe("正在加载");
});

test("a page without its texts is an error that names them", () => {
  write("");
  expect(() => texts("viewer-texts")).toThrow("viewer-texts");
});

test("the token is the page's, or empty", () => {
  write("");
  expect(csrfToken()).toBe("token-of-the-page");
  document.head.replaceChildren();
  expect(csrfToken()).toBe("");
});
