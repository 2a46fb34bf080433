import { FIRST_PROCESS } from "../../shell/command/parseLine.ts";
import { printOperation } from "../../shell/command/printOperation.ts";
import { ADVICE_NUMBERS } from "../../shell/command/words.ts";
import type { OperationBody, RangeExpr } from "../../shell/operation.ts";
import type { CallArguments } from "../callExecute.ts";
import { returnOf, type CallReturn } from "../callText.ts";
import type { ResultFields } from "../execute.ts";
import { fileSteps } from "./fileSteps.ts";
import { shmStep } from "./shmSteps.ts";
import { mmapFlags, numberOf } from "./stepValues.ts";
import type { HistoryNode } from "../historyTree.ts";
import type { LearnerWorld } from "../learnerWorld.ts";
import type { LineRun, SessionSnapshot } from "../lineRunner.ts";

/** The commands that led to a node, as system calls with the numbers they were made with. Whatever form a line had, it becomes one of these. */

export interface StepHead {
  /** number of the node */
  readonly node: number;
  /** as typed */
  readonly command: string;
  /** whose call it was */
  readonly process: string;
  readonly pid: number;
  /** stopped before its end: what it did cannot be said in another form */
  readonly isStopped: boolean;
}

/** `args` are the registers; a returned address or number is `result`, null after an errno. */
export interface CallStep extends StepHead, CallArguments, CallReturn {
  readonly kind: "call";
  readonly call: string;
  /** of mincore: residency as runs, "1x512,0x512" */
  readonly incore: string | null;
  /** of fork: name of the child */
  readonly child: string | null;
  /** the line of a script that this call was made for; "" for a further call of the same line; null: no line yet */
  readonly script: string | null;
}

/** Accesses of the process itself, or of the kernel on its behalf (kread, kwrite). */
export interface AccessStep extends StepHead {
  readonly kind: "access";
  readonly how: "touch" | "kread" | "kwrite";
  readonly mode: "r" | "w" | "x";
  readonly address: bigint;
  readonly lengthBytes: bigint;
  readonly stepBytes: bigint;
  readonly value: number;
  readonly fields: ResultFields;
}

/** The process ends. */
export interface ExitStep extends StepHead {
  readonly kind: "exit";
}

/** What is no call of a program: settings, tools, lines that only changed the shell. */
export interface OtherStep extends StepHead {
  readonly kind: "other";
  /** a kernel file that was set */
  readonly set: { readonly path: string; readonly value: string } | null;
  /** the line of a script that does it, if it was one of the command form */
  readonly script: string | null;
}

export type PathStep = CallStep | AccessStep | ExitStep | OtherStep;

/** One node, after its command was done once more; `world` stands behind it. `pid`: of the process that acted, before the line. */
export function stepsOf(node: HistoryNode<SessionSnapshot>, run: LineRun | null, world: LearnerWorld, pid: number): PathStep[] {
  const head: StepHead = { node: node.id, command: node.command, process: run?.process ?? world.current, pid, isStopped: node.operationsDone !== null };
  const said = run?.said ?? null;
  const other: OtherStep = { ...head, kind: "other", set: null, script: null };
  if (said === null || said.kind === "tool" || head.isStopped || typeof said.fields.error === "string") return [other];
  if (said.kind === "call") return [callStep(head, said.operation.call, said.given, world, said.fields)];
  const { body } = said.operation;
  const onFile = fileSteps({ head, world, fields: said.fields }, body);
  if (onFile !== null) return onFile;
  const script = printOperation({ process: FIRST_PROCESS, body });
  const onSegment = shmStep({ head, world, fields: said.fields }, body, script);
  if (onSegment !== null) return [onSegment];
  return [commandStep(head, body, world, said.fields) ?? { ...other, script }];
}

function callStep(head: StepHead, call: string, given: CallArguments, world: LearnerWorld, fields: ResultFields): CallStep {
  const { errno, stat } = returnOf(fields);
  const child = call === "fork" && errno === null ? String(fields.child ?? fields.ret) : null;
  const task = child === null ? undefined : world.find(child);
  const result = errno !== null ? null : task !== undefined ? BigInt(world.task(task).pid) : numberOf(world, fields.ret);
  const incore = typeof fields.incore === "string" ? fields.incore : null;
  return { ...head, kind: "call", call, ...given, result, errno, stat, incore, child, script: null };
}

