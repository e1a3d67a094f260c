import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "vite";

const entry = (name: string) => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url));

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
  worker: { format: "es" },
  build: {
    outDir: "dist",
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
    rolldownOptions: {
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
