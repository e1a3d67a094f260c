import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig, type Rolldown } from "vite";

const entry = (name: string) => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url));

// Node branches of libraries that run in the browser without them: `package: modules it may ask for`.
const EXTERNALIZED: Record<string, string[]> = {
  "@cornerstonejs/codec-charls": ["fs", "path"],
  "@cornerstonejs/codec-libjpeg-turbo-8bit": ["fs", "path"],
  "@cornerstonejs/codec-openjpeg": ["fs", "path"],
  "@cornerstonejs/codec-openjph": ["fs", "path"],
  "@oozcitak/url": ["url"],
};
const EXTERNALIZED_MESSAGE =
  /Module "([^"]+)" has been externalized .* imported by "[^"]*node_modules\/((?:@[^/]+\/)?[^/]+)\//;

/** Whether a library's Node branch was left out that is known not to run in the browser. */
export function isExpected(message: string): boolean {
  const [, module = "", library = ""] = EXTERNALIZED_MESSAGE.exec(message) ?? [];
  return (EXTERNALIZED[library] ?? []).includes(module);
}

const onLog: Rolldown.InputOptions["onLog"] = (level, log, handle) => {
  if (!isExpected(log.message)) handle(level, log);
};

export default defineConfig(({ command }) => ({
  plugins: [tailwindcss()],
  base: command === "serve" ? "/static/" : "./",
  // For 'make dev'. Pages demand of other origins that they let themselves be embedded.
  server: {
    host: "127.0.0.1",
    port: 5173,
    strictPort: true,
    headers: { "Cross-Origin-Resource-Policy": "cross-origin" },
  },
  // vtk.js pulls in xmlbuilder2, which extends Node's EventEmitter.
  resolve: { alias: { events: fileURLToPath(new URL("node_modules/events/events.js", import.meta.url)) } },
  worker: { format: "es", rolldownOptions: { onLog, checks: { pluginTimings: false } } },
  build: {
    outDir: "dist",
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
      onLog,
      checks: { pluginTimings: false },
      input: {
        main: entry("main"),
        upload: entry("upload"),
        study: entry("study"),
        explanation: entry("explanation"),
        case: entry("case"),
        queue: entry("queue"),
      },
    },
  },
}));
