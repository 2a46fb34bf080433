import { MTHP } from "../../kernel/mm/kernel.ts";
import { vmstatIndex } from "../../kernel/mm/vmstat.ts";
import type { Message } from "../../kernel/message.ts";
import { TokenCursor } from "../../shell/command/tokenCursor.ts";
import type { CommandSpec } from "../../shell/table/commandSpec.ts";
import { arg, optional, repeated, row } from "../../shell/table/rowHelpers.ts";
import { success, textOfLines, type Tool } from "../../shell/tools/tool.ts";
import { renderExplanation, type Explanation } from "./explanation.ts";
import { inodeOfName } from "./fileFacts.ts";
import type { History } from "./history.ts";
import { why, type Target } from "./why.ts";

/** The row of `why` in the command table. */
export const WHY_ROWS: readonly CommandSpec[] = [
  row("tool", "why", [optional(repeated(arg("vma|folio|khugepaged|file|ADDRESS|COUNTER|FILE", "address")))], { seeAlso: ["describe", "era", "history"] }),
];

/** hugepages-64kB/split_deferred: an item of the statistics of a size, named as its file is. */
const SIZE_ITEM = /^(?:hugepages-)?(\d{1,8})kB[/.](?:stats\/)?([a-z_]+)$/;
const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function counterTarget(name: string): Target | null {
  if (vmstatIndex(name) >= 0) return { kind: "counter", name };
  const size = SIZE_ITEM.exec(name);
  if (size === null) return null;
  const order = Math.log2(Number(size[1]) / 4);
  const item = camelCase(size[2]);
  return Number.isInteger(order) && order >= 0 && order < 20 && Object.hasOwn(MTHP, item)
    ? { kind: "sizeCounter", order, item: MTHP[item as keyof typeof MTHP], name }
    : null;
}

/** A kernel file, or what is wrong with its path. */
function settingTarget(path: string, history: History): Target | Message {
  if (history.world.machine.filePaths().includes(path)) return { kind: "setting", path };
  return { key: "session.why.unknownFile", args: { path } };
}

const PLACES: ReadonlySet<string> = new Set(["vma", "folio", "khugepaged"]);

/** NAME [OFFSET] behind `why file`. */
function fileTarget([name, offset, extra]: readonly (string | undefined)[], history: History): Target | Message {
  if (extra !== undefined) return { key: "session.why.extra", args: { word: extra } };
  const inode = name === undefined ? undefined : inodeOfName(history.world, name);
  if (inode === undefined) return { key: "session.why.noFile", args: { name: name ?? "" } };
  if (offset === undefined) return { kind: "file", inode: inode.slot, index: 0 };
  const cursor = new TokenCursor([{ text: offset, column: 1 }], 1, offset.length + 1, "OFFSET");
  const bytes = cursor.number("OFFSET");
  cursor.end();
  if (cursor.error !== null || bytes < 0n || bytes >= 1n << 50n) return { key: "session.why.noFile", args: { name: name ?? "" } };
  return { kind: "file", inode: inode.slot, index: Number(bytes / 4096n) };
}

/** What the words behind `why` ask for: nothing, a counter, a kernel file, or an address with what of it is meant; `@NAME` chooses the process. */
export function readTarget(args: readonly string[], history: History, process: string): Target | Message {
  const words = args.filter((word) => !word.startsWith("@"));
  const name = args.find((word) => word.startsWith("@"))?.slice(1) ?? process;
  if (words.length === 0) return { kind: "command" };
  if (words[0] === "file") return fileTarget(words.slice(1), history);
  if (words.length === 1) {
    const counter = counterTarget(words[0]);
    if (counter !== null) return counter;
    if (words[0].startsWith("/")) return settingTarget(words[0], history);
  }
  const isPlace = PLACES.has(words[0]) && words.length > 1;
  const [word, extra] = isPlace ? words.slice(1) : words;
  if (extra !== undefined) return { key: "session.why.extra", args: { word: extra } };
  const cursor = new TokenCursor([{ text: word, column: 1 }], 1, word.length + 1, "ADDRESS");
  const expression = cursor.address("ADDRESS");
  cursor.end();
  const { world } = history;
  // a name that nobody gave a meaning must not take a slot
  const address = cursor.error === null ? world.slots.copy().resolve(expression)?.address : undefined;
  const known = expression.name === null || world.slots.all().some((slot) => slot.name === expression.name) || isBound(history, expression.name);
  if (address === undefined || !known) return { key: "session.why.unknownTarget", args: { word } };
  const vpn = Number(address / 4096n);
  if (vpn >= world.machine.kernel.geo.taskSizePages) return { key: "session.why.outside", args: { word } };
  const found = world.find(name);
  if (found === undefined) return { key: "session.why.noProcess", args: { name } };
  const { mm } = world.task(found);
  const kind = isPlace ? (words[0] as "vma" | "folio" | "khugepaged") : "page";
  return { kind, mm, vpn };
}

/** Names of the C form have no slot of their own: they resolve without a new one being taken. */
function isBound(history: History, name: string): boolean {
  const copy = history.world.slots.copy();
  const before = copy.all().length;
  return copy.resolve({ name, offsetBytes: 0n }) !== undefined && copy.all().length === before;
}

/** What `why` with these words answers: an explanation, or what is wrong with them. `process`: whose line it is. The world stays as it is. */
export function whyCommand(args: readonly string[], history: History, process: string): Explanation | { readonly error: Message } {
  const target = readTarget(args, history, process);
  return "key" in target ? { error: target } : why(history, target);
}

/** `why` as a tool of a terminal; both arguments are asked when a line is carried out. */
export function whyTool(history: () => History, process: () => string): Tool {
  return (args, _stdin, context) => {
    const answer = whyCommand(args, history(), process());
    if ("error" in answer) return { stdout: "", errors: [answer.error], status: 1 };
    return success(textOfLines(renderExplanation(answer, context.language.render)));
  };
}
