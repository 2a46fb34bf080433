import { constantValue } from "../../shell/call/constants.ts";
import { printArguments } from "../callText.ts";
import { C_FILES, fileStatements } from "./cFiles.ts";
import { C_MOVE, C_TOUCH, cPreamble } from "./cPreamble.ts";
import { C_SHM, shmStatements } from "./shmSteps.ts";
import type { ExportMachine } from "./exportPath.ts";
import type { AccessStep, CallStep, PathStep } from "./pathSteps.ts";

/**
 * The session as a C program. Each call is made with the addresses of the session and prints what it returned; a child made by fork goes
 * through the same steps and does those that are its own, when it is their turn.
 */

type Say = (key: string, args?: Readonly<Record<string, string | number>>) => string;

export function cText(steps: readonly PathStep[], heading: readonly string[], machine: ExportMachine, say: Say): string {
  const processes = new Map<string, number>([["P", 0]]);
  const used = new Set<string>();
  let turn = 0;
  const blocks = steps.map((step, place): string => {
    // a line may have made several calls
    const comment = place > 0 && steps[place - 1].node === step.node ? "" : `  /* ${safe(step.command)} */`;
    const found = step.isStopped ? null : statements(step, processes);
    if (found === null) return `  /* ${safe(reason(step, say))} */`;
    for (const line of found)
      for (const [name] of line.matchAll(/\b(?:PROT|MAP|MREMAP|MADV|MCL|MS|MLOCK|PR|RLIMIT|RLIM|FALLOC|MFD|SEEK|SHM)_[A-Z0-9_]+/g)) used.add(name);
    const who = processes.get(step.process) ?? 0;
    const i = turn++;
    const lines = [comment, `  if (begin(${i}, ${who})) {`, ...found.map((line) => `    ${line}`), `    end(${i});`, "  }"];
    return lines.filter((line) => line !== "").join("\n");
  });
  const settings = machine.config.map(([path, value]) => say("session.export.setting", { path, value }));
  const vectorPages = steps.reduce(
    (most, step) => (step.kind === "call" && step.call === "mincore" && step.args[1] / 4096n + 1n > most ? step.args[1] / 4096n + 1n : most),
    1n,
  );
  const usesMove = blocks.some((block) => block.includes("say_moved("));
  if (usesMove) used.add("MREMAP_FIXED").add("MAP_FIXED_NOREPLACE");
  const usesAccess = steps.some((step) => step.kind === "access" && !step.isStopped);
  const usesVector = steps.some((step) => step.kind === "call" && step.call === "mincore" && !step.isStopped);
  return [
    ...[...heading, ...settings].map((line) => `/* ${safe(line)} */`),
    cPreamble(definitions(used)),
    usesVector ? vectorText(vectorPages > 1n << 24n ? 1n << 24n : vectorPages) : "",
    usesMove ? C_MOVE : "",
    usesAccess ? C_TOUCH : "",
    blocks.some((block) => /\b(?:fd|say_fd|scratch)\(/.test(block)) ? C_FILES : "",
    blocks.some((block) => /\bsegment\(|say_segment\(/.test(block)) ? C_SHM : "",
    "int main(void) {",
    "  start();",
    ...blocks,
    "  return finish();",
    "}",
    "",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** Constants that an older header may not have. */
const definitions = (used: ReadonlySet<string>): string =>
  [...used]
    .sort()
    .flatMap((name) => {
      const value = constantValue(name);
      return value === null || name.startsWith("RLIM") ? [] : [`#ifndef ${name}`, `#define ${name} ${value > 0x7fffffffn ? `${value}ul` : value}`, "#endif"];
    })
    .join("\n");

function reason(step: PathStep, say: Say): string {
  if (step.isStopped) return say("session.export.stopped", { command: step.command });
  if (step.kind === "other" && step.set !== null) return say("session.export.setting", step.set);
  return say("session.export.tool", { command: step.command });
}

/** For a comment: nothing ends it, nothing continues it on the next line. */
const safe = (text: string): string =>
  text
    .replace(/[\p{Cc}\\]/gu, "?")
    .replace(/\*\//g, "* /")
    .replace(/\/\*/g, "/ *")
    .replace(/\?\?/g, "? ?");

const address = (value: bigint): string => `(void *)0x${BigInt.asUintN(64, value).toString(16)}ul`;
const offset = (value: bigint): string => `(off_t)${BigInt.asUintN(64, value)}ul`;
const length = (value: bigint): string => `${BigInt.asUintN(64, value)}ul`;

/** C statements of a step, null when it is nothing a program can do. `processes` learns the children. */
function statements(step: PathStep, processes: Map<string, number>): string[] | null {
  switch (step.kind) {
    case "call":
      return callStatements(step, processes);
    case "access":
      return accessStatements(step);
    case "exit":
      return ["say_exit();"];
    case "other":
      return null;
  }
}

function callStatements(step: CallStep, processes: Map<string, number>): string[] | null {
  const { call, args, limits, result } = step;
  const own = fileStatements(step) ?? shmStatements(step);
  if (own !== undefined) return own;
  const shown = printArguments(call, step).map((text) => (/^\d{10,}$/.test(text) ? `${text}ul` : text));
  const range = `${address(args[0] ?? 0n)}, ${length(args[1] ?? 0n)}`;
  switch (call) {
    case "mmap": {
      // what the kernel placed in the session goes to the same place, or the call says that it is taken
      const chosen = (args[3] & 0x100010n) === 0n && result !== null;
      const flags = chosen ? `${shown[3]}|MAP_FIXED_NOREPLACE` : shown[3];
      return [
        `say_address("mmap", mmap(${address(chosen ? result : args[0])}, ${length(args[1])}, ${shown[2]}, ${flags}, ${args[4] < 0n ? "-1" : `fd(${shown[4]})`}, ${offset(args[5])}));`,
      ];
    }
    case "munmap":
    case "mlock":
    case "munlock":
      return [`say("${call}", ${call}(${range}));`];
    case "mprotect":
    case "madvise":
    case "msync":
      return [`say("${call}", ${call}(${range}, ${shown[2] ?? "0"}));`];
    case "mlock2":
    case "mseal":
      return [`say("${call}", syscall(SYS_${call}, ${range}, ${shown[2] ?? "0"}));`];
    case "mincore":
      return [`say_vector(mincore(${range}, vector), ${length(args[1])});`];
    case "mremap": {
      const from = `${address(args[0])}, ${length(args[1])}, ${length(args[2])}, ${shown[3]}`;
      // as mmap: where the kernel put it in the session, if that is free here
      const moved = (args[3] & 2n) === 0n && result !== null && result !== args[0];
      if (moved) return [`say_moved(${from}, ${address(result)});`];
      const target = (args[3] & 6n) !== 0n ? `, ${address(args[4] ?? 0n)}` : "";
      return [`say_address("mremap", mremap(${from}${target}));`];
    }
    case "mlockall":
      return [`say("mlockall", mlockall(${shown[0]}));`];
    case "munlockall":
      return ['say("munlockall", munlockall());'];
    case "sbrk":
      return [`say("sbrk", sbrk(${shown[0]}) == (void *)-1 ? -1 : 0);`];
    case "prctl":
      return [`say("prctl", prctl(${[0, 1, 2, 3, 4].map((i) => shown[i] ?? "0").join(", ")}));`];
    case "setrlimit":
      if (limits === null) return null;
      return [`struct rlimit limit = {${limits.map((each) => `${each}ul`).join(", ")}};`, `say("setrlimit", setrlimit(${shown[0]}, &limit));`];
    case "fork": {
      if (step.child === null) return null;
      const child = processes.size;
      processes.set(step.child, child);
      return [`make_child(${child});`];
    }
    default:
      // brk(2): where the heap of this program lies is not where it lay in the session
      return null;
  }
}

function accessStatements({ how, mode, address: start, lengthBytes, stepBytes, value }: AccessStep): string[] {
  const range = `0x${BigInt.asUintN(64, start).toString(16)}ul, ${length(lengthBytes)}`;
  if (how !== "touch") return [`${how}(${range});`];
  return mode === "x" ? [`run_code(0x${BigInt.asUintN(64, start).toString(16)}ul);`] : [`touch(${range}, ${length(stepBytes)}, '${mode}', ${value});`];
}

const vectorText = (pages: bigint): string => `
static unsigned char vector[${pages}];

/* residency as runs: 1x512,0x512 */
static void say_vector(int result, unsigned long bytes) {
  unsigned long n = bytes / 4096 + (bytes % 4096 != 0), i = 0;
  if (result != 0) {
    say("mincore", result);
    return;
  }
  printf("%d mincore = 0 ", step);
  while (i < n) {
    unsigned long j = i;
    while (j < n && (vector[j] & 1) == (vector[i] & 1)) j++;
    printf("%s%dx%lu", i > 0 ? "," : "", vector[i] & 1, j - i);
    i = j;
  }
  printf("\\n");
}`;
