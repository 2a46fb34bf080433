import { describe, expect, it } from "vitest";
import { findToggle, missingRequirements, togglesOf } from "../../kernel/era/resolve.ts";
import { runAlone } from "../../kernel/sched/points.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import { releaseRules } from "../../kernel/thp/eligibility/ruleLists.ts";
import { eraWith } from "../../kernel/thp/eligibility/asRelease.ts";
import { printRules, RULES_FILE } from "../../kernel/thp/eligibility/ruleText.ts";
import { setupArgPages, copyStrings } from "../../kernel/mm/exec.ts";
import { MMC } from "../../kernel/mm/kernel.ts";
import { smapsOf } from "../../kernel/proc/taskMmu.ts";
import { answerOf } from "../../observe/eligibility/answers.ts";
import { renderer } from "../../shell/renderMessage.ts";
import { parseScript } from "../../shell/command/parseScript.ts";
import { eraDetail } from "../eraText.ts";
import { sessionMessagesEn } from "../messages.en.ts";
import { terminalMessagesEn } from "../messages.enTerminal.ts";
import { ScriptRun } from "../runScript.ts";
import type { TraceStep } from "../traceStep.ts";
import { CASES, makeCase } from "./cases.ts";

/** The checklist of thp-eligibility-collapse-hugefault.md (section 6), rows 1 to 14: a test for each names it. */

interface Ran {
  readonly run: ScriptRun;
  readonly steps: readonly TraceStep[];
}

const withFileThp = (id: string): Profile => {
  const profile = findProfile(id) as Profile;
  return { ...profile, config: { ...profile.config, readOnlyThpForFs: true } };
};

function ran(profile: string, script: string, patches: readonly string[] = []): Ran {
  const run = new ScriptRun(withFileThp(profile), { patches });
  const { operations, errors } = parseScript(script);
  expect(errors).toEqual([]);
  const steps = operations.map((operation) => run.step(operation));
  expect(run.world.machine.check()).toEqual([]);
  return { run, steps };
}

const debug = (name: string): string => `sys get /sys/kernel/debug/hugelab/${name}`;
const valueAt = ({ steps }: Ran, at: number): string => String((steps.at(at) as unknown as { val: unknown }).val);

/** The answers of smaps for the mapping V after each step that changed something, and at the end. */
function eligibleOf({ run }: Ran): number {
  const { machine, slots } = run.world;
  const start = Number((slots.get("V")?.base ?? 0n) / 4096n);
  const vma = machine
    .tasks()
    .flatMap((task) => machine.vmas(task))
    .find((each) => each.start === start);
  expect(vma).toBeDefined();
  return vma === undefined ? -1 : smapsOf(machine.kernel, vma).THPeligible;
}

const DRIVER = "mmap V 4M rw shared file=/dev/hugelab-mixed\nmadvise V 4M hugepage";
const SERIES: readonly (readonly [name: string, profile: string, patches: readonly string[]])[] = [
  ["5.19", "upstream-5.19", []],
  ["6.1", "upstream-6.1", []],
  ["v1", "upstream-6.1", ["+huge-fault-fix-v1"]],
  ["v2", "upstream-6.1", ["+huge-fault-fix-v2"]],
  ["v3", "upstream-6.1", ["+huge-fault-fix-v3"]],
];

it("row 1: three separate functions in 5.19; the driver gets its huge page, smaps and khugepaged know nothing of it", () => {
  const done = ran("upstream-5.19", `${DRIVER}\ntouch V w\n${debug("huge_faults_pmd")}\nkhugepaged scan 1`);
  expect(valueAt(done, 3)).toBe("1");
  expect(eligibleOf(done)).toBe(0);
  const { kernel } = done.run.world.machine;
  const ids = (caller: "pageFault" | "khugepaged" | "smaps"): string =>
    releaseRules(kernel.era, caller)
      .map((rule) => rule.id[0])
      .join("");
  expect([ids("pageFault"), ids("khugepaged"), ids("smaps")]).toEqual(["FFFFFFF", "KKKKKKKKKKK", "SSSSSSSSSS"]);
});

