import type { BootOptions } from "../kernel/boot.ts";
import { RELEASES } from "../kernel/era/releases.ts";
import { TOGGLES } from "../kernel/era/toggles.ts";
import { PROFILES, type Profile } from "../kernel/profile/profile.ts";
import { layoutOf } from "../observe/picture/frames.ts";
import type { Picture, PictureRequest } from "../observe/picture/model.ts";
import { SECTION_PAGES } from "../observe/picture/summaries.ts";
import type { ManTexts } from "../shell/man/manText.ts";
import type { CommandSpec } from "../shell/table/commandSpec.ts";
import { arg, optional, repeated, row, words } from "../shell/table/rowHelpers.ts";
import { failure, success, textOfLines, type Tool, type ToolResult } from "../shell/tools/tool.ts";
import { bisectProfile, type BisectAnswer } from "./bisect/bisectSession.ts";
import { isOther, readChoice, type Config } from "./compare/choice.ts";
import { describeSpace } from "./describeSpace.ts";
import type { HistoryTree } from "./historyTree.ts";
import type { LearnerWorld } from "./learnerWorld.ts";
import type { CompareChoice, CompareView, DiffView } from "./model.ts";
import { addressOf } from "./sessionTools.ts";

/** The commands that print what the panes of the app show: `describe`, `diff` and `compare`. */

/** What they look at. */
export interface ViewHost {
  readonly world: LearnerWorld;
  readonly acting: string;
  readonly history: HistoryTree<unknown>;
  readonly boot: BootOptions;
  readonly config: Config;
  picture(request: PictureRequest): Picture;
  diff(from: number, to: number): DiffView;
  compare(choice: CompareChoice): CompareView;
  bisect(other: Profile, node: number | null): BisectAnswer;
}

const PARTS = ["space", "tables", "memory", "counters"] as const;
/** cells of an area, and frames, that describe prints */
const CELLS = 64;
const FRAMES = 64;

export const VIEW_ROWS: readonly CommandSpec[] = [
  row("tool", "describe", [optional(words(PARTS.join("|"), [...PARTS, "changed"])), optional(repeated(arg("ADDRESS|FRAME|WORD|PROCESS", "address")))], {
    seeAlso: ["pgtable", "pagemap", "why", "diff"],
  }),
  row("tool", "diff", [arg("A", "number"), optional(arg("B", "number"))], { seeAlso: ["history", "describe", "compare"] }),
  row(
    "tool",
    "compare",
    [
      repeated(
        words("PROFILE|+PATCH|-PATCH|FILE=VALUE", [...PROFILES.map((each) => each.id), ...TOGGLES.flatMap((each) => [`+${each.id}`, `-${each.id}`])], "flags"),
      ),
    ],
    {
      seeAlso: ["era", "diff", "bisect"],
    },
  ),
  row("tool", "bisect", [words("PROFILE|RELEASE", [...PROFILES.map((each) => each.id), ...RELEASES]), optional(arg("N", "number"))], {
    seeAlso: ["compare", "era", "history"],
  }),
];

export const viewManEn: ManTexts = {
  describe: {
    summary: "show the machine in words",
    description:
      "Without a word, or with the name of a process, it lists every mapping with the pages in it: how many, in folios of which order, mapped by a PMD or by PTEs, exclusive or shared. With a word it says what the picture of the same name shows. space: the areas of the address space, the gaps between them, and what is mapped in each part. tables ADDRESS: the page-table entries that lead to an address, every bit of them explained, and the table they end in. memory: what physical memory is used for, 128 MiB at a time; with a FRAME the frames from there on, and who maps that one. counters: the counters of the kernel with their change by the last step; with a WORD those whose name has it, with changed those that changed. @PROCESS chooses the process.",
  },
  diff: {
    summary: "show what differs between two states",
    description:
      "A and B are numbers that history prints; without B the second is where you are. It lists settings, sizes of processes, mappings, pages, counters and page frames that differ, at most 40 of each.",
  },
  compare: {
    summary: "run the same commands on another machine",
    description:
      "The commands that led to where you are run on a second machine that has another PROFILE, a change of the kernel switched on (+PATCH) or off (-PATCH, see era), or a kernel file set before the first command (FILE=VALUE, as thp/enabled=always). Lines that print something else are shown with what each machine printed, and at the end the counters and settings that differ. Your own machine stays as it is.",
  },
  bisect: {
    summary: "find the change of the kernel that changed an answer",
    description:
      "The commands that led to where you are run on the machine of a PROFILE or a RELEASE and on machines between that one and yours, which have some of the changes of the kernel and not the others (era lists them). N is the number of a state, as the prompt and history show it: its line is the one whose answer is compared; without N the first line that prints something else. What is told: both answers, the change that made the difference, where it comes from, whether it is enough by itself or which changes it takes together, and what your machine would answer without it. Your own machine stays as it is.",
  },
};

