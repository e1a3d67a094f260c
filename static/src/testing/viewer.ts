/** A viewer on the fake Cornerstone: a stack with images, and explanations for them. */

import type { Overlay } from "../viewer/load";
import { Stack } from "../viewer/stack";
import { started, type ToolGroup, type Viewport } from "./cornerstone";

export const imageId = (uid: string, frame = 1) =>
  `wadors:/studies/1/series/2/instances/${uid}/frames/${frame}`;

/** A stack in `#viewport` that shows images of these instances. */
export async function stackOf(
  ...uids: string[]
): Promise<{ stack: Stack; viewport: Viewport; tools: ToolGroup }> {
  const element = document.getElementById("viewport") as HTMLDivElement;
  for (const [name, size] of [
    ["clientWidth", 400],
    ["clientHeight", 300],
  ] as const)
    Object.defineProperty(element, name, { value: size, configurable: true });
  const stack = await Stack.create(element);
  if (uids.length > 0) await stack.show(uids.map((uid) => imageId(uid)));
  return { stack, viewport: started.viewport as Viewport, tools: started.tools as ToolGroup };
}

/** An explanation of a film. */
export function overlayOf(instance: string, more: Partial<Overlay> = {}): Overlay {
  return {
    explanation: `explanation-${instance}`,
    instance,
    frame: 1,
    title: `Pneumonia on ${instance}`,
    png: `/overlays/${instance}.png`,
    revision: 1,
    probes: "/probes/",
    label: "pneumonia",
    slices: [],
    levels: 1,
    ...more,
  };
}

/** Pictures that the server sent, by their address; `createImageBitmap` gives them back. */
export function pictures(): (answer: { path: string }) => Response {
  globalThis.createImageBitmap = (async (blob: Blob) => {
    const [path, width, height] = JSON.parse(await blob.text());
    return { path, width, height };
  }) as never;
  return ({ path }) => new Response(JSON.stringify([path, 12, 24]));
}
