import { IPC } from "../../kernel/ipc/shm.ts";
import { printNumber } from "../../shell/numbers.ts";
import { printArguments, type CallReturn } from "../callText.ts";
import { SHMAT_BITS, shmgetFlags } from "../shmOperations.ts";
import type { OperationBody } from "../../shell/operation.ts";
import type { DoneLine } from "./fileSteps.ts";
import type { CallStep } from "./pathSteps.ts";
import { numberOf } from "./stepValues.ts";

/** SysV shared memory in exports: lines of the command form as calls, calls as C and as lines of a script. */

type ShmBody = Extract<OperationBody, { op: "shmget" | "shmat" | "shmdt" | "shmctl" }>;

/** The call that a line of the command form made; null for another line, and for one on a name that stands for no segment. */
export function shmStep({ head, world, fields }: DoneLine, body: OperationBody, script: string): CallStep | null {
  if (body.op !== "shmget" && body.op !== "shmat" && body.op !== "shmdt" && body.op !== "shmctl") return null;
  const name = body.op === "shmget" ? body.name : body.op === "shmdt" ? null : body.segment;
  const file = name === null ? undefined : world.files.get(name);
  const id = file !== undefined && "shmid" in file ? BigInt(file.shmid) : -1n;
  const errno = typeof fields.errno === "string" ? fields.errno : null;
  const result = errno !== null ? null : body.op === "shmget" ? id : numberOf(world, fields.ret);
  const back: CallReturn = { errno, result, stat: null };
  const args = argumentsOf(world.slots.copy(), body, id);
  return { ...head, kind: "call", call: body.op, args, texts: [], limits: null, ...back, incore: null, child: null, script };
}

function argumentsOf(slots: DoneLine["world"]["slots"], body: ShmBody, id: bigint): readonly bigint[] {
  switch (body.op) {
    case "shmget":
      return [BigInt(body.key), body.bytes, BigInt(shmgetFlags(body))];
    case "shmat": {
      const at = body.flags.includes("noaddr") ? 0n : (slots.resolve(body.at ?? { name: body.name, offsetBytes: 0n })?.address ?? 0n);
      return [id, at, BigInt(body.flags.reduce((bits, flag) => bits | SHMAT_BITS[flag], 0))];
    }
    case "shmdt":
      return [slots.resolve(body.at)?.address ?? 0n];
    case "shmctl":
      return [id, BigInt(body.call === "rmid" ? IPC.rmid : IPC.stat), 0n];
  }
}

/** Ids of the session stand for those that the program gets itself. What it leaves behind outlives it, as on any Linux. */
export const C_SHM = `
static struct { int session, own; } segments[256];
static int nsegments;

static int segment(int id) {
  for (int i = nsegments - 1; i >= 0; i--)
    if (segments[i].session == id) return segments[i].own;
  return -1;
}

__attribute__((unused)) static void say_segment(int id, int own) {
  if (own >= 0 && nsegments < 256) {
    segments[nsegments].session = id;
    segments[nsegments++].own = own;
  }
  say("shmget", own < 0 ? -1 : id);
}
`;

const address = (value: bigint): string => `(void *)0x${BigInt.asUintN(64, value).toString(16)}ul`;

/** Statements of a call on segments; undefined for another call. Addresses that the kernel chose are those of the session. */
export function shmStatements(step: CallStep): string[] | undefined {
  const { call, args, result } = step;
  const shown = printArguments(call, step);
  switch (call) {
    case "shmget":
      return [`say_segment(${result ?? -1n}, shmget(${shown[0]}, ${BigInt.asUintN(64, args[1])}ul, ${shown[2]}));`];
    case "shmat":
      return [`say_address("shmat", shmat(segment(${shown[0]}), ${address(args[1] === 0n && result !== null ? result : args[1])}, ${shown[2]}));`];
    case "shmdt":
      return [`say("shmdt", shmdt(${address(args[0])}));`];
    case "shmctl":
      return ["struct shmid_ds ds;", `say("shmctl", shmctl(segment(${shown[0]}), ${shown[1]}, &ds));`];
    default:
      return undefined;
  }
}

/** Flags of shmget and shmat as words of a script; null where the grammar has none. */
function flagWords(flags: bigint, words: Readonly<Record<string, number>>): string | null {
  let rest = flags;
  const out: string[] = [];
  for (const [word, bit] of Object.entries(words)) {
    if (bit === 0 || (rest & BigInt(bit)) === 0n) continue;
    out.push(` ${word}`);
    rest &= ~BigInt(bit);
  }
  return rest === 0n ? out.join("") : null;
}

const SHMGET_BITS = { create: IPC.creat, excl: IPC.excl, noreserve: 0o10000 } as const;

/** The line of a script for a call on segments, whose names are `S` and the id; undefined for another call. `place`: an address as a word; `free`: a name for what the kernel would have placed. */
export function shmLine(step: CallStep, place: (address: bigint) => string, free: string): string | null | undefined {
  const { call, args, result } = step;
  switch (call) {
    case "shmget": {
      const words = flagWords(args[2] & ~0o777n, SHMGET_BITS);
      if (words === null || args[0] < 0n) return null;
      const name = result === null ? "S" : `S${result}`;
      return `shmget ${name} ${printNumber(BigInt.asUintN(64, args[1]))}${args[0] === 0n ? "" : ` key=${args[0]}`}${words}`;
    }
    case "shmat": {
      const words = flagWords(args[2], SHMAT_BITS);
      if (words === null || args[0] < 0n) return null;
      if (args[1] === 0n && result === null) return `shmat ${free} S${args[0]}${words} noaddr`;
      const at = place(args[1] === 0n && result !== null ? result : args[1]);
      const name = /^[A-Za-z_]\w*/.exec(at)?.[0];
      return name === undefined ? null : `shmat ${name} S${args[0]}${words}${at === name ? "" : ` at=${at}`}`;
    }
    case "shmdt":
      return `shmdt ${place(args[0])}`;
    case "shmctl":
      return args[0] < 0n || args[1] > 2n || args[1] === 1n ? null : `shmctl S${args[0]} ${args[1] === 0n ? "rmid" : "stat"}`;
    default:
      return undefined;
  }
}
