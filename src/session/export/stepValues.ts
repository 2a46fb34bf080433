import { MAP } from "../../kernel/mm/mmap.ts";
import { TokenCursor } from "../../shell/command/tokenCursor.ts";
import type { OperationBody } from "../../shell/operation.ts";
import { FLAG_BITS } from "../execute.ts";
import type { LearnerWorld } from "../learnerWorld.ts";

/** Numbers of calls that lines of the command form stand for. */

/** A result as a number: calls of the command form return addresses as text. */
export function numberOf(world: LearnerWorld, ret: unknown): bigint | null {
  if (typeof ret === "bigint") return ret;
  if (typeof ret === "number") return BigInt(ret);
  return typeof ret === "string" ? addressOf(world, ret) : null;
}

function addressOf(world: LearnerWorld, text: string): bigint | null {
  const cursor = new TokenCursor([{ text, column: 1 }], 1, text.length + 1, "ADDRESS");
  const at = cursor.address("ADDRESS");
  return cursor.error === null ? (world.slots.copy().resolve(at)?.address ?? null) : null;
}

/** MAP_* bits of mmap in the command form, which puts what it maps at the place of its name. */
export function mmapFlags(body: Extract<OperationBody, { op: "mmap" }>): number {
  const flags = body.flags.reduce((bits, flag) => bits | FLAG_BITS[flag], 0);
  if (body.flags.includes("noaddr")) return flags;
  return flags | (body.flags.includes("fixed") ? MAP.fixed : MAP.fixedNoReplace);
}
