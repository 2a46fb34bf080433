// Builds for Electron and for the browser host: out/main (Electron's entry, the browser host, the engine's worker), out/preload, out/renderer.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "electron-vite";

export default defineConfig({
  main: {
    build: {
      rolldownOptions: {
        // each entry hands the worker's URL down: one made inside a shared chunk would point to the wrong folder
        input: { index: "src/main/index.ts", host: "src/web/main.ts", engine: "src/host/service/engineWorker.ts" },
      },
    },
  },
  preload: {
    build: {
      // a sandboxed preload is one CommonJS file with all that it needs
      externalizeDeps: false,
      rolldownOptions: { input: { index: "src/preload/index.ts" }, output: { format: "cjs", entryFileNames: "[name].cjs" } },
    },
  },
  renderer: {
    root: "src/renderer",
    plugins: [svelte({ configFile: "../../svelte.config.js" })],
    build: {
      minify: "oxc",
      rolldownOptions: { input: "src/renderer/index.html" },
    },
  },
});
