import { IPC, SHM, shmAttached, sysShmat, sysShmdt, sysShmget, sysShmRmid, sysShmStat } from "../kernel/ipc/shm.ts";
import { failed, type Result } from "../kernel/mm/errno.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import type { ShmSegment, Task } from "../kernel/mm/records.ts";
import type { OperationBody } from "../shell/operation.ts";
import type { Carried, ResultFields } from "./execute.ts";
import type { Stage } from "./world.ts";

/** Operations of scripts on SysV shared memory. A name stands for the id of a segment, for all processes. */

type ShmBody = Extract<OperationBody, { op: "shmget" | "shmat" | "shmdt" | "shmctl" }>;

/** permissions of what a script makes */
const MODE = 0o600;

const printed = (r: Result): ResultFields => (failed(r) ? { ret: -1, errno: r.errno, ...(r.hint === undefined ? {} : { hint: r.hint }) } : { ret: r });

/** The id that a name stands for; -1, as the recorder passes it, for another name. */
function shmidOf(world: Stage, name: string): number {
  const file = world.files.get(name);
  return file !== undefined && "shmid" in file ? file.shmid : -1;
}

export const shmgetFlags = (body: Extract<ShmBody, { op: "shmget" }>): number =>
  MODE | (body.create ? IPC.creat : 0) | (body.excl ? IPC.excl : 0) | (body.noReserve ? SHM.noReserve : 0);

export function* shmOperation(world: Stage, task: Task, body: ShmBody): Carried {
  const k = world.machine.kernel;
  switch (body.op) {
    case "shmget": {
      const id = sysShmget(k, task, body.key, body.bytes, shmgetFlags(body));
      if (failed(id)) return printed(id);
      world.files.set(body.name, { shmid: id });
      return { ret: 0 };
    }
    case "shmat":
      return yield* attach(world, task, body);
    case "shmdt": {
      const at = world.slots.resolve(body.at);
      return at === undefined ? { error: "addr" } : printed(yield* sysShmdt(k, task, at.address));
    }
    case "shmctl": {
      const id = shmidOf(world, body.segment);
      if (body.call === "rmid") return printed(sysShmRmid(k, task, id));
      const segment = sysShmStat(k, task, id);
      if (failed(segment)) return printed(segment);
      return { ret: 0, val: `nattch=${shmAttached(k, segment)} size=${segment.sizeBytes} mode=${shmMode(segment).toString(8)}` };
    }
  }
}

/** shm_perm.mode with SHM_DEST. */
export const shmMode = (segment: ShmSegment): number => segment.mode | (segment.isRemoved ? 0o1000 : 0);

export const SHMAT_BITS = { rdonly: SHM.rdOnly, exec: SHM.exec, rnd: SHM.rnd, remap: SHM.remap, noaddr: 0 } as const;

function* attach(world: Stage, task: Task, body: Extract<ShmBody, { op: "shmat" }>): Carried {
  const slot = world.slots.get(body.name);
  if (slot === undefined) return { error: "slot" };
  const at = body.at === null ? { address: slot.base } : world.slots.resolve(body.at);
  if (at === undefined) return { error: "at" };
  const k = world.machine.kernel;
  const anywhere = body.flags.includes("noaddr");
  const id = shmidOf(world, body.segment);
  const bits = body.flags.reduce((sum, flag) => sum | SHMAT_BITS[flag], 0);
  const r = yield* sysShmat(k, task, id, anywhere ? 0n : at.address, bits);
  if (failed(r)) return { ret: -1, errno: r.errno, ...(r.hint === undefined ? {} : { hint: r.hint }) };
  const end = r + sizeOf(k, task, id) - slot.base;
  if (!anywhere && r >= slot.base && r < slot.base + world.slots.layout.bytes && end > slot.lengthBytes) slot.lengthBytes = end;
  return { ret: world.slots.print(Number(r)), ...(anywhere ? { align: trailingZeros(r) } : {}) };
}

function sizeOf(k: Kernel, task: Task, id: number): bigint {
  const segment = sysShmStat(k, task, id);
  return failed(segment) ? 0n : BigInt(segment.sizeBytes);
}

/** How far an address is aligned: the number of zero bits at its end. */
export function trailingZeros(n: bigint): number {
  let bits = 0;
  for (let v = n; v !== 0n && (v & 1n) === 0n; v >>= 1n) bits++;
  return bits;
}