it("row 2: the merged check asks R0 to R12 in their order, the first match wins, and its rule is told", () => {
  const rules = releaseRules(eraWith("6.1"), "smaps");
  expect(rules.map((rule) => rule.id)).toEqual(Array.from({ length: 13 }, (_, i) => `R${i}`));
  expect(releaseRules(eraWith("6.0"), "smaps").map((rule) => rule.id)).toEqual(rules.map((rule) => rule.id));
  // two reasons to say no: the earlier one is told
  const special = ran("upstream-6.1", "mmap V 4M rw shared file=/dev/hugelab-mixed\nsys thp enabled never");
  const { machine } = special.run.world;
  const vma = machine
    .tasks()
    .flatMap((task) => machine.vmas(task))
    .find((each) => each.ops === "device");
  const told = (["pageFault", "smaps"] as const).map((caller) => answerOf(machine.kernel, vma as never, caller).rule?.id);
  expect(told).toEqual(["R4", "R4"]);
  expect(machine.run((k) => machine.writeFile(RULES_FILE, `settingRefuses:nnnn ${printRules(releaseRules(k.era, "smaps"))}`))).toBe(0);
  expect(answerOf(machine.kernel, vma as never, "pageFault").rule?.condition).toBe("settingRefuses");
});

it("row 3: every version of the fix can be switched on, each with its author and message, and none is in a release as it was posted", () => {
  for (const version of ["v1", "v2", "v3"]) {
    const toggle = findToggle(`huge-fault-fix-${version}`);
    expect(toggle?.since).toBeNull();
    expect(toggle?.patch?.author).toBe("Zach O'Keefe");
    expect(toggle?.patch?.message).toMatch(/@.*2023/);
    expect(missingRequirements([toggle?.id ?? ""])).toEqual([{ id: toggle?.id, needs: "merged-eligibility" }]);
  }
  const list = (patches: readonly string[]): string => printRules(releaseRules(eraWith("6.1", patches), "smaps"));
  expect(new Set(["", "huge-fault-fix-v1", "huge-fault-fix-v2", "huge-fault-fix-v3"].map((id) => list(id === "" ? [] : [id]))).size).toBe(4);
  // v4, as merged, is the code of v3
  expect(list(["huge-fault-fix-v3"])).toBe(list(["huge-fault-handlers"]));
});

describe("row 4: each caller asks with its own parameters", () => {
  const anonymous = "mmap V 4M rw private anon\nmadvise V 4M hugepage";
  it("row 4: without an anon_vma a fault and smaps hear yes, khugepaged does not enrol the process, MADV_COLLAPSE is refused", () => {
    const done = ran("upstream-6.1", `${anonymous}\nmadvise V 2M collapse\ntouch V w`);
    expect(done.steps[2]).toMatchObject({ ret: -1, errno: "EINVAL" });
    expect(done.steps[3].dv).toMatchObject({ thp_fault_alloc: 1 });
    expect(eligibleOf(done)).toBe(1);
    const before = ran("upstream-6.1", anonymous).run.world;
    expect(before.machine.kernel.mms.get(before.task(before.living()[0]).mm).khugepaged).toBe(false);
    const after = done.run.world;
    expect(after.machine.kernel.mms.get(after.task(after.living()[0]).mm).khugepaged).toBe(true);
  });
  it("row 4: only MADV_COLLAPSE does not obey enabled (enforce_sysfs), from its first release on", () => {
    const script = "mmap V 4M rw private anon\ntouch V w\nsys thp enabled never\nkhugepaged scan 1\nmadvise V 2M collapse";
    expect(ran("upstream-6.1", script).steps[4]).toMatchObject({ ret: 0, dv: { thp_collapse_alloc: 1 } });
    const rules = releaseRules(eraWith("6.1"), "smaps").find((rule) => rule.id === "R7");
    expect([rules?.pageFault, rules?.khugepaged, rules?.forcedCollapse, rules?.smaps]).toEqual(["no", "no", "next", "no"]);
    expect(releaseRules(eraWith("6.0"), "smaps").find((rule) => rule.id === "R7")?.forcedCollapse).toBe("no");
  });
});

