import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Machine } from "../src/kernel/machine.ts";
import { failed } from "../src/kernel/mm/errno.ts";
import { MAP } from "../src/kernel/mm/mmap.ts";
import { findProfile } from "../src/kernel/profile/profile.ts";
import { runAlone } from "../src/kernel/sched/points.ts";
import { sysMadvise, sysMmap, sysMprotect } from "../src/kernel/syscalls.ts";
import { touchRange } from "../src/kernel/touch.ts";
import { deriveAlone, TARGET } from "../tools/deriveAlone.mjs";

test("alone.ts is what the tool derives from the generators", async () => {
  expect(readFileSync(TARGET, "utf8"), "run: node tools/node24.mjs tools/deriveAlone.mjs").toBe(await deriveAlone());
});

const BASE = 0x100000000000;
const MIB = 1 << 20;

/** The same commands, by the generators where `preempt` is true: every point yields, and nobody else runs. */
function life(preempt: boolean): { hash: string; faults: string[]; results: unknown[] } {
  const profile = findProfile("debian-6.18.15");
  if (profile === undefined) throw new Error("no profile");
  const machine = new Machine({ profile, memoryMiB: 256 });
  const task = machine.task(machine.spawn({ comm: "p" }));
  if (task === undefined) throw new Error("no process");
  const k = machine.kernel;
  const faults: string[] = [];
  machine.hooks = { onFault: (mm, vpn, offset, error) => faults.push(`${mm} ${vpn} ${offset} ${error}`), onQuantum: null };
  const results: unknown[] = [];
  const touch = (from: number, to: number, step: number, kind: "r" | "w" | "x"): void => {
    machine.beginStep();
    k.preempt = preempt;
    // locks are held by a thread
    k.thread = preempt ? 1 : 0;
    results.push(runAlone(touchRange(k, task, BASE + from, BASE + to, step, kind, 7)));
    k.preempt = false;
    k.thread = 0;
  };
  const done = (r: unknown): void => expect(failed(r as never)).toBe(false);
  done(machine.run(() => machine.writeFile("/sys/kernel/mm/transparent_hugepage/enabled", "madvise")));
  done(
    machine.run(() => sysMmap(k, task, { address: BigInt(BASE), length: BigInt(16 * MIB), prot: 3, flags: MAP.private | MAP.anonymous | MAP.fixedNoReplace })),
  );
  done(machine.run(() => sysMadvise(k, task, BigInt(BASE + 8 * MIB), BigInt(4 * MIB), 14)));
  touch(0, 4 * MIB, 4096, "w");
  touch(4 * MIB, 6 * MIB, 8192, "r");
  touch(4 * MIB, 6 * MIB, 4096, "w");
  touch(8 * MIB + 5, 10 * MIB, 4096, "r");
  touch(8 * MIB, 14 * MIB, 65536, "w");
  done(machine.run(() => sysMprotect(k, task, BigInt(BASE + MIB), BigInt(MIB), 1)));
  touch(0, 3 * MIB, 4096, "w");
  touch(15 * MIB, 18 * MIB, 4096, "r");
  touch(2 * MIB, 2 * MIB + 1, 4096, "x");
  return { hash: machine.hash(), faults, results };
}

test("the derived functions leave the state that the generators leave", () => {
  const direct = life(false);
  expect(direct.faults.length).toBeGreaterThan(1000);
  expect(direct.results).toContainEqual(expect.objectContaining({ signals: expect.arrayContaining([expect.objectContaining({ count: 256 })]) as unknown }));
  expect(life(true)).toEqual(direct);
});
