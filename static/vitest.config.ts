import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "jsdom",
    pool: "vmThreads", // a page for each file without a process for each
    include: ["src/**/*.test.ts"],
    restoreMocks: true,
    unstubGlobals: true,
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/testing/**", "src/**/*.test.ts"],
      reporter: ["text"],
      thresholds: { lines: 95, functions: 95, branches: 85 },
    },
  },
});