describe("row 5: VM_NO_KHUGEPAGED", () => {
  const cases = [
    ["VM_MIXEDMAP", "mmap V 4M rw shared file=/dev/hugelab-mixed"],
    ["VM_PFNMAP, VM_IO and VM_DONTEXPAND", "mmap V 4M rw shared file=/dev/hugelab-pfn"],
  ] as const;
  it.each(cases)("row 5: %s stops a fault in 6.1 and in v2 no more; collapse is stopped everywhere", (_, map) => {
    const script = `${map}\nmadvise V 4M hugepage\ntouch V w\n${debug("huge_faults_pmd")}\nmadvise V 2M collapse`;
    const calls = SERIES.map(([, profile, patches]) => {
      const done = ran(profile, script, patches);
      expect(done.steps[4]).toMatchObject({ ret: -1, errno: "EINVAL" });
      return valueAt(done, 3);
    });
    expect(calls).toEqual(["1", "0", "0", "1", "1"]);
  });
  it("row 5: anonymous memory with VM_DONTEXPAND is huge in 5.19, small in 6.0 and 6.1, and huge again with v1", () => {
    const script = "mmap V 4M rw private file=/dev/hugelab-anon\nmadvise V 4M hugepage\ntouch V w\nmadvise V+2M 2M collapse\nmremap V 4M 6M";
    const huge = SERIES.map(([, profile, patches]) => {
      const done = ran(profile, script, patches);
      expect(done.steps[3]).toMatchObject({ ret: -1, errno: "EINVAL" });
      expect(done.steps[4]).toMatchObject({ ret: -1, errno: "EFAULT" });
      return done.steps[2].dv;
    });
    expect(huge).toEqual([{ thp_fault_alloc: 1 }, {}, { thp_fault_alloc: 1 }, { thp_fault_alloc: 1 }, { thp_fault_alloc: 1 }]);
  });
});

describe("row 6: enabled against advice", () => {
  const faults = (enabled: string, advice: string, profile = "upstream-6.1"): number => {
    const done = ran(profile, `mmap V 4M rw private anon\nmadvise V 4M ${advice}\nsys thp enabled ${enabled}\ntouch V w`);
    return Object.keys(done.steps[3].dv ?? {}).length;
  };
  it("row 6: always, madvise and never, each without advice, with MADV_HUGEPAGE and with MADV_NOHUGEPAGE", () => {
    for (const profile of ["upstream-5.19", "upstream-6.1", "upstream-6.7", "debian-6.18.15"]) {
      const table = ["always", "madvise", "never"].map((enabled) => ["normal", "hugepage", "nohugepage"].map((advice) => faults(enabled, advice, profile)));
      expect(table, profile).toEqual([
        [1, 1, 0],
        [0, 1, 0],
        [0, 0, 0],
      ]);
    }
  });
  it("row 6: DAX does not obey enabled, shared memory has its own setting, MADV_COLLAPSE obeys neither", () => {
    const dax = ran("upstream-6.1", `sys thp enabled never\nmmap V 4M rw shared file=/dev/hugelab-dax\ntouch V w\n${debug("huge_faults_pmd")}`);
    expect(valueAt(dax, 3)).toBe("1");
    const shared = ran("upstream-6.1", "sys thp enabled never\nsys thp shmem_enabled always\nmmap V 4M rw shared anon\ntouch V w");
    expect(eligibleOf(shared)).toBe(1);
    expect(shared.steps[3].dv).toMatchObject({ thp_file_alloc: 1 });
    const small = ran("upstream-6.1", "sys thp enabled never\nmmap V 4M rw shared anon\ntouch V 2M w\nmadvise V 2M collapse");
    expect(small.steps[3]).toMatchObject({ ret: 0 });
    expect(eligibleOf(small)).toBe(0);
  });
});

