import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findProfile } from "../kernel/profile/profile.ts";
import { bugOn } from "../kernel/assert.ts";
import { faultAndAccount } from "../kernel/mm/fault.ts";
import { FAULT } from "../kernel/mm/faultFlags.ts";
import { translate } from "../kernel/mm/translate.ts";
import { writePage } from "../kernel/mm/content.ts";
import { vmaAt } from "../kernel/mm/vma.ts";
import { mmapReadLock, mmapReadUnlock, mmapWriteLock, mmapWriteUnlock } from "../kernel/sched/locks.ts";
import { runAlone } from "../kernel/sched/points.ts";
import type { Pfn } from "../kernel/units.ts";
import { parseThreadedScript, type ThreadedScript } from "../shell/threadedScript.ts";
import { execute } from "./execute.ts";
import { explore, type ExploreOptions, type ExploreResult } from "./explore.ts";
import { ScheduleRun, type CarryOut } from "./threads/schedule.ts";
import { stepMessage } from "./threads/scheduleText.ts";
import { threadMessagesEn } from "./threads/messages.en.ts";
import { World } from "./world.ts";

/** DESIGN.md section 9, "Races": through the simulator's own functions; taking any line of the fix away brings the race back. */

const profileOf = (release: string) => findProfile(`upstream-${release}`)!;

function parse(source: string): ThreadedScript {
  const { script, errors } = parseThreadedScript(source);
  expect(errors).toEqual([]);
  return script;
}

const script = (name: string): ThreadedScript => parse(readFileSync(join(import.meta.dirname, "../../conformance/races", `${name}.txt`), "utf8"));

const run = (s: ThreadedScript, release: string, patches: readonly string[] = [], more: Partial<ExploreOptions> = {}): ExploreResult =>
  explore(s, { profile: profileOf(release), patches, bound: null, ...more });

const HELD = { breach: null, coverage: "exhausted" };
const STALE = { breach: { what: { key: "session.broken.pinStale" } } };

describe("GUP-fast against collapse", () => {
  it.each(["6.1", "6.4", "6.12", "6.18"])("no interleaving of %s breaks, and none was left out", (release) => {
    expect(run(script("gup-fast-vs-collapse"), release)).toMatchObject({ ...HELD, refused: [] });
    expect(run(script("gup-fast-vs-khugepaged"), release)).toMatchObject({ ...HELD, refused: [] });
  });

  it.each(["5.19", "6.0"])("%s, which has no recheck of the PMD, breaks through khugepaged", (release) => {
    expect(run(script("gup-fast-vs-khugepaged"), release)).toMatchObject({ ...STALE, refused: [] });
    expect(run(script("gup-fast-vs-khugepaged"), release, ["+gup-fast-recheck"])).toMatchObject({ ...HELD, refused: [] });
  });

  it("breaks without the recheck of the PMD: the pinned page is no longer the mapping's", () => {
    const result = run(script("gup-fast-vs-collapse"), "6.18", ["-gup-fast-recheck"]);
    expect(result).toMatchObject({ ...STALE, refused: [] });
    const points = result.breach!.steps.map((s) => `${s.thread} ${s.point}`);
    // the reference is taken between the look at the references and the copy
    expect(points.indexOf("T1 gupFast.readPmd")).toBeLessThan(points.indexOf("T2 collapse.flushed"));
    expect(points.indexOf("T2 collapse.isolated")).toBeLessThan(points.indexOf("T1 gupFast.grabbed"));
    expect(points.at(-1)).toBe("T2 null");
  });

  it("says the shortest schedule: with fewer preemptions there is none", () => {
    const broken = run(script("gup-fast-vs-collapse"), "6.18", ["-gup-fast-recheck"]).breach!;
    expect(broken.preemptions).toBe(2);
    expect(run(script("gup-fast-vs-collapse"), "6.18", ["-gup-fast-recheck"], { bound: 1 })).toMatchObject({
      breach: null,
      coverage: "bounded",
      preemptions: 1,
    });
    expect(run(script("gup-fast-vs-collapse"), "6.18", ["-gup-fast-recheck"], { bound: 2 }).breach).toEqual(broken);
  });

  it("breaks without the recheck of the PTE, when the collapse is undone in time", () => {
    expect(run(script("gup-fast-vs-collapse-and-split"), "6.18")).toMatchObject({ ...HELD, refused: [] });
    expect(run(script("gup-fast-vs-collapse-and-split"), "6.18", ["-gup-fast-pte-recheck"])).toMatchObject({ ...STALE, refused: [] });
  });

  it("does not break when collapse waits for GUP-fast, though nothing is read again", () => {
    expect(run(script("gup-fast-vs-collapse"), "6.18", ["-gup-fast-recheck", "+collapse-sync"])).toMatchObject(HELD);
  });

  it("notices a page that was freed and given to somebody else before GUP-fast took its reference", () => {
    const reuse = parse(
      "setup:\n mmap A 8k rw private anon\n touch A w v=1\n mmap B 4k rw private anon\nthread T1:\n gup A w fast\nthread T2:\n madvise A 4k dontneed\n touch B w v=7\n",
    );
    expect(run(reuse, "6.18")).toMatchObject({ ...HELD, refused: [] });
    expect(run(reuse, "6.18", ["-gup-fast-pte-recheck"])).toMatchObject({ breach: { what: { key: "session.broken.pinStranger" } } });
  });

  it("leaves the table that GUP-fast walks alone until it has ended", () => {
    // MADV_DONTNEED frees the table, and the fault on B would take it into use: with B's page where A's was
    const reuse = parse(
      "setup:\n mmap A 2M rw private anon\n touch A w v=1\n mmap B 4M rw private anon\n touch B+2M w v=1\nthread T1:\n gup A w fast\nthread T2:\n madvise A 2M dontneed\n touch B w v=7\n",
    );
    expect(run(reuse, "6.18", ["-gup-fast-recheck"])).toMatchObject({ ...HELD, refused: [] });
  });

  it("holds against munmap in every release", () => {
    const unmap = parse(
      "setup:\n mmap A 4k rw private anon\n touch A w v=1\n mmap B 4k rw private anon\nthread T1:\n gup A w fast\nthread T2:\n munmap A 4k\n touch B w v=7\n",
    );
    for (const release of ["5.19", "6.4", "6.18"]) expect(run(unmap, release)).toMatchObject({ ...HELD, refused: [] });
  });
});

