/** `hugelab serve`, and the host that is built: service and web host together, from their start to Ctrl-C. */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { dataFolder } from "../host/service/dataFolder.ts";
import { openService } from "../host/service/openService.ts";
import { rendererFolder } from "../host/service/rendererFiles.ts";
import { say } from "../i18n/format.ts";
import { openBrowser } from "./openBrowser.ts";
import { openWebHost, type WebHost } from "./webHost.ts";

export interface ServeOptions {
  /** Hugelab's own folder */
  readonly root: string;
  readonly engineUrl: URL;
  readonly port: number;
  /** open a browser if there is one */
  readonly open: boolean;
}

/** exit statuses, as those of cli/exitStatus.ts: wrong use, and what this machine cannot do */
const STATUS = { done: 0, failed: 1, usage: 2, unavailable: 3 } as const;

/** Serves until the process is told to end. @returns the exit status */
export async function serve({ root, engineUrl, port, open }: ServeOptions): Promise<number> {
  if (!existsSync(join(rendererFolder(root), "index.html"))) {
    tell(say("web.notBuilt"));
    return STATUS.unavailable;
  }
  const ending = endOfProcess();
  // files that SQLite and others make beside what we name are for this user only as well
  process.umask(0o077);
  // From the sources, compiling is half of the engine's start. Inside Hugelab's own folder, where nobody else can plant code.
  if (engineUrl.pathname.endsWith(".ts")) process.env["NODE_COMPILE_CACHE"] ??= join(root, "node_modules", ".cache", "hugelab");
  const folder = dataFolder(process.env, process.platform, homeFolder());
  const service = await openService({ host: "browser", root, dataFolder: folder, engineUrl, version: versionOf(root) });
  let host: WebHost;
  try {
    host = await openWebHost({ service, pages: rendererFolder(root), port });
  } catch (error) {
    await service.close();
    tell(portSentence(error, port));
    return STATUS.failed;
  }
  process.stdout.write(`${say("web.ready", { url: host.url })}\n`);
  const browser = open ? await openBrowser(host.url) : null;
  if (open) tell(say(browser === null ? "web.noBrowser" : "web.opened"));
  tell(say("web.end"));
  await ending;
  browser?.forget();
  await host.close();
  await service.close();
  tell(say("web.closed"));
  return STATUS.done;
}

/** The port of an option, 0 (any) without one; null for what is no port. */
export function parsePort(word: string | undefined): number | null {
  if (word === undefined) return 0;
  const port = /^\d{1,5}$/.test(word) ? Number(word) : NaN;
  return port <= 65_535 ? port : null;
}

/** As `parsePort`, with the sentence on stderr. */
export function readPort(word: string | undefined): number | null {
  const port = parsePort(word);
  if (port === null) tell(say("web.badPort", { word: (word ?? "").slice(0, 40) }));
  return port;
}

/** Ctrl-C, or a request to end; a second one does not wait. */
function endOfProcess(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (): void => {
      if (asked) {
        tell(say("web.forced"));
        process.exit(STATUS.failed);
      }
      asked = true;
      resolve();
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  });
}

function portSentence(error: unknown, port: number): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EADDRINUSE") return say("web.portBusy", { port });
  if (code === "") throw error;
  return say("web.portRefused", { port, code });
}

/** Empty where the machine does not say. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}

function versionOf(root: string): string {
  return (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly version: string }).version;
}

function tell(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
