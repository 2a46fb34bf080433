/** Opening the app's address in a browser, without showing it to other users of the machine: arguments of programs are everybody's to read. */
import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { say } from "../i18n/format.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A program that opens a file, and its arguments before the file. */
export type Opener = readonly [program: string, ...args: string[]];

const LINUX: readonly Opener[] = [
  ["xdg-open"],
  ["chromium"],
  ["chromium-browser"],
  ["google-chrome"],
  ["google-chrome-stable"],
  ["microsoft-edge"],
  ["firefox"],
];

/** The programs to try on this machine, in order; none where there is no screen. */
export function openers(env: Environment, platform: NodeJS.Platform): readonly Opener[] {
  if (platform === "darwin") return [["open"]];
  if (platform === "win32") return [["rundll32.exe", "url.dll,FileProtocolHandler"]];
  const hasScreen = Boolean(env["DISPLAY"] ?? env["WAYLAND_DISPLAY"]);
  return hasScreen ? LINUX.filter(([program]) => isThere(program, env["PATH"] ?? "")) : [];
}

function isThere(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      if (folder === "") return false;
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A page that only this user can read and that leads to the address. @throws as node:fs @returns its path, and how to remove it */
export function redirectFile(url: string, folder: string = tmpdir()): { readonly file: string; readonly remove: () => void } {
  // a folder of its own, mode 0700, under a name that nobody can guess
  const own = mkdtempSync(join(folder, "hugelab-open-"));
  const file = join(own, "open.html");
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><meta http-equiv="refresh" content="0; url=${url}"><title>Hugelab</title><a href="${url}">${say("web.redirect")}</a>\n`,
    { mode: 0o600, flag: "wx" },
  );
  return {
    file,
    remove: () => {
      rmSync(own, { recursive: true, force: true });
    },
  };
}

/** how long the page that leads to the address is kept: a browser that starts slowly must find it */
const KEPT_MS = 60_000;

/** Opens the address. @returns how to remove what was left for the browser, or null where there is no browser */
export async function openBrowser(url: string): Promise<{ forget(): void } | null> {
  const programs = openers(process.env, process.platform);
  if (programs.length === 0) return null;
  const page = redirectFile(url);
  const opened = await openWith(page.file, programs);
  if (!opened) {
    page.remove();
    return null;
  }
  const timer = setTimeout(page.remove, KEPT_MS);
  timer.unref();
  return { forget: page.remove };
}

/** Starts the first of the programs that can be started. @returns whether one was */
export async function openWith(file: string, programs: readonly Opener[]): Promise<boolean> {
  for (const [program, ...args] of programs) if (await starts(program, [...args, file])) return true;
  return false;
}

function starts(program: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: "ignore", detached: true });
    child.once("error", () => {
      resolve(false);
    });
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
  });
}
