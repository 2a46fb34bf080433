import { expect, it } from "vitest";
import { Machine } from "../machine.ts";
import { findProfile, type Profile } from "../profile/profile.ts";
import { runAlone } from "../sched/points.ts";
import { sysFork, sysMmap, sysMremap, sysMunmap } from "../syscalls.ts";
import { touchRange } from "../touch.ts";
import { failed, type Result } from "./errno.ts";
import { MAP } from "./mmap.ts";
import { allocPages } from "./pageAlloc.ts";
import { NO_PFN } from "../units.ts";
import type { Task } from "./records.ts";

/** A process with `pages` written pages at 1 GiB, on a machine in which no more than `left` frames are to be had. */
function tight(pages: number, left: number): { machine: Machine; task: Task; start: bigint } {
  const machine = new Machine({ profile: findProfile("upstream-6.18") as Profile, memoryMiB: 32 });
  const k = machine.kernel;
  const task = k.tasks.get(machine.spawn({ comm: "P" }));
  const start = 1n << 30n;
  machine.run((kk) => sysMmap(kk, task, { address: start, length: BigInt(pages) * 4096n, prot: 3, flags: MAP.private | MAP.anonymous | MAP.fixed }));
  runAlone(touchRange(k, task, Number(start), Number(start) + pages * 4096, 4096, "w", 7));
  const rest = { address: 1n << 35n, length: 30n << 20n, prot: 3, flags: MAP.private | MAP.anonymous | MAP.fixed | MAP.populate };
  machine.run((kk) => sysMmap(kk, task, rest));
  expect(allocPages(k, 0, "unmovable")).toBe(NO_PFN);
  machine.run((kk) => sysMunmap(kk, task, rest.address, BigInt(left) * 4096n));
  expect(machine.check()).toEqual([]);
  return { machine, task, start };
}

it("ends a fork with ENOMEM wherever memory runs out, and leaves nothing of the child", () => {
  const outcomes = new Set<string>();
  for (let left = 0; left < 30; left += 2) {
    const { machine, task } = tight(600, left);
    const r: Result = machine.run((k) => sysFork(k, task, "C"));
    expect(machine.check(), `${left} frames`).toEqual([]);
    expect(machine.tasks()).toHaveLength(failed(r) ? 1 : 2);
    outcomes.add(failed(r) ? r.errno : "done");
  }
  expect(outcomes).toEqual(new Set(["ENOMEM", "done"]));
});

it("moves back what mremap moved when memory runs out", () => {
  const outcomes = new Set<string>();
  for (let left = 0; left < 12; left++) {
    const { machine, task, start } = tight(1400, left);
    const length = 1400n * 4096n;
    // not aligned alike: entries move one by one, into tables that are new
    const call = { address: start, oldLength: length, newLength: length, mayMove: true, dontUnmap: false, fixed: (3n << 40n) + 4096n };
    const r = machine.run((k) => sysMremap(k, task, call));
    expect(machine.check(), `${left} frames`).toEqual([]);
    const at = failed(r) ? start : call.fixed;
    const read = runAlone(touchRange(machine.kernel, task, Number(at), Number(at + length), 4096, "r", 0));
    expect([read.ok, read.sum]).toEqual([1400, 1400 * 7]);
    outcomes.add(failed(r) ? r.errno : "done");
  }
  expect(outcomes).toEqual(new Set(["ENOMEM", "done"]));
});
