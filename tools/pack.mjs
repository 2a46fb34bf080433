// `npm run pack`: builds everything and packs the desktop app for this system, unpacked, into dist/. Other targets: docs/desktop.md.
// HUGELAB_ELECTRON_DIST names an Electron that is unpacked already (or a folder with its zip), for machines without internet.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * @param {{ dist: string | null, output: string | null }} where an unpacked Electron, and another folder than dist/
 * @param {readonly string[]} more arguments for electron-builder
 * @returns {string[]} its whole command line
 */
export function builderArguments({ dist, output }, more = []) {
  const electron = dist === null ? [] : [`-c.electronDist=${dist}`];
  const folder = output === null ? [] : [`-c.directories.output=${output}`];
  return [join(root, "node_modules", "electron-builder", "cli.js"), "--dir", "--publish", "never", ...electron, ...folder, ...more];
}

/** @param {string[]} args @returns {number} exit status */
function run(args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).status ?? 1;
}

/** @param {string[]} more */
function main(more) {
  const installed = join(root, "node_modules", "electron", "dist");
  const given = process.env.HUGELAB_ELECTRON_DIST ?? (existsSync(installed) ? installed : null);
  const built = run([join(root, "node_modules", "electron-vite", "bin", "electron-vite.js"), "build"]);
  process.exitCode = built === 0 ? run(builderArguments({ dist: given, output: null }, more)) : built;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2));
