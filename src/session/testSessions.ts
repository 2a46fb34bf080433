import { findProfile, type Profile } from "../kernel/profile/profile.ts";
import type { SavedNode } from "./model.ts";
import { ShellSession, type SessionOptions } from "./shellSession.ts";

/** Sessions for tests and benches: no catalogue, so that they show keys. */

export const newTestSession = (options: Partial<SessionOptions> = {}): ShellSession =>
  new ShellSession({
    boot: { profile: findProfile("debian-6.18.15") as Profile, memoryMiB: 512 },
    render: ({ key, args }) => `${key} ${JSON.stringify(args)}`,
    ...options,
  });

export const savedNodes = (session: ShellSession): SavedNode[] => session.history.all().map((node) => session.savedNode(node.id));

/** Lines of every kind, most of which do something. `n`: a random number of at least 16 bits. */
export function someLine(n: number): string {
  const at = `${"ABC"[n % 3]}+${((n >>> 4) % 1024) * 4}k`;
  const length = `${1 + ((n >>> 3) % 700)}k`;
  const lines = [
    `touch ${at} ${length} w v=${n % 200}`,
    `touch ${at} ${length} r`,
    `madvise ${at} 2M hugepage`,
    `madvise ${at} ${length} dontneed`,
    `munmap ${at} 8k`,
    `mmap ${at.slice(0, 1)} 4M rw private anon at=${at}`,
    `mprotect ${at} 16k r`,
    `mlock ${at} 64k`,
    `fork K${n % 5}`,
    `@K${n % 5} touch ${at} w`,
    `@K${n % 5} exit`,
    `@K${n % 5}`,
    "@P",
    "khugepaged scan 1",
    `echo ${["always", "madvise", "never"][n % 3]} > /sys/kernel/mm/transparent_hugepage/enabled`,
    `cd /proc; x=${n % 7}`,
    "watch thp_fault_alloc",
    `p${n % 4} = mmap(NULL, ${1 + (n % 9)}M, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)`,
    `madvise(p${n % 4}, 2M, MADV_COLLAPSE)`,
    "perf stat mincore A 1M",
    "cat /proc/self/smaps | head -3",
    "mremap A 64k 128k maymove",
    "this is no command",
  ];
  return lines[(n >>> 5) % lines.length];
}
