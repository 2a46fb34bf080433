import { Machine } from "../../src/kernel/machine.ts";
import type { Kernel } from "../../src/kernel/mm/kernel.ts";
import { failed, type Result } from "../../src/kernel/mm/errno.ts";
import { MAP } from "../../src/kernel/mm/mmap.ts";
import type { Task } from "../../src/kernel/mm/records.ts";
import { findProfile } from "../../src/kernel/profile/profile.ts";
import type { Op } from "../../src/kernel/sched/points.ts";
import { sysMmap, sysMunmap } from "../../src/kernel/syscalls.ts";
import { touchRange } from "../../src/kernel/touch.ts";

/** Machines to measure: booted and driven through the public face of the kernel, as a session does it. */

export const PAGE = 4096;
/** Where benches map: the first slot of the command form's scripts. */
export const BASE = 0x100000000000;
const PROFILE = "debian-6.18.15";
const THP = "/sys/kernel/mm/transparent_hugepage";

export interface Bench {
  readonly machine: Machine;
  readonly kernel: Kernel;
  task: Task;
}

/** A machine with one process. `thp`: the global setting. */
export function bootBench(memoryMiB: number, thp: "always" | "never"): Bench {
  const profile = findProfile(PROFILE);
  if (profile === undefined) throw new Error(`no profile ${PROFILE}`);
  const machine = new Machine({ profile, memoryMiB });
  const task = machine.task(machine.spawn({ comm: "bench" }));
  if (task === undefined) throw new Error("no process");
  const bench = { machine, kernel: machine.kernel, task };
  writeSetting(bench, "enabled", thp);
  return bench;
}

/** Runs an operation as a command of its own. Throws when it failed. */
export function command<T>(bench: Bench, op: (k: Kernel) => Op<Result<T>>): T {
  bench.machine.beginStep();
  const r = bench.machine.run(op);
  if (failed(r)) throw new Error(`the operation failed with ${r.errno}`);
  return r;
}

/** Writes a file below /sys/kernel/mm/transparent_hugepage. */
export function writeSetting(bench: Bench, file: string, value: string): void {
  command(bench, () => bench.machine.writeFile(`${THP}/${file}`, value));
}

export function map(bench: Bench, pages: number, at = BASE): void {
  const flags = MAP.private | MAP.anonymous | MAP.fixedNoReplace;
  command(bench, (k) => sysMmap(k, bench.task, { address: BigInt(at), length: BigInt(pages * PAGE), prot: 3, flags }));
}

export function unmap(bench: Bench, pages: number): void {
  command(bench, (k) => sysMunmap(k, bench.task, BigInt(BASE), BigInt(pages * PAGE)));
}

/** One command that writes a byte to every `stride`th page. Returns how many accesses succeeded. */
export function touch(bench: Bench, pages: number, stride = 1, at = BASE): number {
  bench.machine.beginStep();
  return bench.machine.run((k) => touchRange(k, bench.task, at, at + pages * PAGE, stride * PAGE, "w", 1)).ok;
}

/** One command that writes a byte to one page. */
export function touchPage(bench: Bench, page: number): number {
  bench.machine.beginStep();
  const at = BASE + page * PAGE;
  return bench.machine.run((k) => touchRange(k, bench.task, at, at + 1, PAGE, "w", 1)).ok;
}

/** Fails the bench when it did not measure what it says. */
export function expect(name: string, found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${name}: ${found} instead of ${wanted}`);
}
