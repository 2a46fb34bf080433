import type { CommandSpec } from "./commandSpec.ts";
import { arg, optional, repeated, row, words } from "./rowHelpers.ts";

const FILES = optional(repeated(arg("FILE", "path")));

/** Rows of the shell's tools. */
export const TOOL_ROWS: readonly CommandSpec[] = [
  row("tool", "cat", [optional(words("-n", ["-n"])), FILES], { seeAlso: ["head", "grep"] }),
  row("tool", "echo", [optional(words("-n", ["-n"])), optional(repeated(arg("TEXT", "text")))], { seeAlso: ["cat"] }),
  row("tool", "grep", [optional(repeated(words("-ivncEFq", ["-i", "-v", "-n", "-c", "-E", "-F", "-q", "-A", "-B", "-C"]))), arg("PATTERN", "text"), FILES], {
    seeAlso: ["cat", "wc"],
  }),
  row("tool", "head", [optional(words("-n N", ["-n"])), FILES], { seeAlso: ["tail"] }),
  row("tool", "tail", [optional(words("-n N", ["-n"])), FILES], { seeAlso: ["head"] }),
  row("tool", "wc", [optional(words("-lwc", ["-l", "-w", "-c"])), FILES], { seeAlso: ["grep"] }),
  row("tool", "sort", [optional(words("-nru", ["-n", "-r", "-u", "-k", "-t"])), FILES], { seeAlso: ["uniq"] }),
  row("tool", "uniq", [optional(words("-cdu", ["-c", "-d", "-u"])), optional(arg("FILE", "path"))], { seeAlso: ["sort"] }),
  row("tool", "cut", [words("-d C -f LIST|-c LIST", ["-d", "-f", "-c"]), FILES], { seeAlso: ["tr"] }),
  row("tool", "tr", [optional(words("-ds", ["-d", "-s"])), arg("SET", "text"), optional(arg("SET", "text"))], { seeAlso: ["cut"] }),
  row("tool", "true", [], { seeAlso: ["false"] }),
  row("tool", "false", [], { seeAlso: ["true"] }),
  row("tool", "ls", [optional(words("-1Fl", ["-1", "-F", "-l"])), FILES], { seeAlso: ["cd", "pwd"] }),
  row("tool", "pwd", [], { seeAlso: ["cd", "ls"] }),
  row("tool", "cd", [optional(arg("DIR", "path"))], { seeAlso: ["pwd", "ls"] }),
  row("tool", "man", [optional(words("SECTION", ["1", "2"])), arg("NAME", "command")], { seeAlso: ["help"] }),
  row("tool", "help", [optional(arg("NAME", "command"))], { seeAlso: ["man"] }),
];
