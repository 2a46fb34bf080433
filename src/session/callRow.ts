import { failed, type Errno, type Result } from "../kernel/mm/errno.ts";
import type { Task } from "../kernel/mm/records.ts";
import type { Op } from "../kernel/sched/points.ts";
import type { CallOperation } from "../shell/call/callOperation.ts";
import type { ConstantFamily, FlagFamily } from "../shell/call/constants.ts";
import type { ResultFields } from "./execute.ts";
import type { LearnerWorld } from "./learnerWorld.ts";

/** A row of the C form: how a call is carried out, and how its arguments are printed. */

export const u64 = (n: bigint): bigint => BigInt.asUintN(64, n);
export const int = (n: bigint): number => Number(BigInt.asIntN(32, n));
export const LATER: ResultFields = { error: "not simulated yet" };

/** A call with its arguments as numbers. Missing ones are 0, as registers that nobody set. */
export interface Call {
  readonly world: LearnerWorld;
  readonly task: Task;
  readonly args: readonly bigint[];
  /** of each argument the text that was typed for it (paths as absolute ones), or null */
  readonly texts: readonly (string | null)[];
  readonly operation: CallOperation;
}

type SingleFamily = Extract<ConstantFamily, "MADV" | "PR" | "RLIMIT" | "SEEK" | "FADV" | "IPC">;

/**
 * How an argument is printed: as an address, a signed number, flags or a constant of a family; "path" and "name" as text, "buffer" as an
 * address or text, "dir" as AT_FDCWD or a number, "stat" by what came back.
 */
export type Show =
  "address" | "number" | "int" | "fd" | "key" | "shmid" | "mode" | "vec" | "limit" | "path" | "name" | "buffer" | "dir" | "stat" | FlagFamily | SingleFamily;

export interface CallRow {
  readonly show: readonly Show[];
  readonly run: (call: Call) => Op<ResultFields>;
  /** the result is an address */
  readonly returnsAddress?: boolean;
}

export const refuse = (errno: Errno, hint?: string): ResultFields => ({ ret: -1, errno, ...(hint === undefined ? {} : { hint }) });
export const result = (r: Result<number | bigint>): ResultFields => (failed(r) ? refuse(r.errno, r.hint) : { ret: r });
