import { arg, optional, repeated, row, words } from "../shell/table/rowHelpers.ts";
import type { CommandSpec } from "../shell/table/commandSpec.ts";

const ADDRESS = arg("ADDRESS", "address");
const LEN = optional(arg("LEN", "number"));

/** Rows of the tools that look at a learner's machine and move through its history. */
export const SESSION_ROWS: readonly CommandSpec[] = [
  row("tool", "pgtable", [ADDRESS], { seeAlso: ["pagemap", "describe"] }),
  row("tool", "pagemap", [ADDRESS, LEN], { seeAlso: ["pgtable", "describe"] }),
  row("tool", "ps", [], { seeAlso: ["fork", "describe"] }),
  row("tool", "dmesg", [], { seeAlso: ["era"] }),
  row("tool", "era", [optional(arg("ID", "text"))], { seeAlso: ["dmesg"] }),
  row("tool", "undo", [], { seeAlso: ["redo", "goto", "history"] }),
  row("tool", "redo", [], { seeAlso: ["undo", "goto", "history"] }),
  row("tool", "goto", [arg("N", "number")], { seeAlso: ["undo", "history"] }),
  row("tool", "history", [], { seeAlso: ["undo", "redo", "goto"] }),
  row("tool", "perf", [words("stat", ["stat"]), arg("COMMAND", "command")], { seeAlso: ["watch", "ps"] }),
  row("tool", "watch", [optional(words("off", ["off"])), optional(repeated(arg("FILE|COUNTER", "path")))], { seeAlso: ["perf", "cat"] }),
  row("tool", "quit", [], { seeAlso: ["exit"] }),
];