it("row 7: DAX is approved before VM_NO_KHUGEPAGED is asked; with these two rules exchanged DAX with VM_MIXEDMAP loses its huge faults", () => {
  const script = (map: string): string => `${map}\ntouch V w\n${debug("huge_faults_pmd")}`;
  for (const name of ["dax", "daxmixed"]) expect(valueAt(ran("upstream-6.1", script(`mmap V 4M rw shared file=/dev/hugelab-${name}`)), 2), name).toBe("1");
  const rules = releaseRules(eraWith("6.1"), "smaps");
  const exchanged = printRules([...rules.slice(0, 3), rules[4], rules[3], ...rules.slice(5)]);
  const calls = (name: string): string => {
    const run = new ScriptRun(withFileThp("upstream-6.1"), { config: [[RULES_FILE, exchanged]] });
    const { operations } = parseScript(script(`mmap V 4M rw shared file=/dev/hugelab-${name}`));
    return String((operations.map((operation) => run.step(operation)).at(-1) as unknown as { val: string }).val);
  };
  expect([calls("dax"), calls("daxmixed")]).toEqual(["1", "0"]);
});

describe("row 8: file_thp_enabled", () => {
  const script = (flags: string, open: string): string =>
    `file f /mnt/ext4 4M\nfwrite f 0 4M 1\nfsync f\nmmap V 4M ${flags} private rofile=f\n${open}\nmadvise V 4M hugepage\ntouch V 2M r\nmadvise V 2M collapse\nkhugepaged scan 1`;
  const answers = (profile: string, flags: string, open = "madvise V 4M normal"): readonly [number, unknown] => {
    const done = ran(profile, script(flags, open));
    return [eligibleOf(done), (done.steps[7] as unknown as { ret: unknown }).ret];
  };
  it("row 8: a regular, executable file that nobody has open for writing may be collapsed, and smaps says so; a fault hears no", () => {
    expect(answers("upstream-6.1", "rx")).toEqual([1, 0]);
    expect(answers("upstream-6.1", "rx", "mmap W 4k rw shared file=f")).toEqual([0, -1]);
    // until 6.7 only executable mappings
    expect(answers("upstream-6.7", "r")).toEqual([0, -1]);
    expect(answers("upstream-6.8", "r")).toEqual([1, 0]);
    const rule = releaseRules(eraWith("6.7"), "smaps").find((each) => each.condition === "fileThp");
    expect([rule?.pageFault, rule?.khugepaged, rule?.forcedCollapse, rule?.smaps]).toEqual(["next", "yes", "yes", "yes"]);
  });
  it("row 8: not where the kernel is built without CONFIG_READ_ONLY_THP_FOR_FS", () => {
    const run = new ScriptRun(findProfile("upstream-6.1") as Profile);
    const steps = parseScript(script("rx", "madvise V 4M normal")).operations.map((operation) => run.step(operation));
    expect(steps[7]).toMatchObject({ ret: -1, errno: "EINVAL" });
  });
});

