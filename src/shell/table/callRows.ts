import { familyNames, type ConstantFamily } from "../call/constants.ts";
import type { ArgumentSpec, CommandSpec } from "./commandSpec.ts";
import { PAGE_FACTS } from "./pageFacts.ts";
import { FILE_ROWS } from "./fileCallRows.ts";
import { arg, optional, row, words } from "./rowHelpers.ts";

const ADDR = arg("addr", "address");
const LENGTH = arg("length", "number");

function constants(label: string, family: ConstantFamily, kind: "word" | "flags" = "flags"): ArgumentSpec {
  return words(label, familyNames(family), kind);
}

/** Rows of the C form: system calls as their man pages declare them. */
export const CALL_ROWS: readonly CommandSpec[] = [
  row("call", "mmap", [ADDR, LENGTH, constants("prot", "PROT"), constants("flags", "MAP"), arg("fd", "file"), arg("offset", "number")], PAGE_FACTS.mmap),
  row("call", "munmap", [ADDR, LENGTH], PAGE_FACTS.munmap),
  row("call", "mprotect", [ADDR, LENGTH, constants("prot", "PROT")], PAGE_FACTS.mprotect),
  row(
    "call",
    "mremap",
    [
      arg("old_address", "address"),
      arg("old_size", "number"),
      arg("new_size", "number"),
      constants("flags", "MREMAP"),
      optional(arg("new_address", "address")),
    ],
    PAGE_FACTS.mremap,
  ),
  row("call", "madvise", [ADDR, LENGTH, constants("advice", "MADV", "word")], PAGE_FACTS.madvise),
  row("call", "mlock", [ADDR, LENGTH], PAGE_FACTS.mlock),
  row("call", "mlock2", [ADDR, LENGTH, constants("flags", "MLOCK")], PAGE_FACTS.mlock2),
  row("call", "munlock", [ADDR, LENGTH], PAGE_FACTS.munlock),
  row("call", "mlockall", [constants("flags", "MCL")], PAGE_FACTS.mlockall),
  row("call", "munlockall", [], PAGE_FACTS.munlockall),
  row("call", "mincore", [ADDR, LENGTH, arg("vec", "text")], PAGE_FACTS.mincore),
  row("call", "msync", [ADDR, LENGTH, constants("flags", "MS")], PAGE_FACTS.msync),
  row("call", "mseal", [ADDR, LENGTH, optional(arg("flags", "number"))], PAGE_FACTS.mseal),
  row("call", "brk", [ADDR], PAGE_FACTS.brk),
  row("call", "sbrk", [arg("increment", "number")], { ...PAGE_FACTS.brk, page: "brk", seeAlso: ["brk"] }),
  row(
    "call",
    "prctl",
    [
      constants("option", "PR", "word"),
      optional(arg("arg2", "number")),
      optional(constants("arg3", "PR", "word")),
      optional(arg("arg4", "number")),
      optional(arg("arg5", "number")),
    ],
    PAGE_FACTS.prctl,
  ),
  row("call", "setrlimit", [constants("resource", "RLIMIT", "word"), arg("limit", "text")], PAGE_FACTS.setrlimit),
  row("call", "fork", [], PAGE_FACTS.fork),
  ...FILE_ROWS,
];
