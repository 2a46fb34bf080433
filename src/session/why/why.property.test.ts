import { expect, it } from "vitest";
import { togglesWith } from "../../kernel/boot.ts";
import { resolveEra } from "../../kernel/era/resolve.ts";
import { TOGGLES } from "../../kernel/era/toggles.ts";
import { folioOrder, hasFlag } from "../../kernel/mm/folio.ts";
import { MISC } from "../../kernel/mm/kernel.ts";
import { totalFreePages } from "../../kernel/mm/pageAlloc.ts";
import { filemapFolios, nrPages } from "../../kernel/mm/pageCache.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import { vmaAt } from "../../kernel/mm/vma.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import type { Cause } from "../../kernel/why/tracer.ts";
import { parseScript } from "../../shell/command/parseScript.ts";
import { World } from "../world.ts";
import { applyEdits, changesOf, otherValues, type Change, type Edit } from "./changeCause.ts";
import type { Explanation } from "./explanation.ts";
import { inodeOfName } from "./fileFacts.ts";
import { ScriptHistory } from "./history.ts";
import { leafAt } from "./readState.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { why } from "./why.ts";
import { readTarget } from "./whyTool.ts";

/**
 * For each decision point: `why` names the cause; the cause is changed, mechanically, and the outcome changes; causes
 * that are not named are changed, and it does not.
 */

/** Short name of a cause: what stands in the table of scenarios. */
function causeKey(cause: Cause): string {
  switch (cause.kind) {
    case "setting": {
      const size = /hugepages-(\d+kB)\/(shmem_)?enabled$/.exec(cause.path);
      return `setting:${size !== null ? (size[2] ?? "") + size[1] : cause.path.split("/").slice(-2).join("/").replace("transparent_hugepage", "thp")}`;
    }
    case "vmaFlag":
      return `vmaFlag:${cause.flag}`;
    case "entry":
      return `entry:${cause.is}`;
    case "folio":
      return `folio:${cause.property}`;
    case "argument":
      return `argument:${cause.name}`;
    case "limit":
      return `limit:${cause.resource}`;
    case "era":
      return `era:${cause.behaviour}`;
    case "file":
    case "cacheFolio":
      return `${cause.kind}:${cause.property}`;
    case "cache":
      return `cache:${cause.is}`;
    case "config":
      return `config:${cause.name}`;
    default:
      return cause.kind;
  }
}

interface Decided {
  readonly rule: string;
  readonly step: number;
  readonly causes: readonly Cause[];
  readonly also: readonly Cause[];
}

/** The decisions of an explanation. */
function decisionsIn(e: Explanation): Decided[] {
  const causes = (list: readonly Explanation[]): Cause[] => list.flatMap((child) => (child.cause === null ? [] : [child.cause, ...child.alike]));
  const own: Decided[] =
    e.symbol === null || e.step === null
      ? []
      : [
          {
            rule: e.key.replace("session.why.rule.", ""),
            step: e.step,
            causes: causes(e.children),
            also: causes(e.children.filter((child) => child.key === "session.why.also").flatMap((child) => child.children)),
          },
        ];
  return [...own, ...e.children.flatMap(decisionsIn)];
}

interface Ran {
  readonly history: ScriptHistory;
  readonly observed: string;
  /** the last operation was refused */
  readonly refused: boolean;
}