describe("GUP-fast against fork", () => {
  it.each(["5.19", "6.1", "6.18"])("no interleaving of %s breaks", (release) => {
    expect(run(script("fork-vs-gup"), release)).toMatchObject({ ...HELD, refused: [] });
  });

  it("a pin for reading sees later writes too: a shared page is unshared first", () => {
    const shared = parse("setup:\n mmap A 4k rw private anon\n touch A w v=1\n fork C\nthread T1:\n gup A r fast\nthread T2:\n touch A w v=2\n");
    for (const release of ["5.19", "6.18"]) expect(run(shared, release)).toMatchObject({ ...HELD, refused: [] });
  });

  it("breaks without write_protect_seq", () => {
    expect(run(script("fork-vs-gup"), "6.18", ["-gup-fast-fork-seq"])).toMatchObject({ ...STALE, refused: [] });
  });
});

/** Writes as a page fault would that takes no lock, with the fault path's own functions. */
const withoutFaultLocks: CarryOut = (world, operation) => {
  const { body } = operation;
  if (body.op !== "touch") return execute(world, operation);
  return (function* () {
    const k = world.machine.kernel;
    const { mm } = world.task(world.find("P")!);
    const address = Number(world.slots.resolve(body.range.at)!.address);
    const vpn = Math.floor(address / 4096);
    for (;;) {
      const pfn = translate(k, mm, vpn, "w");
      if (pfn >= 0) {
        writePage(k, pfn as Pfn, address % 4096, 1, body.value);
        return { cnt: 1, ok: 1 };
      }
      yield "fault.entry";
      yield* faultAndAccount(k, vmaAt(k, mm, vpn)!, vpn, FAULT.user | FAULT.write);
    }
  })();
};

