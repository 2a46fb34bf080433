import type { Machine } from "../kernel/machine.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import type { Task, Vma } from "../kernel/mm/records.ts";
import { smapsOf, vmFlagNames } from "../kernel/proc/taskMmu.ts";
import { permissionsOf } from "../observe/taskText.ts";
import { printNumber } from "../shell/numbers.ts";
import type { RenderMessage } from "../shell/renderMessage.ts";
import { pageRuns, type FolioIds } from "./observeState.ts";
import type { PageRun } from "./traceStep.ts";

/** The text twin of a process's address space: mappings, and runs of pages with the orders of their folios. */
export function describeSpace(machine: Machine, task: Task, print: (address: number) => string, render: RenderMessage): string[] {
  const vmas = machine.vmas(task);
  if (vmas.length === 0) return [render({ key: "session.emptySpace", args: {} })];
  const ids: FolioIds = new Map();
  return vmas.flatMap((vma) => [head(machine.kernel, vma, print), ...pageRuns(machine.kernel, vma, ids).map((run) => `  ${runLine(run, render)}`)]);
}

const size = (pages: number): string => printNumber(BigInt(pages) * 4096n);

function head(k: Kernel, vma: Vma, print: (address: number) => string): string {
  const s = smapsOf(k, vma);
  const range = `${(vma.start * 4096).toString(16)}-${(vma.end * 4096).toString(16)}`;
  const name = vma.name === "" ? "" : `  ${vma.name}`;
  const flags = vmFlagNames(k, vma).filter((flag) => ["hg", "nh", "lo", "lf", "dc", "wf", "sl", "gd", "dp"].includes(flag));
  const advice = flags.length > 0 ? `  VmFlags ${flags.join(" ")}` : "";
  return `${print(vma.start * 4096)}  ${range} ${permissionsOf(vma)}  ${size(vma.end - vma.start)}  Rss ${s.Rss} kB  THPeligible ${s.THPeligible}${advice}${name}`;
}

function runLine(run: PageRun, render: RenderMessage): string {
  const say = (key: string): string => render({ key, args: {} });
  const has = (letter: string): boolean => run.f.includes(letter);
  const kind = run.k ?? "";
  // what is present and neither of a file nor anonymous has no page behind it
  const isDevice = has("P") && !has("F") && kind === "" && run.o === undefined;
  const what: string[] = [];
  if (has("G") || has("S")) what.push(say(has("G") ? "session.run.guard" : "session.run.marker"));
  else if (kind.includes("z")) what.push(say(has("H") ? "session.run.hugeZero" : "session.run.zero"));
  else if (isDevice) what.push(say("session.run.device"));
  else if (run.o === undefined) what.push(say("session.run.small"));
  else {
    what.push(render({ key: run.nf === undefined ? "session.run.folio" : "session.run.folios", args: { order: run.o, count: run.nf ?? 1 } }));
    what.push(say(has("H") ? "session.run.byPmd" : "session.run.byPte"));
    if (run.i !== undefined) what.push(render({ key: "session.run.from", args: { index: run.i } }));
  }
  if (has("P") && !kind.includes("z") && !isDevice)
    what.push(run.mc === undefined ? say("session.run.exclusive") : render({ key: "session.run.shared", args: { count: run.mc } }));
  if (kind.includes("m")) what.push("mlocked");
  if (has("W")) what.push("uffd-wp");
  return `+${run.at}  ${render({ key: run.n === 1 ? "session.run.page" : "session.run.pages", args: { count: run.n } })}  ${what.join(", ")}`;
}
