import { MMC, type Kernel } from "../kernel/mm/kernel.ts";
import { describeErrno } from "../shell/call/errnos.ts";
import type { RenderMessage } from "../shell/renderMessage.ts";
import type { ResultFields } from "./execute.ts";
import type { FaultRun, Faults } from "./traceStep.ts";

/** What an operation did, as far as a person is told. */
export interface Outcome {
  /** ret, errno, cnt, ... as in a trace */
  readonly fields: ResultFields;
  /** key of the sentence that says what would have worked */
  readonly hint: string | null;
  readonly faults: readonly { readonly process: string; readonly faults: Faults }[];
  /** processes whose resident memory changed, kB */
  readonly rss: readonly { readonly process: string; readonly beforeKb: number; readonly afterKb: number }[];
  /** change of AnonHugePages of the machine, kB */
  readonly anonHugeKb: number;
  /** counters that changed, by the name of their item */
  readonly counters: Readonly<Record<string, number>>;
}

/** Resident memory of a process in kB. */
export const rssKb = (k: Kernel, mm: number): number => 4 * (k.mmCount(mm, MMC.anonPages) + k.mmCount(mm, MMC.filePages) + k.mmCount(mm, MMC.shmemPages));

interface SignalRun {
  readonly at: string;
  readonly n: number;
  readonly sig: string;
  readonly code: string;
}

/** runs of faults that are shown; the rest is counted */
const SHOWN_RUNS = 4;

/** si_code as a trace has it, and the last part of the key of its sentence */
const CODES: Readonly<Record<string, string>> = {
  SEGV_MAPERR: "mapErr",
  SEGV_ACCERR: "accErr",
  BUS_ADRERR: "adrErr",
  BUS_MCEERR_AR: "mceErr",
  "128": "kernel",
};

/**
 * The lines that tell a person what an operation did: its result, why it failed and what would have worked, the faults that were
 * taken, and what changed. `self`: the process whose name goes without saying.
 */
export function describeOutcome(outcome: Outcome, self: string, render: RenderMessage): string[] {
  const say = (key: string, args: Readonly<Record<string, string | number>> = {}): string => render({ key, args });
  const lines = [...resultLines(outcome.fields, say), ...(outcome.hint === null ? [] : hintLines(outcome.hint, say))];
  for (const { process, faults } of outcome.faults) lines.push(who(process, self) + faultLine(faults, say));
  const changes = changesOf(outcome, self);
  if (changes.length > 0) lines.push(changes.join("  "));
  return lines;
}

type Say = (key: string, args?: Readonly<Record<string, string | number>>) => string;

/** The sentence to a hint of the kernel ("hint.hole"): what would have worked. */
export function hintLines(hint: string, say: Say): string[] {
  const name = hint.slice("hint.".length);
  return [say(`session.hint.${name}`)];
}

const who = (process: string, self: string): string => (process === self ? "" : `@${process}: `);

function resultLines(fields: ResultFields, say: Say): string[] {
  if (typeof fields.error === "string") return [refusal(fields.error, say)];
  if (typeof fields.errno === "string") return [`= -1 ${describeErrno(fields.errno)}`];
  if (typeof fields.cnt === "number") return touchLines(fields, say);
  if (typeof fields.incore === "string") return [`= 0  ${fields.incore}`];
  if (typeof fields.passes === "number") return [fields.passes === 1 ? say("session.onePass") : say("session.passes", { passes: fields.passes })];
  if (typeof fields.val === "string") return [fields.val];
  if (typeof fields.pinned === "number") return [say("session.pinned", { frame: `0x${fields.pinned.toString(16)}` })];
  return [`= ${String(fields.ret).replace(/\+0x0$/, "")}`];
}

function refusal(error: string, say: Say): string {
  if (error === "no such proc") return say("session.noProcess");
  if (error === "not simulated yet") return say("session.later");
  return say("session.notDone", { error });
}

function touchLines(fields: ResultFields, say: Say): string[] {
  const count = Number(fields.cnt);
  const ok = Number(fields.ok);
  const read = typeof fields.val === "number" ? `, ${say("session.read", { value: `0x${fields.val.toString(16).padStart(2, "0")}` })}` : "";
  const signals = (fields.sig ?? []) as readonly SignalRun[];
  const done =
    ok === 0 && count === 1
      ? say("session.touchNone")
      : ok < count
        ? say("session.touchSome", { ok, count })
        : count === 1
          ? say("session.touchOne")
          : say("session.touchAll", { count });
  return [done + read, ...signals.map((run) => signalLine(run, say))];
}

function signalLine({ at, n, sig, code }: SignalRun, say: Say): string {
  const name = code === "128" ? "SI_KERNEL" : code;
  const why = Object.hasOwn(CODES, code) ? say(`session.signal.${CODES[code]}`) : "";
  const args = { signal: sig, code: name, at, count: n, why };
  return n === 1 ? say("session.signalOne", args) : say("session.signalMany", args);
}

function faultLine(faults: Faults, say: Say): string {
  const runs = faults.at ?? [];
  const shown = runs.slice(0, SHOWN_RUNS).map(faultRun).join(", ") + (runs.length > SHOWN_RUNS ? ", ..." : "");
  const taken = faults.pf === 1 ? say("session.faultOne", { at: shown }) : faults.pf > 1 ? say("session.faultMany", { count: faults.pf, at: shown }) : "";
  // populate, mlock and copies fault pages in without an exception of the process
  const inside = faults.min - faults.pf;
  const byKernel = inside > 0 ? say("session.faultInside", { count: inside }) : "";
  return [taken, byKernel].filter((part) => part !== "").join("; ");
}

function faultRun(run: FaultRun): string {
  if (typeof run === "string") return run;
  const [at, count, stride] = run;
  return `${at} (x${count}, ${stride < 0 ? "-" : "+"}0x${Math.abs(stride).toString(16)})`;
}

const signed = (n: number): string => (n > 0 ? `+${n}` : String(n));

function changesOf(outcome: Outcome, self: string): string[] {
  const out = outcome.rss.map(({ process, beforeKb, afterKb }) => `${who(process, self)}VmRSS ${signed(afterKb - beforeKb)} kB (${afterKb} kB)`);
  if (outcome.anonHugeKb !== 0) out.push(`AnonHugePages ${signed(outcome.anonHugeKb)} kB`);
  for (const [name, change] of Object.entries(outcome.counters)) out.push(`${name} ${signed(change)}`);
  return out;
}