function runLines(scenario: Scenario, lines: readonly string[], edits: readonly Edit[]): Ran {
  const found = findProfile(scenario.release ?? "debian-6.18.15");
  if (found === undefined) throw new Error(`no profile ${scenario.release}`);
  const config = Object.fromEntries(edits.flatMap((e) => (e.kind === "config" ? [[e.name, e.value]] : [])));
  const given = scenario.config === undefined ? {} : { [scenario.config]: true };
  const profile: Profile = { ...found, config: { ...found.config, ...given, ...config } };
  const factor = edits.reduce((f, e) => (e.kind === "memory" ? e.factor : f), 1);
  const memoryMiB = (scenario.memoryMiB ?? profile.memoryMiB) * factor;
  const world = new World(profile, { patches: edits.flatMap((e) => (e.kind === "patch" && e.step === undefined ? [e.patch] : [])), memoryMiB });
  const history = new ScriptHistory(world);
  const privileged = edits.reduce((is, e) => (e.kind === "capability" ? e.set : is), scenario.unprivileged !== true);
  world.machine.kernel.tasks.update(world.processes[0]!.task, { capIpcLock: privileged, capSysResource: privileged });
  // names keep their places however lines come and go
  for (const name of ["A", "B"]) world.slots.get(name);
  const { operations, errors } = parseScript(lines.join("\n"));
  expect(errors).toEqual([]);
  const k = world.machine.kernel;
  let result: Readonly<Record<string, unknown>> = {};
  let freeBefore = 0;
  // a toggle for one step: what a cause of that step's decision is, not of what led to it
  const once = edits.filter((e) => e.kind === "patch" && e.step !== undefined);
  const { era } = k;
  operations.forEach((operation, i) => {
    freeBefore = totalFreePages(k);
    const patches = once.flatMap((e) => (e.kind === "patch" && e.step === i + 1 ? [e.patch] : []));
    if (patches.length > 0) Object.assign(k, { era: resolveEra(togglesWith(profile, patches), profile.fixes) });
    result = history.run(operation);
    Object.assign(k, { era });
  });
  return { history, observed: observe(history, scenario.observe, result, freeBefore), refused: "errno" in result };
}

/** What is looked at, as text; several things stand apart by &. */
function observe(history: ScriptHistory, what: string, result: Readonly<Record<string, unknown>>, freeBefore: number): string {
  if (what.includes("&"))
    return what
      .split("&")
      .map((each) => observe(history, each.trim(), result, freeBefore))
      .join(", ");
  const { world } = history;
  const k = world.machine.kernel;
  const words = what.split(" ");
  const name = words[0].startsWith("@") ? words.shift()!.slice(1) : "P";
  const [kind, word] = words;
  const place = (text: string): number => {
    const target = readTarget([text], history, "P");
    if (!("vpn" in target)) throw new Error(`${text} is no address`);
    return target.vpn;
  };
  const task = world.find(name);
  if (task === undefined) return "no process";
  const { mm } = world.task(task);
  switch (kind) {
    case "page": {
      const leaf = leafAt(k, mm, place(word));
      return `${leaf.kind} order ${leaf.order} ${leaf.writable ? "rw" : "r"}`;
    }
    case "frame": {
      // whether the last step gave the page another frame
      const now = leafAt(k, mm, place(word)).pfn;
      history.goBefore(history.lastStep);
      const was = leafAt(k, mm, place(word)).pfn;
      history.goBefore(history.lastStep + 1);
      return now === was ? "same frame" : "another frame";
    }
    case "vma": {
      const vma = vmaAt(k, mm, place(word));
      return vma === undefined ? "none" : `${vma.start} ${vma.end}`;
    }
    case "lazy": {
      const leaf = leafAt(k, mm, place(word));
      return `${leaf.accessed} ${hasFlag(k, leaf.head, PG.swapbacked)}`;
    }
    case "result":
      return JSON.stringify([result.errno ?? null, result.sig === undefined ? null : "signal", result.error ?? null]);
    case "align":
      return String(Number(result.align) >= 21);
    case "listed":
      return String(k.mms.get(mm).khugepaged);
    case "free":
      return String(Math.sign(totalFreePages(k) - freeBefore));
    case "deferred":
      return String(k.misc.get(MISC.deferredCount));
    case "partial":
      return `${k.misc.get(MISC.deferredCount)} ${world.machine.vmstat("thp_deferred_split_page")}`;
    case "owner": {
      const { head } = leafAt(k, mm, place(word));
      return head < 0 ? "none" : hasFlag(k, head, PG.anon) ? "private copy" : "the file's";
    }
    case "cached":
    case "order":
    case "first":
    case "dirty": {
      const heads = filemapFolios(k, inodeOfName(world, word)?.slot ?? 0, 0, Infinity);
      if (kind === "dirty") return heads.map((head) => Number(hasFlag(k, head, PG.dirty))).join(" ");
      if (kind === "cached") return `${nrPages(k, inodeOfName(world, word)?.slot ?? 0)} from ${heads.length === 0 ? -1 : k.pageIndex.get(heads[0])}`;
      return heads
        .slice(0, kind === "first" ? 1 : heads.length)
        .map((head) => folioOrder(k, head))
        .join(" ");
    }
    case "counter":
      return String(world.machine.vmstat(word));
    default:
      throw new Error(`nothing to look at: ${what}`);
  }
}

