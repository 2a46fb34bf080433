import { FALLOC } from "../../kernel/mm/shmemFile.ts";
import { MAP } from "../../kernel/mm/mmap.ts";
import { FIRST_PROCESS } from "../../shell/command/parseLine.ts";
import { printOperation } from "../../shell/command/printOperation.ts";
import { FADVISE_NUMBERS } from "../../shell/command/words.ts";
import type { OperationBody } from "../../shell/operation.ts";
import type { CallReturn } from "../callText.ts";
import type { ResultFields } from "../execute.ts";
import type { LearnerWorld } from "../learnerWorld.ts";
import type { CallStep, PathStep, StepHead } from "./pathSteps.ts";
import { mmapFlags, numberOf } from "./stepValues.ts";

/**
 * Operations of the command form on files, as the system calls that they stand for: the file is opened, the call made, the file closed.
 * A memfd of a script stays open, at a number that no call of the C form is given by itself.
 */

/** What a line did; `world` stands behind it. */
export interface DoneLine {
  readonly head: StepHead;
  readonly world: LearnerWorld;
  readonly fields: ResultFields;
}

/** the first descriptor of the memfds of scripts */
const HELD = 200n;
/** characters of a text that strace prints of a buffer */
const SHOWN = 32;
const RDWR = 2n;
const CREAT = 0o100n;

type Outcome = Pick<CallReturn, "errno" | "result">;
type FileBody = Extract<
  OperationBody,
  { op: "mmap" | "falloc" | "truncate" | "fwrite" | "fread" | "fadvise" | "fsync" | "file" | "unlink" | "memfd" | "memfdClose" }
>;

/** Steps of a line of the command form on files; null where it is none, or where the process has no way to the file. */
export function fileSteps(done: DoneLine, body: OperationBody): PathStep[] | null {
  const { world, fields } = done;
  const errno = typeof fields.errno === "string" ? fields.errno : null;
  const outcome: Outcome = { errno, result: errno === null ? numberOf(world, fields.ret) : null };
  const on = (which: FileBody & { readonly file: string | null }, readOnly: boolean, call: (fd: bigint) => Made): CallStep[] | null =>
    opened(done, which, readOnly, fields.what === "open" ? null : call, outcome);
  switch (body.op) {
    case "mmap":
      return body.file === null ? null : on(body, body.readOnlyFile, mapping(done, body));
    case "falloc":
      return on(body, false, (fd) => ({ call: "fallocate", args: [fd, BigInt(FALLOC_MODES[body.mode]), body.offsetBytes, body.lengthBytes] }));
    case "truncate":
      return on(body, false, (fd) => ({ call: "ftruncate", args: [fd, body.bytes] }));
    case "fadvise":
      return on(body, true, (fd) => ({ call: "fadvise64", args: [fd, body.offsetBytes, body.lengthBytes, BigInt(FADVISE_NUMBERS[body.advice])] }));
    case "fsync":
      return on(body, false, (fd) => ({ call: "fsync", args: [fd] }));
    case "fwrite": {
      const text = String.fromCharCode(body.value).repeat(Number(body.lengthBytes < BigInt(SHOWN) ? body.lengthBytes : BigInt(SHOWN)));
      return on(body, false, (fd) => ({ call: "pwrite64", args: [fd, 0n, body.lengthBytes, body.offsetBytes], text }));
    }
    case "fread":
      return on(body, true, (fd) => ({ call: "pread64", args: [fd, 0n, body.lengthBytes, body.offsetBytes], text: "" }));
    case "file":
      return made(done, body, outcome);
    case "unlink": {
      const file = world.files.get(body.name) ?? { path: body.name };
      if (!("path" in file)) return null;
      return callSteps(done, body, [[{ call: "unlink", args: [0n] }, outcome]]).map((step) => ({ ...step, texts: [file.path] }));
    }
    case "memfd":
    case "memfdClose":
      return held(done, body, outcome);
    default:
      return null;
  }
}

const FALLOC_MODES = {
  alloc: 0,
  keep: FALLOC.keepSize,
  punch: FALLOC.punchHole | FALLOC.keepSize,
  zero: FALLOC.zeroRange,
  collapse: FALLOC.collapseRange,
} as const;

