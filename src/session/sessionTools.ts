import { togglesWith } from "../kernel/boot.ts";
import { findToggle } from "../kernel/era/resolve.ts";
import { TOGGLES } from "../kernel/era/toggles.ts";
import type { Task } from "../kernel/mm/records.ts";
import { statusOf } from "../kernel/syscalls.ts";
import { pagemapText, pageTableWalk } from "../observe/pageTableText.ts";
import { dmesgText } from "../observe/systemText.ts";
import { TokenCursor } from "../shell/command/tokenCursor.ts";
import { closest } from "../shell/editDistance.ts";
import { readNumber } from "../shell/numbers.ts";
import { failure, success, textOfLines, type Tool, type ToolResult } from "../shell/tools/tool.ts";
import { eraDetail, eraList } from "./eraText.ts";
import type { HistoryNode, HistoryTree } from "./historyTree.ts";
import type { LearnerWorld } from "./learnerWorld.ts";
import { historyLine, Lanes } from "./timeline.ts";

/** What the tools of a session look at; where they want to go in the history is left in `moveTo` for the session to do. */
export interface ToolHost {
  readonly world: LearnerWorld;
  /** name of the process that the line belongs to */
  readonly acting: string;
  readonly patches: readonly string[];
  readonly history: HistoryTree<unknown>;
  set moveTo(id: number | null);
}

/** pages that pagemap prints at most */
const MOST_PAGES = 4096;

/** An address as the command form writes it, or null after a mistake. */
export function addressOf(world: LearnerWorld, word: string): bigint | null {
  const cursor = new TokenCursor([{ text: word, column: 1 }], 1, word.length + 1, "ADDRESS");
  const at = cursor.address("ADDRESS");
  cursor.end();
  // a name nobody gave a meaning must not take a slot
  if (cursor.error !== null || (at.name !== null && !world.slots.names().includes(at.name))) return null;
  return world.slots.resolve(at)?.address ?? null;
}

function withTask(host: ToolHost, name: string | undefined, use: (task: Task) => ToolResult): ToolResult {
  const process = host.world.find(name ?? host.acting);
  return process === undefined ? failure("session.tool.noProcess", { name: name ?? host.acting }) : use(host.world.task(process));
}

/** Runs `use` with the page number of an address; says what is wrong with one that cannot be. */
function withPage(host: ToolHost, tool: string, word: string | undefined, use: (task: Task, vpn: number) => ToolResult): ToolResult {
  if (word === undefined) return failure("shell.tool.missingOperand", { tool, what: "ADDRESS" });
  const address = addressOf(host.world, word);
  if (address === null) return failure("session.tool.address", { tool, word });
  const vpn = Number(address / 4096n);
  if (vpn > host.world.machine.kernel.geo.taskSizePages) return failure("session.tool.outside", { tool, word });
  return withTask(host, undefined, (task) => use(task, vpn));
}

const pgtable =
  (host: ToolHost): Tool =>
  (args) =>
    withPage(host, "pgtable", args[0], (task, vpn) => success(textOfLines(pageTableWalk(host.world.machine.kernel, task, vpn))));

const pagemap =
  (host: ToolHost): Tool =>
  (args) =>
    withPage(host, "pagemap", args[0], (task, vpn) => {
      const length = args[1] === undefined ? { kind: "number" as const, value: 1n, end: 0 } : readNumber(args[1], 0);
      if (length.kind !== "number" || (args[1] !== undefined && length.end !== args[1].length)) return failure("session.tool.length", { tool: "pagemap" });
      const pages = Number((length.value + 4095n) / 4096n);
      if (pages > MOST_PAGES) return failure("session.tool.tooLong", { tool: "pagemap", most: MOST_PAGES });
      const end = Math.min(vpn + Math.max(1, pages), host.world.machine.kernel.geo.taskSizePages + 1);
      return success(textOfLines(pagemapText(host.world.machine.kernel, task, vpn, end, (address) => host.world.slots.print(address))));
    });

const ps =
  (host: ToolHost): Tool =>
  () => {
    const { world } = host;
    const k = world.machine.kernel;
    const rows = world.living().map((p) => {
      const task = world.task(p);
      const status = statusOf(k, task.mm);
      const mark = p.name === world.current ? "*" : " ";
      const parent = k.tasks.find(task.parent)?.pid ?? 0;
      return `${mark} ${String(task.pid).padStart(5)} ${String(parent).padStart(5)} ${String(status.VmSize).padStart(10)} ${String(status.VmRSS).padStart(10)} ${p.name}`;
    });
    return success(textOfLines(["    PID  PPID        VSZ        RSS NAME", ...rows]));
  };

const dmesg =
  (host: ToolHost): Tool =>
  () =>
    success(dmesgText(host.world.machine.kernel));

const era =
  (host: ToolHost): Tool =>
  (args, _stdin, context) => {
    const on = togglesWith(host.world.machine.kernel.profile, host.patches);
    const id = args[0];
    if (id === undefined) return success(textOfLines(eraList(on)));
    const toggle = findToggle(id.replace(/^[+-]/, ""));
    if (toggle !== undefined) return success(textOfLines(eraDetail(toggle, on, context.language.render)));
    const near = closest(
      id,
      TOGGLES.map((t) => t.id),
    );
    return near === null ? failure("session.era.none", { id }) : failure("session.era.near", { id, suggestion: near });
  };

function move(host: ToolHost, to: HistoryNode<unknown> | undefined, none: string): ToolResult {
  if (to === undefined) return failure(none, {});
  host.moveTo = to.id;
  return success("");
}

const goto =
  (host: ToolHost): Tool =>
  (args) => {
    if (args[0] === undefined) return failure("shell.tool.missingOperand", { tool: "goto", what: "N" });
    const id = /^\d{1,9}$/.test(args[0]) ? Number(args[0]) : -1;
    const node = host.history.find(id);
    if (node === undefined) return failure("session.history.noNode", { id: args[0].slice(0, 20), most: host.history.all().length - 1 });
    host.moveTo = id;
    return success("");
  };

/** The tree, each branch in a column of its own. */
const history =
  (host: ToolHost): Tool =>
  (_args, _stdin, context) => {
    const lanes = new Lanes(host.history).all();
    return success(textOfLines(host.history.all().map((node) => historyLine(host.history, node, lanes[node.id], context.language.render))));
  };

/** The tools of a session, by name. */
export function sessionTools(host: ToolHost): Readonly<Record<string, Tool>> {
  return {
    pgtable: pgtable(host),
    pagemap: pagemap(host),
    ps: ps(host),
    dmesg: dmesg(host),
    era: era(host),
    // with a command behind it the whole line is measured, whatever its form (lineRunner.ts)
    perf: () => failure("session.perf.usage", {}),
    undo: () => move(host, host.history.back(), "session.history.atStart"),
    redo: () => move(host, host.history.forward(), "session.history.atEnd"),
    goto: goto(host),
    history: history(host),
  };
}