describe("faults", () => {
  it.each(["6.1", "6.4", "6.18"])("a fault and a collapse in %s lose nothing", (release) => {
    expect(run(script("fault-vs-collapse"), release)).toMatchObject({ ...HELD, refused: [] });
  });

  it.each(["6.1", "6.18"])("without its lock the fault would break in %s", (release) => {
    expect(run(script("fault-vs-collapse"), release, [], { carryOut: withoutFaultLocks }).breach).not.toBeNull();
  });

  it("a fault and khugepaged's collapse in 5.19 lose nothing", () => {
    const daemon = parse(
      "setup:\n mmap A 2M rw private anon\n touch A 2M w v=1\n madvise A 2M hugepage\nthread T1:\n touch A+4k w v=2\nthread T2:\n khugepaged scan 1\n",
    );
    expect(run(daemon, "5.19")).toMatchObject({ ...HELD, refused: [] });
  });

  it.each(["5.19", "6.1", "6.4", "6.18"])("two faults on one page, or on one huge page, in %s keep both bytes and lose no page", (release) => {
    expect(run(script("two-faults"), release)).toMatchObject({ ...HELD, refused: [] });
    expect(run(script("two-huge-faults"), release)).toMatchObject({ ...HELD, refused: [] });
  });

  it("a fault notices that MADV_DONTNEED freed its page table", () => {
    // B takes the table that was A's, and A's entry must not come into it
    const freed = parse(
      "setup:\n mmap A 2M rw private anon\n touch A w v=1\n mmap B 4M rw private anon\n touch B+2M w v=1\nthread T1:\n touch A+4k w v=2\nthread T2:\n madvise A 2M dontneed\n touch B w v=7\n",
    );
    expect(run(freed, "6.18")).toMatchObject({ ...HELD, refused: [] });
  });

  it("faults against changes of the mapping lose nothing", () => {
    const against = (line: string): ThreadedScript =>
      parse(`setup:\n mmap A 16k rw private anon\n touch A w v=1\nthread T1:\n touch A w v=2\n touch A+4k w v=3\nthread T2:\n ${line}\n`);
    for (const release of ["5.19", "6.18"]) {
      for (const line of ["mprotect A 16k r", "munmap A 8k", "mremap A+4k 4k 4k maymove fixed=B", "madvise A 16k dontneed", "mlock A 8k", "fork C"]) {
        expect([line, run(against(line), release)]).toMatchObject([line, { ...HELD, refused: [] }]);
      }
    }
  });
});

describe("the explorer", () => {
  const small = parse("setup:\n mmap A 8k rw private anon\n touch A w v=1\nthread T1:\n gup A w fast\nthread T2:\n madvise A 4k dontneed\n touch A w v=2\n");

  function scheduleRun(s: ThreadedScript): ScheduleRun {
    const world = new World(profileOf("6.18"), { cpus: s.threads.length });
    for (const operation of s.setup) runAlone(execute(world, operation));
    return new ScheduleRun(
      world,
      s.threads.map((t) => t.operations),
      execute,
    );
  }

  it("arrives at every end that trying all interleavings arrives at", () => {
    const schedule = scheduleRun(small);
    const ends = new Set<string>();
    let interleavings = 0;
    const tryAll = (choices: readonly number[]): void => {
      schedule.reset();
      for (const thread of choices) schedule.step(thread);
      if (schedule.ended) {
        interleavings++;
        ends.add(schedule.position());
        return;
      }
      for (const thread of schedule.runnable()) tryAll([...choices, thread]);
    };
    tryAll([]);
    const result = run(small, "6.18");
    expect(interleavings).toBeGreaterThan(200);
    expect(result.schedules).toBeLessThan(interleavings);
    expect(result.ends).toBe(ends.size);
  });

  it("restores a position by replaying its choices", () => {
    const schedule = scheduleRun(script("fault-vs-collapse"));
    const names: string[] = [];
    const choices: number[] = [];
    for (let i = 0; !schedule.ended; i++) {
      const runnable = schedule.runnable();
      choices.push(runnable[i % runnable.length]);
      schedule.step(choices[i]);
      names.push(schedule.position());
    }
    for (const at of [names.length, 3, 0, 7]) {
      schedule.reset();
      for (const thread of choices.slice(0, at)) schedule.step(thread);
      if (at > 0) expect(schedule.position()).toBe(names[at - 1]);
    }
  });

  it("names a deadlock", () => {
    const crossed: CarryOut = (world, operation) =>
      (function* () {
        const k = world.machine.kernel;
        const [a, b] = operation.text.startsWith("munmap") ? [1001, 1002] : [1002, 1001];
        yield* mmapWriteLock(k, a);
        yield* mmapReadLock(k, b);
        mmapReadUnlock(k, b);
        mmapWriteUnlock(k, a);
        return { ret: 0 };
      })();
    const s = parse("thread T1:\n munmap A 4k\nthread T2:\n msync A 4k\n");
    const { breach } = run(s, "6.18", [], { carryOut: crossed });
    expect(breach?.what).toEqual({ key: "session.broken.deadlock", args: { waiters: "T1 > mmap_lock > T2, T2 > mmap_lock > T1" } });
    expect(breach?.preemptions).toBe(1);
  });

  it("reports an assertion with the schedule that led to it", () => {
    const asserts: CarryOut = (world, operation) =>
      (function* () {
        const { kernel } = world.machine;
        yield "access.done";
        if (operation.text.startsWith("munmap")) kernel.misc.add(99, 1);
        yield "access.done";
        // T2 looks while T1 has begun and not ended
        bugOn(operation.text.startsWith("msync") && kernel.misc.get(99) === 1, "seen in the middle");
        if (operation.text.startsWith("munmap")) kernel.misc.add(99, 1);
        return { ret: 0 };
      })();
    const { breach } = run(parse("thread T1:\n munmap A 4k\nthread T2:\n msync A 4k\n"), "6.18", [], { carryOut: asserts });
    expect(breach).toMatchObject({ what: { key: "session.broken.assertion", args: { text: "seen in the middle" } }, preemptions: 1 });
    expect(breach!.steps.at(-1)).toMatchObject({ thread: "T2" });
  });

  it("stops when it is told to, and says so", () => {
    let left = 5;
    expect(run(script("two-faults"), "6.18", [], { goOn: () => left-- > 0 })).toMatchObject({ breach: null, coverage: "stopped", schedules: 5 });
    expect(run(script("two-faults"), "6.18", [], { mostSchedules: 7 })).toMatchObject({ breach: null, coverage: "stopped", schedules: 7 });
  });

  it("says what was refused, so that nothing holds by doing nothing", () => {
    expect(run(script("gup-fast-vs-collapse"), "5.19").refused).toMatchObject([{ operation: "madvise A 2M collapse", result: { errno: "EINVAL" } }]);
  });

  it("has a sentence for every step of every schedule", () => {
    const keys = new Set<string>();
    for (const name of ["gup-fast-vs-collapse", "fault-vs-collapse", "two-faults", "two-huge-faults", "fork-vs-gup"]) {
      const schedule = scheduleRun(script(name));
      for (let i = 0; !schedule.ended; i++) {
        const runnable = schedule.runnable();
        const thread = runnable[Math.floor(i / 2) % runnable.length];
        schedule.step(thread);
        keys.add(stepMessage({ thread: "", line: 1, operation: "", result: null, point: schedule.pointOf(thread) }).key);
      }
    }
    expect(keys.size).toBeGreaterThan(10);
    expect([...keys].filter((key) => !Object.hasOwn(threadMessagesEn, key))).toEqual([]);
  });
});

