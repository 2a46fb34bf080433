/**
 * Runs scripts on the kernel of this machine: builds conformance/recorder/oracle.c once, feeds it a script, collects header and steps.
 * The recorder changes global settings and puts them back; it holds a lock file, so two recordings never overlap.
 */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, release, tmpdir } from "node:os";
import { join } from "node:path";
import { isStep } from "../conform/readTrace.ts";
import type { TraceHeader, TraceStep } from "../conform/step.ts";
import { restoreSettings, takeSettings } from "./kernelSettings.ts";
import type { Settings } from "./kernelSettings.ts";

export interface Recording {
  readonly header: TraceHeader;
  readonly steps: readonly TraceStep[];
}

/** Why nothing can be recorded here; each has a sentence `conform.recorder.<reason>`. */
export type RecorderProblem = "notLinux" | "notRoot" | "noThp" | "noCompiler" | "buildFailed";

export type RecorderResult =
  { readonly kind: "ready"; readonly recorder: Recorder } | { readonly kind: "cannot"; readonly problem: RecorderProblem; readonly detail: string };

/** The recorder ran and did not end as it should: this recording is worth nothing. */
export class RecorderFailure extends Error {}

const SOURCE = new URL("../../conformance/recorder/oracle.c", import.meta.url);
const FLAGS = ["-O2", "-static", "-no-pie"];
const TIMEOUT_MS = 120_000;
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Checks that this machine can record, and builds the recorder unless it is built already. */
export function openRecorder(profile: string): RecorderResult {
  const cannot = (problem: RecorderProblem, detail = ""): RecorderResult => ({ kind: "cannot", problem, detail });
  if (process.platform !== "linux") return cannot("notLinux", process.platform);
  if (process.geteuid?.() !== 0) return cannot("notRoot");
  if (!existsSync("/sys/kernel/mm/transparent_hugepage/enabled")) return cannot("noThp");
  const built = buildRecorder();
  if ("problem" in built) return cannot(built.problem, built.detail);
  return { kind: "ready", recorder: new Recorder(built.program, profile) };
}

function buildRecorder(): { readonly program: string } | { readonly problem: RecorderProblem; readonly detail: string } {
  const hash = createHash("sha256").update(readFileSync(SOURCE)).update(FLAGS.join(" ")).digest("hex").slice(0, 16);
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "hugelab", `recorder-${hash}`);
  const program = join(folder, "oracle");
  if (existsSync(program)) return { program };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // under another name first: what is there under its own name is always whole
  const unfinished = join(folder, `oracle-${process.pid}`);
  for (const compiler of ["cc", "gcc"]) {
    const done = spawnSync(compiler, [...FLAGS, "-o", unfinished, SOURCE.pathname], { encoding: "utf8" });
    if (done.error) continue;
    if (done.status !== 0) {
      rmSync(unfinished, { force: true });
      return { problem: "buildFailed", detail: done.stderr.split("\n").find((line) => line.includes("error")) ?? done.stderr.trim().split("\n")[0] };
    }
    renameSync(unfinished, program);
    return { program };
  }
  return { problem: "noCompiler", detail: "" };
}

/** A recorder that is built. Recordings are made one after the other. */
export class Recorder {
  readonly #program: string;
  readonly #profile: string;
  readonly #settings: Settings = takeSettings();
  #running: ChildProcess | null = null;
  #interrupted: NodeJS.Signals | null = null;
  readonly #forward = (signal: NodeJS.Signals): void => {
    this.#interrupted = signal;
    if (this.#running) this.#running.kill(signal);
    else this.#endBySignal(signal);
  };

  constructor(program: string, profile: string) {
    this.#program = program;
    this.#profile = profile;
    for (const signal of FORWARDED) process.on(signal, this.#forward);
  }

  /** from here on, signals do what they did before */
  close(): void {
    for (const signal of FORWARDED) process.removeListener(signal, this.#forward);
  }

  #endBySignal(signal: NodeJS.Signals): void {
    this.close();
    process.kill(process.pid, signal);
  }

  /**
   * Runs one script. Throws RecorderFailure when the recorder did not get through it.
   * Input and output are files, so that this process sleeps until the recorder has ended: the counters that are recorded are
   * global, and memory taken while reading along could show in them.
   */
  async record(source: string): Promise<Recording> {
    const folder = mkdtempSync(join(tmpdir(), "hugelab-recorder-"));
    try {
      writeFileSync(join(folder, "script"), source.endsWith("\n") ? source : source + "\n");
      const ended = await this.#run(folder);
      // killed with no time to put settings back
      if (typeof ended === "string") restoreSettings(this.#settings);
      if (this.#interrupted) this.#endBySignal(this.#interrupted);
      if (ended !== 0) throw new RecorderFailure(`${ended}: ${readFileSync(join(folder, "errors"), "utf8").trim().slice(0, 200)}`);
      return readRecording(readFileSync(join(folder, "steps"), "utf8"), this.#profile, operationCount(source));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #run(folder: string): Promise<number | NodeJS.Signals> {
    const files = [openSync(join(folder, "script"), "r"), openSync(join(folder, "steps"), "w"), openSync(join(folder, "errors"), "w")];
    const child = spawn(this.#program, [join(folder, "mounts")], { stdio: files });
    for (const file of files) closeSync(file);
    this.#running = child;
    const timer = setTimeout(() => child.kill("SIGTERM"), TIMEOUT_MS);
    try {
      return await new Promise<number | NodeJS.Signals>((resolve, reject) => {
        child.on("error", reject);
        child.on("close", (status, signal) => {
          resolve(status ?? signal ?? "SIGKILL");
        });
      });
    } finally {
      clearTimeout(timer);
      this.#running = null;
    }
  }
}

/** how many operations the recorder will print a step for */
function operationCount(source: string): number {
  const lines = source.split("\n").map((line) => line.split("#")[0].trim());
  const quit = lines.indexOf("quit");
  return (quit < 0 ? lines : lines.slice(0, quit)).filter((line) => line !== "").length;
}

function readRecording(text: string, profile: string, wanted: number): Recording {
  const objects = text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseLine);
  const [header, ...steps] = objects;
  if (header === undefined || !("hdr" in header)) throw new RecorderFailure("no header");
  if (steps.length !== wanted) throw new RecorderFailure(`${steps.length} of ${wanted} operations`);
  if (!steps.every(isStep)) throw new RecorderFailure("a step that is none");
  return { header: { ...(header as unknown as TraceHeader), profile }, steps };
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    throw new RecorderFailure(`not JSON: ${line.slice(0, 80)}`);
  }
}

/** The profile that describes the kernel of this machine, and whether it is that very kernel. */
export function profileOfThisMachine(): { readonly profile: string; readonly exact: boolean; readonly kernel: string } {
  const kernel = release();
  const known: readonly (readonly [prefix: string, profile: string])[] = [
    ["6.18.15+deb13", "debian-6.18.15"],
    ["6.12.107+deb13", "debian-6.12.107"],
    ["6.1.0-", "debian-6.1.176"],
    ["6.18.44-fc", "vm-6.18.44"],
  ];
  const exact = known.find(([prefix]) => kernel.startsWith(prefix));
  if (exact) return { profile: exact[1], exact: true, kernel };
  const near = kernel.startsWith("6.1.") ? "debian-6.1.176" : kernel.startsWith("6.12.") ? "debian-6.12.107" : "vm-6.18.44";
  return { profile: near, exact: false, kernel };
}