it("row 9: the handler is trusted: neither the mode of its file nor the place of its mapping is looked at, and it may decline", () => {
  const across = ran(
    "upstream-6.7",
    `mmap V 4M rw shared file=/dev/hugelab-mixed off=4k\nmadvise V 4M hugepage\ntouch V w\n${debug("huge_faults_pmd")}\n${debug("faults")}`,
  );
  // called, declined, and again with the mmap_lock: the fault began anew since ->fault may sleep
  expect([valueAt(across, 3), valueAt(across, 4)]).toEqual(["2", "1"]);
  const older = ran("upstream-6.1", `mmap V 4M rw shared file=/dev/hugelab-mixed off=4k\nmadvise V 4M hugepage\ntouch V w\n${debug("huge_faults_pmd")}`, [
    "+huge-fault-fix-v2",
  ]);
  expect(valueAt(older, 3)).toBe("1");
  const off = ran("upstream-6.7", `sys set /sys/module/hugelab/parameters/huge_fault_order 0\n${DRIVER}\ntouch V w\n${debug("faults")}`);
  expect(valueAt(off, 4)).toBe("1");
});

it("row 10: no huge page for the temporary stack of an execve; afterwards it is a stack like any other. Without an anon_vma nothing is collapsed", () => {
  const wanted = CASES.find((each) => each.name.startsWith("C "));
  for (const profile of ["upstream-5.19", "upstream-6.1", "debian-6.18.15"]) {
    const { world, k, vma } = makeCase(wanted as (typeof CASES)[number], findProfile(profile) as Profile);
    world.machine.run(() => world.machine.writeFile("/sys/kernel/mm/transparent_hugepage/enabled", "always"));
    const pages = (): number => k.mmCount(vma.mm, MMC.anonPages);
    expect(pages()).toBe(1024);
    expect(smapsOf(k, k.vmas.get(vma.slot)).THPeligible).toBe(0);
    // down to the next blocks: page by page
    expect(runAlone(copyStrings(k, vma.mm, 1024 + 600))).toBe(0);
    expect([pages(), smapsOf(k, k.vmas.get(vma.slot)).AnonHugePages]).toEqual([1624, 0]);
    setupArgPages(k, vma.mm);
    expect(smapsOf(k, k.vmas.get(vma.slot)).THPeligible).toBe(1);
    expect(runAlone(copyStrings(k, vma.mm, 2047))).toBe(0);
    expect(world.machine.check()).toEqual([]);
  }
  const untouched = ran("upstream-6.1", "mmap V 4M rw private anon\nmadvise V 4M hugepage\nmadvise V 2M collapse");
  expect(untouched.steps[2]).toMatchObject({ ret: -1, errno: "EINVAL" });
  expect(eligibleOf(untouched)).toBe(1);
});

describe("row 11: THPeligible", () => {
  const after = (profile: string, patches: readonly string[], script: string): { eligible: number; huge: boolean } => {
    const done = ran(profile, `${script}\ntouch V+2M r\n${debug("huge_faults_pmd")}`, patches);
    const { machine, slots } = done.run.world;
    const start = Number((slots.get("V")?.base ?? 0n) / 4096n);
    const runs =
      done.steps
        .flatMap((step) => Object.values(step.procs ?? {}))
        .at(-1)
        ?.vmas.find((each) => each.at === "V+0x0")?.pm ?? [];
    expect(machine.vmas(machine.tasks()[1]).some((vma) => vma.start === start)).toBe(true);
    return { eligible: eligibleOf(done), huge: runs.some((each) => each.n >= 512) };
  };
  it("row 11: with v2 a driver's fault is huge and smaps says 0; v3 says 1", () => {
    expect(after("upstream-6.1", ["+huge-fault-fix-v2"], DRIVER)).toEqual({ eligible: 0, huge: true });
    expect(after("upstream-6.1", ["+huge-fault-fix-v3"], DRIVER)).toEqual({ eligible: 1, huge: true });
  });
  it("row 11: the holes that remain: DAX says 0 and is huge, so does a driver's mapping across blocks; a special file says 1 and never is", () => {
    expect(after("debian-6.18.15", [], "mmap V 4M rw shared file=/dev/hugelab-dax")).toEqual({ eligible: 0, huge: true });
    // hole b: the check of a fault does not look at the place; this driver does, and declines
    const across = ran("debian-6.18.15", `mmap V 4M rw shared file=/dev/hugelab-mixed off=4k\nmadvise V 4M hugepage\ntouch V r\n${debug("huge_faults_pmd")}`);
    expect(eligibleOf(across)).toBe(0);
    expect(Number(valueAt(across, 3))).toBeGreaterThan(0);
    expect(after("upstream-6.1", ["+huge-fault-fix-v3"], "mmap V 4M rx private rofile=/mnt/cramfs/program\nmadvise V 4M hugepage")).toEqual({
      eligible: 1,
      huge: false,
    });
  });
});

