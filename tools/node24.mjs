// Runs a script on a Node that can run Hugelab: `node tools/node24.mjs SCRIPT ARGS...`
//
// The Node that npm runs on may be 20, and npm 9 and 10 do not link the Node 24 that the lockfile brings into
// node_modules/.bin. So every script of package.json starts its tool by path through this file.
// Must itself run on Node 20: plain JavaScript, no dependency.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** EX_CONFIG of sysexits.h: the machine lacks something, nothing is wrong with what was asked. */
export const statusNoNode = 78;

/** The one sentence both launchers print (bin/hugelab repeats it: a shell script cannot import it; a test compares them). */
export const noNodeSentence = "hugelab: no Node that can run this: run `npm ci` in Hugelab's folder (it brings Node 24), or install Node 22.18 or later.";

/**
 * The path of the Node to use, or null.
 * @param {string} root Hugelab's folder
 * @param {{ platform: string, arch: string, execPath: string, stripsTypes: boolean }} current the Node that asks
 * @returns {string | null}
 */
export function findNode(root, current) {
  const os = current.platform === "win32" ? "win" : current.platform;
  const file = current.platform === "win32" ? "node.exe" : "node";
  const bundled = join(root, "node_modules", `node-${os}-${current.arch}`, "bin", file);
  if (existsSync(bundled)) return bundled;
  return current.stripsTypes ? current.execPath : null;
}

/** Whether this Node runs .ts by itself. Asked for as an ability, because the releases that have it are not one range (22.18, 23.6, 24). */
export function stripsTypes() {
  return "typescript" in process.features && Boolean(process.features.typescript);
}

/** @param {string[]} args */
function main(args) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const node = findNode(root, { platform: process.platform, arch: process.arch, execPath: process.execPath, stripsTypes: stripsTypes() });
  if (node === null) {
    process.stderr.write(noNodeSentence + "\n");
    process.exitCode = statusNoNode;
    return;
  }
  const child = spawn(node, args, { stdio: "inherit" });
  // Ctrl-C reaches the whole group; the others are sent to this process alone and must not leave the child behind.
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP", "SIGINT"])) {
    process.on(signal, () => {
      if (signal !== "SIGINT") child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`${noNodeSentence} (${node}: ${error.message})\n`);
    process.exitCode = statusNoNode;
  });
  child.on("exit", (status, signal) => {
    process.exitCode = signal === null ? (status ?? 1) : 128 + constants.signals[signal];
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main(process.argv.slice(2));