describe("collapse of files", () => {
  const bounded = { breach: null, refused: [] };

  it.each(["6.1", "6.5", "6.6", "6.18"])("a fault keeps away from a page table that is taken out, %s", (release) => {
    expect(run(script("fault-vs-retract"), release, [], { bound: 2 })).toMatchObject(bounded);
  });

  it.each(["6.5", "6.18"])(
    "row 18: without the lock of the folio a page is mapped into the table that goes, with the mmap_lock of 6.5 and without it, %s",
    (release) => {
      const { breach } = run(script("fault-vs-retract"), release, ["-fault-locks-folio"], { bound: 2 });
      expect(breach).toMatchObject({ what: { key: "session.broken.assertion" }, preemptions: 1 });
    },
  );

  it("GUP-fast and a table that is freed under it: either protection is enough, without both a pin is on a stranger's page", () => {
    const broken = run(script("gup-fast-vs-retract"), "6.18", ["-retract-sync", "-gup-fast-recheck"], { bound: 2 });
    expect(broken).toMatchObject({ breach: { what: { key: "session.broken.pinStranger" }, preemptions: 1 } });
    for (const patches of [[], ["-retract-sync"], ["-gup-fast-recheck"]]) {
      expect(run(script("gup-fast-vs-retract"), "6.18", patches, { bound: 1 })).toMatchObject(bounded);
    }
  });

  it.each([
    ["6.1", []],
    ["6.5", []],
    ["6.18", []],
  ] as const)("row 18: truncation and collapse in place keep apart, %s", (release, patches) => {
    expect(run(script("truncate-vs-collapse"), release, patches, { bound: 2 })).toMatchObject({ breach: null });
  });

  it("row 18: without i_mmap truncation takes mappings back a second time, as long as entries are not cleared", () => {
    const result = run(script("truncate-vs-collapse"), "6.1", ["-collapse-imap-lock"], { bound: 2 });
    expect(result).toMatchObject({ breach: { what: { key: "session.broken.assertion" }, preemptions: 1 } });
  });
});
