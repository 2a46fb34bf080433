import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { failed, type Result } from "../../kernel/mm/errno.ts";
import { doMadvise } from "../../kernel/mm/madvise.ts";
import { MADV } from "../../kernel/mm/advice.ts";
import { MISC, type Kernel } from "../../kernel/mm/kernel.ts";
import { faultAndAccount } from "../../kernel/mm/fault.ts";
import { FAULT } from "../../kernel/mm/faultFlags.ts";
import type { ThpMode, Vma } from "../../kernel/mm/records.ts";
import { expandStack } from "../../kernel/mm/stack.ts";
import { changeVma } from "../../kernel/mm/vma.ts";
import { VM } from "../../kernel/mm/vmFlags.ts";
import { VMSTAT } from "../../kernel/mm/vmstat.ts";
import { smapsOf } from "../../kernel/proc/taskMmu.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import { runAlone } from "../../kernel/sched/points.ts";
import { eligibilitySymbol, pmdAllowed } from "../../kernel/thp/eligibility/eligibility.ts";
import { khugepagedEnter } from "../../kernel/thp/khugepagedList.ts";
import { isHugePmd, pmdOf } from "../../kernel/thp/splitPmd.ts";
import { touchRange } from "../../kernel/touch.ts";
import type { Decision } from "../../kernel/why/tracer.ts";
import { smapsEntry } from "../../observe/taskText.ts";
import { CASES, makeCase, type MadeCase } from "./cases.ts";

/**
 * The truth tables of the reference's oracle (conformance/vectors/eligibility.json), each cell answered by a machine: a page is touched, khugepaged makes a
 * pass, madvise is called, smaps is read. The answer of the check inside is read off what the kernel's own decision point tells meanwhile.
 */
type Row = readonly [name: string, version: string, enabled: ThpMode, caller: string, expected: boolean | string, reason: string];
const rows = JSON.parse(readFileSync(new URL("../../../conformance/vectors/eligibility.json", import.meta.url), "utf8")) as readonly Row[];

const MACHINES: Readonly<Record<string, readonly [profile: string, patches: readonly string[]]>> = {
  "5.19": ["upstream-5.19", []],
  "6.1": ["upstream-6.1", []],
  v1: ["upstream-6.1", ["+huge-fault-fix-v1"]],
  v2: ["upstream-6.1", ["+huge-fault-fix-v2"]],
  v3: ["upstream-6.1", ["+huge-fault-fix-v3"]],
};
const ENABLED_FILE = "/sys/kernel/mm/transparent_hugepage/enabled";
const letterOf = (name: string): string => name.split(" ")[0];

interface Made extends MadeCase {
  readonly letter: string;
  readonly snapshot: ReturnType<MadeCase["world"]["machine"]["snapshot"]>;
}

const made = new Map<string, Made>();

