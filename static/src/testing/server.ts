/** The server of a test: answers by method and path, and the requests that arrived. */
import { vi } from "vitest";

export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
}
type Answer = unknown | ((asked: Asked) => unknown);

/** An answer with a status of its own; other values become JSON with status 200. */
export function status(code: number, body: unknown = {}): Response {
  return Response.json(body, { status: code });
}

/**
 * Replaces `fetch`.
 *
 * @param routes answers by "METHOD /path"; a function is called with the request, a list is used up from its front
 * @returns the requests in the order of their arrival
 */
export function serve(routes: Record<string, Answer>): Asked[] {
  const requests: Asked[] = [];
  vi.stubGlobal("fetch", async (input: string | URL, init: RequestInit = {}) => {
    const url = new URL(input, "http://site.test");
    const asked = {
      method: init.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      headers: new Headers(init.headers),
      body: init.body,
    };
    requests.push(asked);
    const key = `${asked.method} ${asked.path}`;
    if (!(key in routes)) return status(404);
    const route = routes[key];
    const answer = Array.isArray(route) && route.length > 0 && isQueue(route) ? route.shift()?.() : route;
    const value = typeof answer === "function" ? await answer(asked) : answer;
    return value instanceof Response ? value : Response.json(value);
  });
  return requests;
}

function isQueue(route: unknown[]): route is (() => unknown)[] {
  return route.every((answer) => typeof answer === "function");
}
