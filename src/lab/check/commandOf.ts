import type { LearnerWorld } from "../../session/learnerWorld.ts";
import type { CallOperation, CallValue } from "../../shell/call/callOperation.ts";
import { parseCall } from "../../shell/call/parseCall.ts";
import { classifyLine } from "../../shell/classifyLine.ts";
import { parseLine } from "../../shell/command/parseLine.ts";
import { ADVICE_NAMES, ADVICE_NUMBERS } from "../../shell/command/words.ts";
import type { Operation, OperationBody, RangeExpr } from "../../shell/operation.ts";
import type { CommandTable } from "../../shell/table/commandTable.ts";
import type { Command } from "./happenings.ts";
import { ReadModel } from "./readModel.ts";

/** A line of the history as a command: the same for both forms of the language. */

const adviceName = (number: number): string => ADVICE_NAMES.find((name) => ADVICE_NUMBERS[name] === number) ?? String(number);

function rangeOf(body: OperationBody): RangeExpr | null {
  if (body.op === "mmap") return { at: body.at ?? { name: body.name, offsetBytes: 0n }, lengthBytes: body.lengthBytes };
  if (body.op === "mremap") return { at: body.at, lengthBytes: body.oldBytes };
  if (body.op === "touch") return { at: body.range.at, lengthBytes: body.range.lengthBytes ?? (body.all ? null : 1n) };
  if ("range" in body) return body.range;
  return "at" in body && "lengthBytes" in body ? { at: body.at, lengthBytes: body.lengthBytes } : null;
}

/** `name`: the word that was typed, which is what an author knows: drop_caches, not dropCaches. */
function ofOperation(name: string, { body }: Operation, model: ReadModel): Pick<Command, "name" | "advice" | "range"> {
  const range = rangeOf(body);
  const advice = body.op === "madvise" ? (typeof body.advice === "number" ? adviceName(body.advice) : body.advice) : null;
  return { name, advice, range: range === null ? null : model.pages(range) };
}

const number = (value: CallValue | undefined): bigint | null => (value?.kind === "value" && value.name === null ? value.offset : null);

/** Calls whose first two arguments are an address and a length. */
const RANGE_CALLS: ReadonlySet<string> = new Set(["munmap", "mprotect", "mremap", "madvise", "mlock", "mlock2", "munlock", "mincore", "msync", "mseal"]);

function ofCall({ call, args, target }: CallOperation, model: ReadModel): Pick<Command, "name" | "advice" | "range"> {
  const advice = call === "madvise" ? number(args[2]) : null;
  const [first] = args;
  const at =
    call === "mmap" && target !== null ? { name: target, offsetBytes: 0n } : first?.kind === "value" ? { name: first.name, offsetBytes: first.offset } : null;
  const hasRange = at !== null && (RANGE_CALLS.has(call) || (call === "mmap" && target !== null));
  return {
    name: call,
    advice: advice === null ? null : adviceName(Number(advice)),
    range: hasRange ? model.pages({ at, lengthBytes: number(args[1]) }) : null,
  };
}

/** What a line asked for, or null when it is no operation and no call. `world`: as it is behind the line. */
export function commandOf(line: string, world: LearnerWorld, table: CommandTable): Pick<Command, "name" | "advice" | "range"> | null {
  const model = new ReadModel(world);
  const addressed = /^\s*@[A-Za-z_][\w.]*\s+(\S.*)$/.exec(line);
  const text = addressed === null ? line : addressed[1];
  const { form } = classifyLine(text, table);
  if (form === "command") {
    const parsed = parseLine(text, 1);
    return parsed.kind === "operation" ? ofOperation(text.trim().split(/\s/, 1)[0], parsed.operation, model) : null;
  }
  if (form === "call") {
    const parsed = parseCall(text, 1, table);
    return parsed.kind === "call" ? ofCall(parsed.operation, model) : null;
  }
  return null;
}