/** The mapping of a case. "O", a mapping of hugetlb, is made of a file's by hand: hugetlb itself is not simulated yet. */
function caseOf(name: string, version: string): Made {
  const letter = letterOf(name);
  const key = `${letter} ${version}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const [profileId, patches] = MACHINES[version];
  const wanted = CASES.find((each) => letterOf(each.name) === (letter === "O" ? "E" : letter));
  expect(wanted, `a case for ${name}`).toBeDefined();
  const fresh = makeCase(wanted as (typeof CASES)[number], findProfile(profileId) as Profile, patches);
  const { world, k } = fresh;
  if (letter === "O") changeVma(k, fresh.vma.slot, { flags: fresh.vma.flags | VM.hugetlb });
  // small pages, so that there is something to collapse
  if (["E", "E2", "L"].includes(letter))
    runAlone(
      touchRange(k, world.task(world.processes[0] as { task: number; name: string }), fresh.vma.start * 4096, (fresh.vma.start + 512) * 4096, 4096, "r", 0),
    );
  if (!k.mms.get(fresh.vma.mm).khugepaged) khugepagedEnter(k, fresh.vma.mm);
  const result = { ...fresh, letter, snapshot: world.machine.snapshot() };
  made.set(key, result);
  return result;
}

/** The case as it was made, under a setting; and what is decided while `work` runs. */
function under<T>(at: Made, enabled: ThpMode, work: (vma: Vma) => T): { result: T; decisions: readonly Decision[] } {
  const { world, k } = at;
  world.machine.restore(at.snapshot);
  world.machine.beginStep();
  expect(world.machine.run(() => world.machine.writeFile(ENABLED_FILE, enabled))).toBe(0);
  const decisions: Decision[] = [];
  world.machine.tracer = { decide: (decision) => decisions.push(decision) };
  try {
    const result = work(k.vmas.get(at.vma.slot));
    if (enabled === "always") expect(world.machine.check()).toEqual([]);
    return { result, decisions };
  } finally {
    world.machine.tracer = null;
  }
}

const said = (k: Kernel, decisions: readonly Decision[], caller: "pageFault" | "khugepaged" | "forcedCollapse", vma: Vma): boolean | undefined => {
  const found = decisions.filter((d) => d.symbol === eligibilitySymbol(k, caller) && d.mm === vma.mm && d.vpn >= vma.start && d.vpn < vma.end);
  return found.length === 0 ? undefined : found[found.length - 1].outcome !== "no";
};

/** The second block of the mapping, which nobody touched yet; of the temporary stack one below, as its arguments grow. */
const untouched = (at: Made, vma: Vma): number => (at.letter === "C" ? vma.start - (vma.start % 512) - 512 : vma.start + 512);

function faultOf(at: Made, enabled: ThpMode): { allowed: boolean; outcome: string } {
  const { k, letter } = at;
  const before = { alloc: 0, handler: 0 };
  const { result, decisions } = under(at, enabled, (vma) => {
    before.alloc = k.vmstat.get(VMSTAT.thpFaultAlloc);
    before.handler = k.misc.get(MISC.hugeFaultsPmd);
    const vpn = untouched(at, vma);
    if (letter === "O") return vma;
    if (letter === "C") runAlone(faultAndAccount(k, expandStack(k, vma, vpn) as Vma, vpn, FAULT.remote | FAULT.write));
    else {
      const kind = (vma.flags & VM.write) !== 0 ? "w" : "r";
      const task = at.world.task(at.world.processes[0] as { task: number; name: string });
      expect(runAlone(touchRange(k, task, vpn * 4096, vpn * 4096 + 1, 4096, kind, 1)).signals).toEqual([]);
    }
    return k.vmas.get(vma.slot);
  });
  const vpn = untouched(at, at.vma);
  const pmd = pmdOf(k, result.mm, vpn);
  const isHuge = pmd !== undefined && isHugePmd(k, pmd.lo);
  const called = k.misc.get(MISC.hugeFaultsPmd) > before.handler || decisions.some((d) => d.symbol === "->huge_fault");
  const fellBack = decisions.some((d) => d.rule === "thp.noHandler");
  if (k.vmstat.get(VMSTAT.thpFaultAlloc) > before.alloc) {
    expect(isHuge).toBe(true);
    return { allowed: true, outcome: "do_huge_pmd_anonymous_page" };
  }
  if (called) {
    // what a device has for the asking is mapped, but not across its blocks; of xfs the page cache may bring a huge folio later
    if (result.ops === "device") expect(isHuge, letter).toBe(letter !== "H3");
    return { allowed: true, outcome: "->huge_fault" };
  }
  if (fellBack) return { allowed: true, outcome: "VM_FAULT_FALLBACK" };
  // nobody faults hugetlb memory here: the check is asked as __handle_mm_fault would
  if (letter === "O") {
    const allowed = pmdAllowed(k, result, "pageFault");
    return { allowed, outcome: allowed ? "VM_FAULT_FALLBACK" : "PTE path (do_fault/do_anonymous_page)" };
  }
  return { allowed: false, outcome: "PTE path (do_fault/do_anonymous_page)" };
}

function scanned(at: Made, enabled: ThpMode): boolean {
  const { k, world } = at;
  const collapsed = { before: 0 };
  const { result, decisions } = under(at, enabled, (vma) => {
    collapsed.before = k.misc.get(MISC.pagesCollapsed);
    world.machine.run(() => world.machine.writeFile("/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs", "3600000"));
    return k.vmas.get(vma.slot);
  });
  if (enabled === "never") {
    // the daemon does not run: nothing is scanned, and what its check would say is asked
    expect(k.misc.get(MISC.pagesCollapsed)).toBe(collapsed.before);
    expect(said(k, decisions, "khugepaged", result)).toBeUndefined();
    return pmdAllowed(k, result, "khugepaged");
  }
  const answer = said(k, decisions, "khugepaged", result);
  expect(answer, `${at.letter} was visited`).toBeDefined();
  const isCollapsed = k.misc.get(MISC.pagesCollapsed) > collapsed.before;
  if (["A", "E", "E2"].includes(at.letter)) expect(isCollapsed, at.letter).toBe(answer);
  else if (answer === false) expect(isCollapsed).toBe(false);
  return answer === true;
}

function collapsed(at: Made, enabled: ThpMode): boolean {
  const { k, world } = at;
  const { result } = under(at, enabled, (vma): Result => {
    const start = Math.ceil(vma.start / 512) * 512;
    const task = { ...world.task(world.processes[0] as { task: number; name: string }), mm: vma.mm };
    return runAlone(doMadvise(k, task, start, start + 512, MADV.collapse));
  });
  if (!failed(result)) return true;
  expect(result.errno).toBe("EINVAL");
  return result.hint !== "hint.collapseNotAllowed";
}

const eligible = (at: Made, enabled: ThpMode): boolean =>
  under(at, enabled, (vma) => {
    const text = /THPeligible: +(\d)/.exec(smapsEntry(at.k, vma))?.[1];
    expect(text).toBe(String(smapsOf(at.k, vma).THPeligible));
    return text === "1";
  }).result;

function answer(at: Made, enabled: ThpMode, caller: string): boolean | string {
  switch (caller) {
    case "fault":
      return faultOf(at, enabled).allowed;
    case "outcome":
      return faultOf(at, enabled).outcome;
    case "khugepaged":
      return scanned(at, enabled);
    case "collapse":
      return collapsed(at, enabled);
    default:
      return eligible(at, enabled);
  }
}

describe.each(Object.keys(MACHINES))("the oracle's tables on a machine of %s", (version) => {
  it.each(["fault", "outcome", "smaps", "khugepaged", "collapse"])("%s: every cell", (caller) => {
    const wanted = rows.filter((row) => row[1] === version && row[3] === caller);
    const wrong = wanted.flatMap(([name, , enabled, , expected, reason]) => {
      const is = answer(caseOf(name, version), enabled, caller);
      return is === expected ? [] : [`${name}, enabled=${enabled}: ${String(is)}, not ${String(expected)} (${reason})`];
    });
    expect(wrong).toEqual([]);
    // 5.19 has no MADV_COLLAPSE
    expect(wanted.length > 0 || (version === "5.19" && caller === "collapse")).toBe(true);
  });
});