/** Calls of the command form on an address and a length, and what stands behind these two. */
const RANGED: Readonly<Record<string, (body: never) => readonly bigint[]>> = {
  munmap: () => [],
  mprotect: (body: { readonly prot: number }) => [BigInt(body.prot)],
  madvise: (body: { readonly advice: keyof typeof ADVICE_NUMBERS | number }) => [
    BigInt(typeof body.advice === "number" ? body.advice : ADVICE_NUMBERS[body.advice]),
  ],
  mlock: () => [],
  munlock: () => [],
  mlock2: (body: { readonly onfault: boolean }) => [body.onfault ? 1n : 0n],
  mincore: () => [0n],
  msync: () => [4n],
  mseal: () => [0n],
};

function commandStep(head: StepHead, body: OperationBody, world: LearnerWorld, fields: ResultFields): PathStep | null {
  const slots = world.slots.copy();
  const call = (name: string, args: readonly bigint[]): CallStep => callStep(head, name, { args, texts: [], limits: null }, world, fields);
  const place = (range: RangeExpr): readonly [bigint, bigint] => {
    const at = slots.resolve(range.at);
    const address = at?.address ?? 0n;
    return [address, range.lengthBytes ?? slots.defaultLength(address, at?.slot)];
  };
  if ("range" in body && Object.hasOwn(RANGED, body.op)) return call(body.op, [...place(body.range), ...RANGED[body.op](body as never)]);
  switch (body.op) {
    case "mmap": {
      const anywhere = body.flags.includes("noaddr");
      const at = anywhere ? 0n : (slots.resolve(body.at ?? { name: body.name, offsetBytes: 0n })?.address ?? 0n);
      return call("mmap", [at, body.lengthBytes, BigInt(body.prot), BigInt(mmapFlags(body)), -1n, body.offsetBytes]);
    }
    case "mremap": {
      const target = body.fixed === null ? 0n : (slots.resolve(body.fixed)?.address ?? 0n);
      const flags = (body.mayMove ? 1n : 0n) | (body.fixed === null ? 0n : 2n) | (body.dontUnmap ? 4n : 0n);
      return call("mremap", [slots.resolve(body.at)?.address ?? 0n, body.oldBytes, body.newBytes, flags, target]);
    }
    case "mlockall":
      return call("mlockall", [(body.current ? 1n : 0n) | (body.future ? 2n : 0n) | (body.onfault ? 4n : 0n)]);
    case "munlockall":
    case "fork":
      return call(body.op, []);
    case "brk":
      return call("sbrk", [body.deltaBytes]);
    case "prctl":
      if (body.what === "get_thp_disable") return call("prctl", [42n, 0n, 0n, 0n, 0n]);
      if (body.what !== "thp_disable") return null;
      return call("prctl", body.value === "except" ? [41n, 1n, 2n, 0n, 0n] : [41n, BigInt(body.value), 0n, 0n, 0n]);
    case "rlimit": {
      const resource = { data: 2n, memlock: 8n, as: 9n }[body.resource];
      return { ...call("setrlimit", [resource, 0n]), limits: [body.bytes, body.bytes] };
    }
    case "exit":
      return { ...head, kind: "exit" };
    case "sysSet":
      return { ...head, kind: "other", set: { path: body.path, value: body.value }, script: null };
    case "touch": {
      const [address, all] = place(body.range);
      const lengthBytes = body.range.lengthBytes ?? (body.all ? all : 1n);
      return { ...head, kind: "access", how: "touch", mode: body.mode, address, lengthBytes, stepBytes: body.stepBytes, value: body.value, fields };
    }
    case "kread":
    case "kwrite": {
      const address = slots.resolve(body.at)?.address ?? 0n;
      const mode = body.op === "kread" ? "w" : "r";
      return { ...head, kind: "access", how: body.op, mode, address, lengthBytes: body.lengthBytes, stepBytes: 1n, value: 0, fields };
    }
    default:
      return null;
  }
}
