import { SHM, shmAttached, IPC, sysShmat, sysShmdt, sysShmget, sysShmRmid, sysShmStat } from "../kernel/ipc/shm.ts";
import { failed } from "../kernel/mm/errno.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import type { ShmSegment } from "../kernel/mm/records.ts";
import type { Op } from "../kernel/sched/points.ts";
import { int, LATER, refuse, result, type Call, type CallRow } from "./callRow.ts";
import type { ResultFields } from "./execute.ts";
import { shmMode } from "./shmOperations.ts";

/** Calls of the C form on SysV shared memory. */

const LATER_COMMANDS: ReadonlySet<number> = new Set([IPC.set, IPC.info, SHM.lock, SHM.unlock, SHM.stat, SHM.info, SHM.statAny]);

function* shmget({ world, task, args }: Call): Op<ResultFields> {
  const flags = int(args[2]);
  if (flags & SHM.hugetlb) return LATER;
  return result(sysShmget(world.machine.kernel, task, int(args[0]), args[1], flags));
}

function* shmat({ world, task, args, operation }: Call): Op<ResultFields> {
  const k = world.machine.kernel;
  // a pasted line of strace goes where it went then, if that place is free
  const recorded = args[1] === 0n ? (operation.recorded?.value ?? 0n) : 0n;
  const there = recorded > 0n ? yield* sysShmat(k, task, int(args[0]), recorded, int(args[2])) : null;
  const r = there === null || failed(there) ? yield* sysShmat(k, task, int(args[0]), args[1], int(args[2])) : there;
  if (failed(r)) return result(r);
  const segment = sysShmStat(k, task, int(args[0]));
  return { ret: r, ...(failed(segment) ? {} : { mappedBytes: segment.sizeBytes }) };
}

function* shmdt({ world, task, args }: Call): Op<ResultFields> {
  return result(yield* sysShmdt(world.machine.kernel, task, args[0]));
}

/** As strace prints struct shmid_ds, without users, groups and times. */
const statText = (k: Kernel, segment: ShmSegment): string =>
  `shm_perm={mode=0${shmMode(segment).toString(8)}, key=${segment.key >>> 0}, ...}, shm_segsz=${segment.sizeBytes}, shm_cpid=${segment.creatorPid}, shm_lpid=${segment.lastPid}, shm_nattch=${shmAttached(k, segment)}, ...`;

function* shmctl({ world, task, args, operation }: Call): Op<ResultFields> {
  const k = world.machine.kernel;
  const [id, command] = args.map(int);
  if (id < 0 || command < 0) return refuse("EINVAL", "hint.shmId");
  if (LATER_COMMANDS.has(command)) return LATER;
  if (command === IPC.rmid) return result(sysShmRmid(k, task, id));
  if (command !== IPC.stat) return refuse("EINVAL", "hint.shmCommand");
  const segment = sysShmStat(k, task, id);
  if (failed(segment)) return result(segment);
  const typed = operation.args[2];
  if (typed.kind === "value" && typed.name === null) return refuse("EFAULT", "hint.shmBuffer");
  return { ret: 0, stat: statText(k, segment) };
}

export const SHM_CALLS: Readonly<Record<string, CallRow>> = {
  shmget: { show: ["key", "number", "SHMGET"], run: shmget },
  shmat: { show: ["shmid", "address", "SHMAT"], run: shmat, returnsAddress: true },
  shmdt: { show: ["address"], run: shmdt },
  shmctl: { show: ["shmid", "IPC", "stat"], run: shmctl },
};