/** A call with its registers, and the text behind its second one. */
interface Made {
  readonly call: string;
  readonly args: readonly bigint[];
  readonly text?: string;
}

function callSteps(done: DoneLine, body: OperationBody, calls: readonly (readonly [Made, Outcome])[]): CallStep[] {
  const line = printOperation({ process: FIRST_PROCESS, body });
  return calls.map(([{ call, args, text }, { errno, result }], i) => ({
    ...done.head,
    kind: "call",
    call,
    args,
    texts: text === undefined ? [] : [null, text],
    limits: null,
    errno,
    result,
    stat: null,
    incore: null,
    child: null,
    script: i === 0 ? line : "",
  }));
}

const OK: Outcome = { errno: null, result: 0n };
const opening = (path: string, flags: bigint): Made => ({ call: "openat", args: [-100n, 0n, flags, (flags & CREAT) === 0n ? 0n : 0o644n], text: path });
const closing = (fd: bigint): Made => ({ call: "close", args: [fd] });

/** The number that open(2) would give the process. */
function nextFd({ world, head }: DoneLine): bigint {
  const process = world.find(head.process);
  let fd = 0;
  for (const d of process === undefined ? [] : world.task(process).fds) if (d.fd === fd) fd++;
  return BigInt(fd);
}

/** The number that a memfd of a script has in exports. */
const heldFd = (world: LearnerWorld, name: string): bigint => HELD + BigInt([...world.files.keys()].indexOf(name));

function opened(
  done: DoneLine,
  body: FileBody & { readonly file: string | null },
  readOnly: boolean,
  call: ((fd: bigint) => Made) | null,
  outcome: Outcome,
): CallStep[] | null {
  const name = body.file ?? "";
  const file = done.world.files.get(name) ?? { path: name };
  if ("later" in file || "shmid" in file) return null;
  if ("held" in file) return call === null ? null : callSteps(done, body, [[call(heldFd(done.world, name)), outcome]]);
  const open = opening(file.path, readOnly ? 0n : RDWR);
  if (call === null) return callSteps(done, body, [[open, outcome]]);
  const fd = nextFd(done);
  return callSteps(done, body, [
    [open, { errno: null, result: fd }],
    [call(fd), outcome],
    [closing(fd), OK],
  ]);
}

function mapping({ world }: DoneLine, body: Extract<OperationBody, { op: "mmap" }>): (fd: bigint) => Made {
  const at = body.flags.includes("noaddr") ? 0n : (world.slots.copy().resolve(body.at ?? { name: body.name, offsetBytes: 0n })?.address ?? 0n);
  // with a file the recorder leaves MAP_ANONYMOUS out
  const flags = BigInt(mmapFlags(body) & ~MAP.anonymous);
  return (fd) => ({ call: "mmap", args: [at, body.lengthBytes, BigInt(body.prot), flags, fd, body.offsetBytes] });
}

function made(done: DoneLine, body: Extract<FileBody, { op: "file" }>, outcome: Outcome): CallStep[] | null {
  const file = done.world.files.get(body.name);
  if (file === undefined || !("path" in file) || outcome.errno !== null) return null;
  const fd = nextFd(done);
  return callSteps(done, body, [
    [opening(file.path, RDWR | CREAT), { errno: null, result: fd }],
    ...(body.bytes === null ? [] : [[{ call: "ftruncate", args: [fd, body.bytes] }, OK] as const]),
    [closing(fd), OK],
  ]);
}

function held(done: DoneLine, body: Extract<FileBody, { op: "memfd" | "memfdClose" }>, outcome: Outcome): CallStep[] | null {
  if (outcome.errno !== null) return null;
  const fd = heldFd(done.world, body.name);
  if (body.op === "memfdClose") return callSteps(done, body, [[closing(fd), OK]]);
  const create: CallStep[] = callSteps(done, body, [
    [
      { call: "memfd_create", args: [0n, 0n] },
      { errno: null, result: fd },
    ],
    [{ call: "ftruncate", args: [fd, body.bytes] }, OK],
  ]);
  return [{ ...create[0], texts: [body.name] }, create[1]];
}
