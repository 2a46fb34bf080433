import { closest } from "../editDistance.ts";
import { helpText, manPage } from "../man/manPage.ts";
import { absolutePath, type DirectoryEntry } from "./fileAccess.ts";
import { failure, splitOptions, success, textOfLines, type Tool } from "./tool.ts";

const HOME = "/";

const ls: Tool = (args, _stdin, context) => {
  const options = splitOptions(args, "1laFd");
  if (options.unknown !== null) return failure("shell.tool.option", { tool: "ls", option: options.unknown }, 2);
  const paths = options.operands.length === 0 ? ["."] : options.operands;
  const output: string[] = [];
  const errors: { key: string; args: Record<string, string> }[] = [];
  for (const path of paths) {
    const listed = context.files.list(absolutePath(path, context.directory));
    if (listed.kind === "entries" && !options.flags.has("d")) {
      if (paths.length > 1) output.push(`${output.length > 0 ? "\n" : ""}${path}:`);
      output.push(...listed.entries.map((entry) => shown(entry, options.flags)).sort());
    } else if (listed.kind === "entries" || listed.errno === "ENOTDIR") output.push(path);
    else errors.push({ key: "shell.tool.file", args: { tool: "ls", path, errno: listed.errno } });
  }
  return { stdout: textOfLines(output), errors, status: errors.length > 0 ? 2 : 0 };
};

function shown(entry: DirectoryEntry, flags: ReadonlySet<string>): string {
  if (entry.link !== undefined && flags.has("l")) return `${entry.name} -> ${entry.link}`;
  return entry.directory && (flags.has("F") || flags.has("l")) ? `${entry.name}/` : entry.name;
}

const pwd: Tool = (_args, _stdin, context) => success(`${context.directory}\n`);

const cd: Tool = (args, _stdin, context) => {
  if (args.length > 1) return failure("shell.tool.tooManyOperands", { tool: "cd" });
  const directory = absolutePath(args[0] ?? HOME, context.directory);
  const listed = context.files.list(directory);
  if (listed.kind === "errno") return failure("shell.tool.file", { tool: "cd", path: args[0] ?? HOME, errno: listed.errno });
  return { stdout: "", errors: [], status: 0, directory };
};

/** `man [SECTION] NAME`. */
const man: Tool = (args, _stdin, context) => {
  const withSection = args.length > 1 && /^\d$/.test(args[0]);
  const name = withSection ? args[1] : args[0];
  if (name === undefined) return failure("shell.tool.missingOperand", { tool: "man", what: "NAME" });
  const page = manPage(context.table, name, context.language, withSection ? Number(args[0]) : null);
  if (page !== null) return success(page);
  const elsewhere = context.table.all(name)[0];
  if (elsewhere !== undefined) return failure("shell.man.otherSection", { name, section: elsewhere.section }, 16);
  const near = closest(
    name,
    context.table.specs.map((spec) => spec.name.split(" ")[0] ?? ""),
  );
  return near === null ? failure("shell.man.none", { name }, 16) : failure("shell.man.near", { name, suggestion: near }, 16);
};

/** `help`: all commands, a line each; `help NAME`: how it is typed. */
const help: Tool = (args, _stdin, context) => {
  const text = helpText(context.table, args[0] ?? null, context.language);
  return text === null ? failure("shell.man.none", { name: args[0] ?? "" }) : success(text);
};

/** Tools about places and pages. */
export const PLACE_TOOLS: Readonly<Record<string, Tool>> = { ls, pwd, cd, man, help };
