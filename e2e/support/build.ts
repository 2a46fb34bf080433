/** Builds main, preload, host and renderer, once before all specs; HUGELAB_BUILT=1 says that out/ is up to date. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./binaries.ts";

export default function build(): void {
  if (process.env.HUGELAB_BUILT === "1") return;
  const { status } = spawnSync(process.execPath, [join(ROOT, "node_modules", "electron-vite", "bin", "electron-vite.js"), "build", "--logLevel", "warn"], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) throw new Error(`electron-vite build ended with ${status}`);
}
