import type { Kernel } from "../../kernel/mm/kernel.ts";
import type { Vma } from "../../kernel/mm/records.ts";
import { findToggle } from "../../kernel/era/resolve.ts";
import { vmaAt } from "../../kernel/mm/vma.ts";
import { vmFlagNames } from "../../kernel/proc/taskMmu.ts";
import { asRelease, eraWith } from "../../kernel/thp/eligibility/asRelease.ts";
import { CALLERS } from "../../kernel/thp/eligibility/question.ts";
import { areaLabel } from "../picture/areaWords.ts";
import { hex, nameOf, processOf, sayer, type PictureContext, type Say } from "../picture/context.ts";
import type { EligibilityCell, EligibilityPicture, EligibilityRequest } from "../picture/model.ts";
import { answerOf, type CallerAnswer } from "./answers.ts";
import { VERSIONS, type Version } from "./versions.ts";
import { answerText, callerHint, callerTitle, reasonText } from "./words.ts";

/** The picture of who may have a huge page: one area, every caller, every release and posted patch. */

const MOST_AREAS = 200;

type Row = EligibilityPicture["rows"][number];

const answersOf = (k: Kernel, vma: Vma): CallerAnswer[] => CALLERS.map((caller) => answerOf(k, vma, caller));

const sameAnswer = (a: CallerAnswer, b: CallerAnswer): boolean => a.allowed === b.allowed && a.then === b.then && a.orders.join() === b.orders.join();

/** Alike in all that a row shows. */
const sameShown = (a: CallerAnswer, b: CallerAnswer): boolean => sameAnswer(a, b) && a.rule?.id === b.rule?.id && a.symbol === b.symbol;

function cellsOf(say: Say, answers: readonly CallerAnswer[], against: readonly CallerAnswer[] | null, pmdOrder: number): EligibilityCell[] {
  return answers.map((answer, i) => ({
    answer: answer.allowed === null ? "none" : answer.allowed ? "yes" : "no",
    text: answerText(say, answer, pmdOrder),
    rule: answer.rule?.id ?? "",
    reason: reasonText(say, answer),
    symbol: answer.symbol,
    // a caller that came with a release is no change of an answer
    differs: against !== null && against[i].allowed !== null && answer.allowed !== null && !sameAnswer(answer, against[i]),
  }));
}

interface Found {
  readonly version: Version;
  readonly answers: readonly CallerAnswer[];
}

/** A row for each version; releases that show alike, one behind the other, are one row. */
function versionRows(say: Say, k: Kernel, vma: Vma): Row[] {
  const found: Found[] = VERSIONS.map((version) => ({ version, answers: answersOf(asRelease(k, eraWith(version.release, version.patches)), vma) }));
  const rows: Row[] = [];
  let before: readonly CallerAnswer[] | null = null;
  for (let i = 0; i < found.length; i++) {
    const { version, answers } = found[i];
    if (version.patches.length > 0) {
      const plain = found.find((each) => each.version.name === version.plain);
      const title = version.patches.map((id) => findToggle(id)?.title ?? id).join(", ");
      rows.push({ name: version.name, title, own: false, cells: cellsOf(say, answers, plain?.answers ?? null, k.geo.pmdOrder) });
      continue;
    }
    let last = i;
    const isAlike = (other: Found): boolean => other.version.patches.length === 0 && answers.every((answer, c) => sameShown(answer, other.answers[c]));
    while (last + 1 < found.length && isAlike(found[last + 1])) last++;
    const name = last === i ? version.name : say("observe.eligible.range", { from: version.name, to: found[last].version.name });
    rows.push({ name, title: "", own: false, cells: cellsOf(say, answers, before, k.geo.pmdOrder) });
    before = answers;
    i = last;
  }
  return rows;
}

/** The learner's own machine: its release with stable fixes and patches, and with rules that were put in by hand. */
function ownRow(say: Say, k: Kernel, vma: Vma): Row {
  const plain = answersOf(asRelease(k, eraWith(k.profile.release)), vma);
  const title = k.g.eligibilityRules === null ? "" : say("observe.eligible.edited");
  return {
    name: say("observe.eligible.own", { release: k.profile.kernelRelease }),
    title,
    own: true,
    cells: cellsOf(say, answersOf(k, vma), plain, k.geo.pmdOrder),
  };
}

function areaAt(k: Kernel, mm: number, address: string | null): Vma | undefined {
  if (address === null) {
    const [first] = k.mms.get(mm).vmas;
    return first === undefined ? undefined : k.vmas.get(first);
  }
  return /^0x[0-9a-f]{1,16}$/i.test(address) ? vmaAt(k, mm, Number(BigInt(address) >> 12n)) : undefined;
}

export function eligibilityPicture(k: Kernel, request: EligibilityRequest, context: PictureContext): EligibilityPicture {
  const say = sayer(context);
  const callers = CALLERS.map((caller) => ({ title: callerTitle(say, caller), hint: callerHint(say, caller) }));
  const none = { kind: "eligibility", area: null, areas: [], callers, rows: [], twin: [] } as const;
  const found = processOf(k, context, request.process);
  const process = found?.name ?? request.process ?? context.current;
  if (found === undefined) return { ...none, process, title: say("observe.noProcess", { name: process }) };
  if (!k.geo.thp) return { ...none, process, title: say("observe.eligible.noThp") };
  const slots = k.mms.get(found.task.mm).vmas.slice(0, MOST_AREAS);
  const areas = slots.map((slot) => {
    const start = k.vmas.get(slot).start * 4096;
    return { start: hex(start), name: nameOf(context, start) ?? hex(start) };
  });
  const vma = areaAt(k, found.task.mm, request.address);
  if (vma === undefined) {
    const key = slots.length === 0 ? "observe.eligible.nothing" : "observe.eligible.noArea";
    return { ...none, process, areas, title: say(key, { name: process, address: request.address ?? "" }) };
  }
  return {
    ...none,
    process,
    areas,
    title: say("observe.eligible.title", { at: context.print(vma.start * 4096), name: process }),
    area: { start: hex(vma.start * 4096), label: areaLabel(say, k, vma), vmFlags: vmFlagNames(k, vma) },
    rows: [ownRow(say, k, vma), ...versionRows(say, k, vma)],
  };
}
