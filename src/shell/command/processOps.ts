import type { OperationBody } from "../operation.ts";
import type { BodyParser, BodyParsers } from "./bodyParser.ts";
import { shorten, startsWithDigit } from "./tokenCursor.ts";

/** prctl takes 64-bit values; above this a JavaScript number is no longer exact */
const MOST_EXACT = Number.MAX_SAFE_INTEGER;
const PRCTL_NAMES = ["thp_disable", "get_thp_disable", "memory_merge"] as const;

const prctl: BodyParser = (cursor): OperationBody => {
  const token = cursor.word("OPTION");
  switch (token.text) {
    case "thp_disable":
      if (cursor.accept("except")) return { op: "prctl", what: "thp_disable", value: "except" };
      return { op: "prctl", what: "thp_disable", value: cursor.smallNumber("VALUE", MOST_EXACT) };
    case "get_thp_disable":
      cursor.smallNumber("VALUE", MOST_EXACT);
      return { op: "prctl", what: "get_thp_disable" };
    case "memory_merge":
      return { op: "prctl", what: "memory_merge", value: cursor.smallNumber("VALUE", MOST_EXACT) };
    default: {
      const known = startsWithDigit(token.text, 0);
      if (!known) cursor.failChoice(token, "OPTION", PRCTL_NAMES);
      const number = known ? cursor.smallNumberIn(token, 0, "OPTION", 0x7fffffff) : 0;
      return { op: "prctl", what: "other", number, value: cursor.smallNumber("VALUE", MOST_EXACT) };
    }
  }
};

const rlimit: BodyParser = (cursor) => {
  const resource = cursor.choice("RESOURCE", ["memlock", "as", "data"]) ?? "memlock";
  return { op: "rlimit", resource, bytes: cursor.number("BYTES") };
};

const brk: BodyParser = (cursor) => {
  const token = cursor.word("DELTA");
  const sign = token.text[0];
  const from = sign === "+" || sign === "-" ? 1 : 0;
  const bytes = cursor.numberIn(token, from, "DELTA");
  return { op: "brk", deltaBytes: sign === "-" ? -bytes : bytes };
};

const fork: BodyParser = (cursor) => {
  const token = cursor.word("NAME");
  if (cursor.error === null && !isProcessName(token.text)) cursor.fail(token, "shell.badProcessName", { word: shorten(token.text) });
  return { op: "fork", child: token.text };
};

/** A process name: what may stand behind `@`, at most 15 characters. */
export function isProcessName(text: string): boolean {
  return /^[\w.]{1,15}$/.test(text);
}

/** Operations on processes. */
export const processOps: BodyParsers = {
  prctl,
  rlimit,
  brk,
  fork,
  exit: () => ({ op: "exit" }),
  resume: () => ({ op: "resume" }),
  kill: () => ({ op: "kill" }),
};
