/** What the end-to-end tests run in: a Chromium that is installed, and an Electron whose binary somebody put there. Nothing is downloaded. */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** HUGELAB_CHROMIUM, else the first Chromium of the PATH; null: there is none. @throws when HUGELAB_CHROMIUM names no program */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string | null {
  const named = env.HUGELAB_CHROMIUM;
  if (named !== undefined && named !== "") {
    if (!executable(named)) throw new Error(`HUGELAB_CHROMIUM is ${named}, which cannot be run`);
    return named;
  }
  const folders = ["/usr/bin", ...(env.PATH ?? "").split(delimiter)].filter((folder) => folder !== "");
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(executable) ?? null;
}

export const NO_CHROMIUM =
  "No Chromium: install one (on Debian: apt-get install chromium) or name one in HUGELAB_CHROMIUM. The tests of the app in a browser did not run.";

/** A page of ours needs none of what Chromium does in the background. Only root has no sandbox of its own. */
export const CHROMIUM_FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

/** Electron's binary, as its own package remembers it; null: none. The package is never imported: that would start a download. */
export function findElectron(env: NodeJS.ProcessEnv = process.env): string | null {
  const named = env.ELECTRON_EXEC_PATH;
  if (named !== undefined && named !== "" && executable(named)) return named;
  const folder = join(ROOT, "node_modules", "electron");
  const note = join(folder, "path.txt");
  if (!existsSync(note)) return null;
  const binary = join(env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, "dist"), readFileSync(note, "utf8").trim());
  return executable(binary) ? binary : null;
}
