/** `npm start`: builds what is missing or old, then opens the app in Electron where its program is there, else in a browser. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { say } from "../i18n/format.ts";
import { readPort, serve } from "./serve.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What a build leaves, and what it is made of. */
const BUILT = ["out/main/index.js", "out/main/host.js", "out/main/engine.js", "out/preload/index.cjs", "out/renderer/index.html"];
const SOURCES = ["src", "electron.vite.config.ts", "svelte.config.js", "package-lock.json"];
const BUILDER = "node_modules/electron-vite/bin/electron-vite.js";

/** Is a build needed: something is not there, or older than a source. Tests are no source of it. */
export function isStale(root: string): boolean {
  const built = BUILT.map((path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return newest(SOURCES.map((path) => join(root, path))) > Math.min(...built);
}

function newest(paths: readonly string[]): number {
  let latest = 0;
  for (const path of paths) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || path.endsWith(".test.ts")) continue;
    // a file that was taken away shows as a change of its folder
    latest = Math.max(latest, stat.mtimeMs, stat.isDirectory() ? newest(readdirSync(path).map((name) => join(path, name))) : 0);
  }
  return latest;
}

/**
 * Electron's program, or null where npm did not bring it. Electron's package is never loaded to find out: it would try to download.
 * path.txt names the program inside dist/ once it was installed.
 */
export function findElectron(root: string, env: Environment): string | null {
  const folder = join(root, "node_modules", "electron");
  try {
    const program = readFileSync(join(folder, "path.txt"), "utf8").trim();
    const file = join(env["ELECTRON_OVERRIDE_DIST_PATH"] ?? join(folder, "dist"), program);
    return program !== "" && existsSync(file) ? file : null;
  } catch {
    return null;
  }
}

/** Why the app is not opened in Electron, or null. */
export function whyNoElectron(electron: string | null, env: Environment, platform: NodeJS.Platform): string | null {
  if (electron === null) return say("web.start.noElectron");
  const hasScreen = platform !== "linux" || Boolean(env["DISPLAY"] ?? env["WAYLAND_DISPLAY"]);
  return hasScreen ? null : say("web.start.noScreen");
}

function run(program: string, args: readonly string[], options: { readonly cwd: string; readonly quiet: boolean }): Promise<number> {
  return new Promise((resolve) => {
    const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env;
    const child = spawn(program, args, { cwd: options.cwd, env, stdio: options.quiet ? ["ignore", "ignore", "inherit"] : "inherit" });
    child.on("error", () => {
      resolve(127);
    });
    child.on("exit", (status, signal) => {
      resolve(signal === null ? (status ?? 1) : 1);
    });
  });
}

/** Builds if it has to be. False, with a sentence, when there is nothing to start. */
async function build(root: string): Promise<boolean> {
  if (!isStale(root)) return true;
  const isThere = BUILT.every((path) => existsSync(join(root, path)));
  if (!existsSync(join(root, BUILDER))) {
    if (!isThere) tell(say("web.start.noBuilder"));
    return isThere;
  }
  tell(say("web.start.building"));
  const status = await run(process.execPath, [join(root, BUILDER), "build", "--logLevel", "error"], { cwd: root, quiet: true });
  if (status !== 0) tell(say("web.start.buildFailed", { status }));
  return status === 0;
}

/** `npm start [-- --browser] [--port N] [--no-open]`. @returns the exit status */
export async function start(root: string, engineUrl: URL, args: string[]): Promise<number> {
  let values;
  try {
    ({ values } = parseArgs({ args, options: { port: { type: "string" }, "no-open": { type: "boolean" }, browser: { type: "boolean" } } }));
  } catch (error) {
    tell(say("web.start.usage", { what: error instanceof Error ? error.message : String(error) }));
    return 2;
  }
  const port = readPort(values.port);
  if (port === null) return 2;
  if (!(await build(root))) return 1;
  const electron = findElectron(root, process.env);
  const why = whyNoElectron(electron, process.env, process.platform);
  if (electron !== null && why === null && values.browser !== true && values.port === undefined) {
    // Ctrl-C reaches Electron too; this process waits for it to end in its own way
    process.on("SIGINT", () => undefined);
    const status = await run(electron, [root], { cwd: root, quiet: false });
    if (status === 0) return 0;
    tell(say("web.start.electronFailed", { status }));
  } else if (why !== null) tell(why);
  return serve({ root, engineUrl, port, open: values["no-open"] !== true });
}

function tell(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