const print = (picture: Picture): ToolResult => success(textOfLines(picture.twin));

const describe =
  (host: ViewHost): Tool =>
  (args, _stdin, context) => {
    const process = args.find((word) => word.startsWith("@"))?.slice(1) ?? null;
    const [part, word, extra] = args.filter((each) => !each.startsWith("@"));
    const isPart = (PARTS as readonly string[]).includes(part);
    const name = process ?? (isPart ? host.acting : (part ?? host.acting));
    const found = host.world.find(name);
    if (found === undefined) return failure("session.tool.noProcess", { name });
    const surplus = isPart ? (part === "space" ? word : extra) : process === null ? word : part;
    if (surplus !== undefined) return failure("session.describe.extra", { word: surplus });
    switch (part) {
      case "space":
        return print(host.picture({ kind: "addressSpace", process: name, first: 0, count: 200, cells: CELLS }));
      case "tables":
        return describeTables(host, name, word);
      case "memory":
        return describeMemory(host, word);
      case "counters":
        return print(host.picture({ kind: "counters", filter: word === undefined || word === "changed" ? "" : word, changedOnly: word === "changed" }));
      default:
        return success(
          textOfLines(describeSpace(host.world.machine, host.world.task(found), (address) => host.world.slots.print(address), context.language.render)),
        );
    }
  };

function describeTables(host: ViewHost, process: string, word: string | undefined): ToolResult {
  const address = word === undefined ? null : addressOf(host.world, word);
  if (word !== undefined && address === null) return failure("session.tool.address", { tool: "describe", word });
  return print(host.picture({ kind: "pageTables", process, address: address === null ? null : `0x${address.toString(16)}`, level: null }));
}

function describeMemory(host: ViewHost, word: string | undefined): ToolResult {
  const { end } = layoutOf(host.world.machine.kernel);
  if (word === undefined) {
    return print(host.picture({ kind: "physical", firstPfn: 0, cells: Math.ceil(end / SECTION_PAGES), pagesPerCell: SECTION_PAGES, selected: null }));
  }
  const pfn = /^(0x[0-9a-f]{1,8}|\d{1,9})$/i.test(word) ? Number(word) : -1;
  if (pfn < 0 || pfn >= end) return failure("session.describe.frame", { word, most: `0x${(end - 1).toString(16)}` });
  return print(host.picture({ kind: "physical", firstPfn: pfn, cells: FRAMES, pagesPerCell: 1, selected: pfn }));
}

const diff =
  (host: ViewHost): Tool =>
  (args) => {
    const [a, b, extra] = args;
    if (a === undefined || extra !== undefined) return failure("session.diff.twoNumbers", {});
    const ids = [a, b ?? String(host.history.current.id)];
    for (const id of ids) {
      if (!/^\d{1,9}$/.test(id) || host.history.find(Number(id)) === undefined)
        return failure("session.history.noNode", { id: id.slice(0, 20), most: host.history.all().length - 1 });
    }
    return success(textOfLines(host.diff(Number(ids[0]), Number(ids[1])).twin));
  };

const compare =
  (host: ViewHost): Tool =>
  (args) => {
    const choice = readChoice(args, host.boot, host.config);
    if ("key" in choice) return failure(choice.key, choice.args);
    if (args.length === 0 || !isOther(host.boot, host.config, choice)) return failure("session.compare.nothing", {});
    const view = host.compare(choice);
    return { ...success(textOfLines(view.twin)), status: view.error === null ? 0 : 1 };
  };

const bisect =
  (host: ViewHost): Tool =>
  (args) => {
    const [machine, node, extra] = args;
    if (machine === undefined || extra !== undefined) return failure("session.bisect.nothing", {});
    const other = bisectProfile(machine);
    if ("key" in other) return failure(other.key, other.args);
    if (node !== undefined && !/^\d{1,9}$/.test(node)) return failure("session.bisect.noLine", { id: node.slice(0, 20) });
    const answer = host.bisect(other, node === undefined ? null : Number(node));
    return "error" in answer ? failure(answer.error.key, answer.error.args) : success(textOfLines(answer.lines));
  };

/** The tools, by name. */
export const viewTools = (host: ViewHost): Readonly<Record<string, Tool>> => ({
  describe: describe(host),
  diff: diff(host),
  compare: compare(host),
  bisect: bisect(host),
});
