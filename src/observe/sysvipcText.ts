import { shmAttached, shmResident } from "../kernel/ipc/shm.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";

const HEAD =
  "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap\n";

const seconds = (ns: number): number => Math.floor(ns / 1e9);

/** /proc/sysvipc/shm (sysvipc_shm_proc_show). Times are seconds of the machine's clock. */
export function sysvipcShmText(k: Kernel): string {
  const segments = [...k.shms.entries()].map(([, segment]) => segment).sort((a, b) => (a.id & 0x7fff) - (b.id & 0x7fff));
  const lines = segments.map((s) => {
    const mode = (s.mode | (s.isRemoved ? 0o1000 : 0)).toString(8);
    const owner = [0, 0, 0, 0].map((n) => String(n).padStart(5)).join(" ");
    const times = [s.attachedNs, s.detachedNs, s.changedNs].map((ns) => String(seconds(ns)).padStart(10)).join(" ");
    const head = `${String(s.key).padStart(10)} ${String(s.id).padStart(10)}  ${mode.padStart(4)} ${String(s.sizeBytes).padStart(21)}`;
    const users = `${String(s.creatorPid).padStart(5)} ${String(s.lastPid).padStart(5)}  ${String(shmAttached(k, s)).padStart(5)}`;
    return `${head} ${users} ${owner} ${times} ${String(shmResident(k, s) * 4096).padStart(21)} ${"0".padStart(21)}\n`;
  });
  return HEAD + lines.join("");
}
