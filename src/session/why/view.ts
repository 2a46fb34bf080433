import type { Cause } from "../../kernel/why/tracer.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { WhyLink, WhyView } from "../model.ts";
import { linesOf, lineText, type ExplanationLine } from "./explanation.ts";
import { nameOfInode } from "./fileFacts.ts";
import type { History } from "./history.ts";
import type { Target } from "./why.ts";
import { readTarget, whyCommand } from "./whyTool.ts";

/** An answer of `why` as a chain whose links can be followed: each says what did it, and with which words to go on asking. */

/** What to ask about a cause; null where `why` has no more to say: an argument, the release, memory as it was switched on. */
function targetOf(cause: Cause): Target | null {
  switch (cause.kind) {
    case "setting":
      return { kind: "setting", path: cause.path };
    case "vmaFlag":
    case "vmaBounds":
    case "occupied":
    case "anonVma":
    case "offset":
      return { kind: "vma", mm: cause.mm, vpn: cause.vpn };
    case "hole":
    case "entry":
      return { kind: "page", mm: cause.mm, vpn: cause.vpn };
    case "folio":
      return { kind: "folio", mm: cause.mm, vpn: cause.vpn };
    case "cache":
    case "cacheFolio":
      return { kind: "file", inode: cause.inode, index: cause.index };
    default:
      return null;
  }
}

/** The words behind `why` that ask about a target now; null when its process has ended or the file is none of this release. */
export function wordsOf(history: History, target: Target, process: string): string | null {
  const { world } = history;
  switch (target.kind) {
    case "command":
      return "";
    case "setting":
      return world.machine.filePaths().includes(target.path) ? target.path : null;
    case "counter":
    case "sizeCounter":
      return target.name;
    case "file": {
      const name = nameOfInode(world, target.inode);
      return name === null ? null : `file ${name} 0x${(target.index * 4096).toString(16)}`;
    }
    default: {
      if (target.vpn < 0 || target.vpn >= world.machine.kernel.geo.taskSizePages) return null;
      const owner = world.living().find((each) => world.task(each).mm === target.mm);
      if (owner === undefined) return null;
      const place = target.kind === "page" ? "" : `${target.kind} `;
      const address = `0x${(target.vpn * 4096).toString(16)}`;
      return `${place}${address}${owner.name === process ? "" : ` @${owner.name}`}`;
    }
  }
}

function linkOf(history: History, line: ExplanationLine, asked: string | null, process: string, render: RenderMessage): WhyLink {
  const { node, behind } = line;
  const step = node.step ?? behind?.step ?? null;
  const isBoot = node.origin === "boot" || behind?.origin === "boot";
  const target = node.cause === null ? null : targetOf(node.cause);
  const words = target === null ? null : wordsOf(history, target, process);
  return {
    text: lineText(line, render),
    depth: line.depth,
    symbol: node.symbol,
    node: step !== null ? history.numberOf(step) : isBoot ? history.numberOf(0) : null,
    command: step === null || step === 0 ? null : history.commandOf(step),
    // what was asked already leads nowhere
    words: words === asked ? null : words,
  };
}

/** What `why` with these words answers. The world stays as it is. `process`: whose line it would be. */
export function whyView(history: History, words: string, process: string, render: RenderMessage): WhyView {
  const args = words.split(/\s+/).filter((word) => word !== "");
  const question = `why ${args.join(" ")}`.trim();
  const answer = whyCommand(args, history, process);
  if ("error" in answer) {
    const error = render(answer.error);
    return { question, links: [], error, twin: [question, error] };
  }
  const target = readTarget(args, history, process);
  const asked = "key" in target ? null : wordsOf(history, target, process);
  const links = linesOf(answer).map((line) => linkOf(history, line, asked, process, render));
  return { question, links, error: null, twin: [question, ...links.map((link) => "  ".repeat(link.depth) + link.text)] };
}
