import { expect, it } from "vitest";
import { findProfile, type Profile } from "../profile/profile.ts";
import { Machine } from "../machine.ts";
import { sysFork, sysExit, sysMunmap } from "../syscalls.ts";
import { failed } from "../mm/errno.ts";
import { IPC, SHM, shmAttached, sysShmat, sysShmdt, sysShmget, sysShmRmid } from "./shm.ts";

/** Figures from a C program on Linux 6.18.44 (shmget to shmctl on a fresh table); the scripts of conformance/recorded have the rest. */

function machine(): { m: Machine; task: ReturnType<Machine["tasks"]>[number] } {
  const m = new Machine({ profile: findProfile("vm-6.18.44") as Profile, memoryMiB: 512 });
  return { m, task: m.kernel.tasks.get(m.spawn({ comm: "P" })) };
}

it("gives ids in turn of 64 places, and begins anew with the next sequence number", () => {
  const { m, task } = machine();
  const ids = [];
  for (let i = 0; i < 81; i++) {
    const id = sysShmget(m.kernel, task, IPC.private, 4096n, 0o600) as number;
    ids.push(id);
    sysShmRmid(m.kernel, task, id);
  }
  expect([ids[0], ids[1], ids[63], ids[64], ids[80]]).toEqual([0, 1, 63, 1 << 15, (1 << 15) | 16]);
  // an id of a place that another segment has now
  const live = sysShmget(m.kernel, task, IPC.private, 4096n, 0o600) as number;
  expect(sysShmRmid(m.kernel, task, live - (1 << 15))).toMatchObject({ errno: "EINVAL" });
});

it("removes a segment with its last mapping, whoever has it", () => {
  const { m, task } = machine();
  const k = m.kernel;
  const inodes = k.inodes.count;
  const id = sysShmget(k, task, 77, 8192n, IPC.creat | 0o600) as number;
  const at = m.run(() => sysShmat(k, task, id, 0n, 0)) as bigint;
  const child = k.tasks.get(m.run(() => sysFork(k, task, "C")) as number);
  const [[, segment]] = [...k.shms.entries()];
  expect(shmAttached(k, segment)).toBe(2);
  sysShmRmid(k, task, id);
  expect(sysShmget(k, task, 77, 0n, 0)).toMatchObject({ errno: "ENOENT" });
  expect(m.run(() => sysShmdt(k, task, at))).toBe(0);
  expect(k.shms.count).toBe(1);
  expect(m.check()).toEqual([]);
  sysExit(k, child);
  expect(k.shms.count).toBe(0);
  expect(k.inodes.count).toBe(inodes);
  expect(m.check()).toEqual([]);
});

it("unmaps what is left of an attachment whose beginning is gone, and no other", () => {
  const { m, task } = machine();
  const k = m.kernel;
  const id = sysShmget(k, task, IPC.private, 12288n, 0o600) as number;
  const at = m.run(() => sysShmat(k, task, id, 0x7000000000n, 0)) as bigint;
  const other = m.run(() => sysShmat(k, task, id, 0x7000003000n, SHM.rdOnly));
  expect(failed(other)).toBe(false);
  m.run(() => sysMunmap(k, task, at, 4096n));
  expect(m.run(() => sysShmdt(k, task, at + 4096n))).toMatchObject({ errno: "EINVAL" });
  expect(m.run(() => sysShmdt(k, task, at))).toBe(0);
  expect(m.vmas(task).map((vma) => vma.start)).toEqual([0x7000003]);
});
