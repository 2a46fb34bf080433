/** The browser host as a process of its own, as `npm start` has it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "./binaries.ts";

/** built by electron-vite */
const ENTRY = join(ROOT, "out", "main", "host.js");
const ADDRESS = /http:\/\/127\.0\.0\.1:\d+\/#t=[\w-]+/;
const START_MS = 20_000;

export interface Host {
  /** with the token in its fragment */
  readonly address: string;
  readonly origin: string;
  readonly token: string;
  readonly process: ChildProcess;
  /** all that it printed so far */
  output(): string;
  /** ends its engine, not the host itself */
  killEngine(): void;
  /** ends it as a crash of the machine would */
  kill(): Promise<void>;
  /** ends it as Ctrl-C does; its exit status */
  stop(): Promise<number | null>;
}

/** Makes a worker of the host die when the host gets SIGUSR2. */
const KILL_ENGINE = new URL("killEngine.mjs", import.meta.url).href;

/**
 * @param data the data folder
 * @param port a port that is wanted; 0 takes a free one
 * @param entry of another build
 */
export async function startHost(data: string, port = 0, entry = ENTRY): Promise<Host> {
  mkdirSync(data, { recursive: true });
  if (!existsSync(entry)) throw new Error(`${entry} is not there: the renderer and the host are built first (npm run build)`);
  const child = spawn(process.execPath, ["--import", KILL_ENGINE, entry, "--port", String(port), "--no-open"], {
    cwd: data,
    env: { ...process.env, HUGELAB_DATA: data },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  const address = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`the host said no address in ${START_MS} ms: ${output}`));
    }, START_MS);
    child.once("exit", (status) => {
      clearTimeout(late);
      reject(new Error(`the host ended with ${status}: ${output}`));
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      output += `${line}\n`;
      const found = ADDRESS.exec(line);
      if (found === null) return;
      clearTimeout(late);
      resolve(found[0]);
    });
  });
  const { origin, hash } = new URL(address);
  const ended = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exit = once(child, "exit");
      child.kill(signal);
      await exit;
    }
    return child.exitCode;
  };
  return {
    address,
    origin,
    token: new URLSearchParams(hash.slice(1)).get("t") ?? "",
    process: child,
    output: () => output,
    killEngine: () => void child.kill("SIGUSR2"),
    kill: async () => void (await ended("SIGKILL")),
    stop: () => ended("SIGINT"),
  };
}