it("row 12: the driver that lost its huge pages: SC-000-1, handler calls 1, 0, 0, 1, 1 and the rule that decided", () => {
  const found = SERIES.map(([, profile, patches]) => {
    const done = ran(profile, `${DRIVER}\ntouch V w\n${debug("huge_faults_pmd")}\ntouch V 2M w`, patches);
    const { machine } = done.run.world;
    const vma = machine
      .tasks()
      .flatMap((task) => machine.vmas(task))
      .find((each) => each.ops === "device");
    const rule = answerOf(machine.kernel, vma as never, "pageFault").rule;
    // one fault for all, or one for each page of the 2 MiB
    const faults = [2, 4].map((at) => (done.steps[at].flt as { pf?: number } | undefined)?.pf ?? 0);
    return [valueAt(done, 3), faults[0] + faults[1], rule?.id, rule?.condition];
  });
  expect(found).toEqual([
    ["1", 1, "F7", "otherwise"],
    ["0", 512, "R4", "special"],
    ["0", 512, "R9", "notAnonymous"],
    ["1", 1, "R8a", "hugeFault"],
    ["1", 1, "R8a", "hugeFault"],
  ]);
});

it("row 13: PUD, then PMD, then PTE, each where VM_FAULT_FALLBACK came back; anonymous memory is not asked about a PUD", () => {
  const counters = `${debug("huge_faults_pud")}\n${debug("huge_faults_pmd")}\n${debug("faults")}`;
  const at = (done: Ran): string[] => [-3, -2, -1].map((i) => valueAt(done, i));
  // the driver has nothing of 1 GiB: once for each empty PUD entry
  expect(at(ran("upstream-5.19", `${DRIVER}\ntouch V w\ntouch V+2M w\n${counters}`))).toEqual(["1", "2", "0"]);
  const pages = `sys set /sys/module/hugelab/parameters/huge_fault_order 0\n${DRIVER}\ntouch V w\ntouch V+4k w\n${counters}`;
  expect(at(ran("upstream-5.19", pages))).toEqual(["1", "1", "2"]);
  // since 6.6 ->huge_fault is called under the VMA's lock first, and again with the mmap_lock that ->fault needs
  expect(at(ran("upstream-6.7", pages))).toEqual(["2", "2", "2"]);
  expect(at(ran("upstream-6.1", `mmap V 4M rw private anon\nmadvise V 4M hugepage\ntouch V w\n${counters}`))).toEqual(["0", "0", "0"]);
  const small = `mmap V 4M rw shared file=/dev/hugelab-small\nmadvise V 4M hugepage\ntouch V w\n${counters}`;
  expect(at(ran("upstream-5.19", small))).toEqual(["0", "0", "1"]);
});

it("row 14: what was asked of the fix in review, and how it was settled, stands with the patch", () => {
  const render = renderer({ ...sessionMessagesEn, ...terminalMessagesEn });
  const toggle = findToggle("huge-fault-fix-v3");
  const text = toggle === undefined ? "" : eraDetail(toggle, togglesOf("6.1"), render).join("\n");
  for (const word of ["out-of-tree", "Fixes", "DAX", "stable", "VM_MIXEDMAP"]) expect(text, word).toContain(word);
  expect(eraDetail(findToggle("mthp") as NonNullable<typeof toggle>, [], render).join("\n")).not.toContain(render({ key: "session.review.title", args: {} }));
});