const explain = (scenario: Scenario, history: ScriptHistory): Explanation => {
  const target = readTarget(
    scenario.target.split(" ").filter((word) => word !== ""),
    history,
    "P",
  );
  if ("key" in target) throw new Error(`${target.key} ${JSON.stringify(target.args)}`);
  return why(history, target);
};

/** Every way to change a cause together with one way to change each of the others. */
function together(ways: readonly (readonly Change[])[]): Edit[][] {
  return ways.reduce<Edit[][]>((all, next) => all.flatMap((edits) => next.slice(0, 6).map((change) => [...edits, ...change])), [[]]);
}

/** Changes of causes that are not among the named ones: settings, prctl, limits; and toggles of fields that are not named. */
function unnamedChanges(scenario: Scenario, history: ScriptHistory, named: ReadonlySet<string>, step: number): { what: string; edits: Edit[] }[] {
  const { machine } = history.world;
  const insert = (line: string): Edit[] => [{ kind: "insert", before: step - 1, lines: [line] }];
  const out: { what: string; edits: Edit[] }[] = [];
  // writing it wakes khugepaged: an action, not a setting
  const actions = /scan_sleep_millisecs$/;
  for (const path of machine.filePaths()) {
    if (actions.test(path) || /stats|hpage_pmd_size|full_scans|pages_collapsed/.test(path)) continue;
    const cause: Cause = { kind: "setting", path, value: "" };
    if (named.has(causeKey(cause))) continue;
    const values = otherValues(history, path);
    // every value of every file takes minutes; each run tries one of each, the long suite all
    const tried = process.env.HUGELAB_LONG === "1" ? values : values.slice(path.length % Math.max(1, values.length)).slice(0, 1);
    for (const value of tried) out.push({ what: `${path} ${value}`, edits: insert(`sys set ${path} ${value}`) });
  }
  if (!named.has("prctl")) out.push({ what: "prctl", edits: insert("prctl thp_disable 1") });
  for (const resource of ["memlock", "as", "data"])
    if (!named.has(`limit:${resource}`)) out.push({ what: resource, edits: insert(`rlimit ${resource} 1024G`) });
  const on = new Set(togglesWith(findProfile(scenario.release ?? "debian-6.18.15")!, []));
  for (const toggle of TOGGLES) {
    if (Object.keys(toggle.change).some((field) => named.has(`era:${field}`))) continue;
    out.push({ what: `toggle ${toggle.id}`, edits: [{ kind: "patch", patch: `${on.has(toggle.id) ? "-" : "+"}${toggle.id}`, step }] });
  }
  return out;
}

for (const scenario of SCENARIOS) {
  it(`${scenario.name}: named causes change it, others do not`, () => {
    const { history, observed, refused } = runLines(scenario, scenario.lines, []);
    const hash = history.world.machine.hash();
    const explanation = explain(scenario, history);
    expect(history.world.machine.hash()).toBe(hash);
    const decisions = decisionsIn(explanation);
    const shown = decisions.map((d) => [d.rule, ...d.causes.map(causeKey)]);
    for (const named of scenario.named) expect(shown).toContainEqual([...named]);

    const failures: string[] = [];
    for (const d of decisions.filter((each) => scenario.named.some(([rule]) => rule === each.rule))) {
      for (const cause of d.causes) {
        const ways = [cause, ...d.also].map((each) => changesOf(history, scenario.lines, d.step, each));
        const outcomes = together(ways).map((edits) => runLines(scenario, applyEdits(scenario.lines, edits), edits).observed);
        if (!outcomes.some((outcome) => outcome !== observed))
          failures.push(`${d.rule}: changing ${causeKey(cause)} leaves ${observed} (${outcomes.length} ways)`);
      }
    }
    expect(failures).toEqual([]);

    const named = new Set(decisions.flatMap((d) => [...d.causes, ...d.also].map(causeKey)));
    const step = Math.max(...decisions.map((d) => d.step), 1);
    const others = unnamedChanges(scenario, history, named, step);
    const runs = others.map(({ what, edits }) => ({ what, ran: runLines(scenario, applyEdits(scenario.lines, edits), edits) }));
    // a change that has the call refused before it comes to the decision says nothing about the decision
    const reached = runs.filter(({ ran }) => refused || !ran.refused);
    expect(reached.length).toBeGreaterThanOrEqual(2);
    const moved = reached.filter(({ ran }) => ran.observed !== observed).map(({ what }) => what);
    expect(moved).toEqual([]);
  });
}
