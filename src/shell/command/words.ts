import type { AdviceName, MmapFlag } from "../operation.ts";
import { FADV } from "../../kernel/fileCalls.ts";
import { MADV } from "../../kernel/mm/advice.ts";
import { snakeCase } from "../snakeCase.ts";

/** The fixed words of the command form, with the numbers they stand for where Linux has one (x86-64). */

/** kernel names in the spelling of the command form: dontneedLocked is dontneed_locked; `bogus` is advice that no kernel knows */
export const ADVICE_NUMBERS = {
  ...Object.fromEntries(Object.entries(MADV).map(([name, number]) => [snakeCase(name), number])),
  bogus: 77,
} as Readonly<Record<AdviceName, number>>;

export const ADVICE_NAMES = Object.keys(ADVICE_NUMBERS) as readonly AdviceName[];

export const MMAP_FLAGS: readonly MmapFlag[] = [
  "private",
  "shared",
  "shared_validate",
  "sync",
  "anon",
  "shm",
  "hugetlb",
  "hugetlb2M",
  "hugetlb1G",
  "hugetlb4M",
  "noreserve",
  "populate",
  "locked",
  "nonblock",
  "stack",
  "growsdown",
  "droppable",
  "fixed",
  "noaddr",
];

/** words of mmap that take a value */
export const MMAP_OPTIONS = ["at=", "off=", "file=", "rofile="] as const;

export const FALLOC_MODES = ["alloc", "keep", "punch", "zero", "collapse"] as const;

export const SHMAT_FLAGS = ["rdonly", "exec", "rnd", "remap", "noaddr"] as const;
export const SHMGET_FLAGS = ["create", "excl", "noreserve"] as const;

export const FADVISE_NUMBERS = { dontneed: FADV.dontNeed, willneed: FADV.willNeed, normal: FADV.normal } as const;
export const FADVISE_NAMES = ["dontneed", "willneed", "normal"] as const;

/** feature names of the userfaultfd handshake in the order of their bits, then two wrong ones on purpose */
export const UFFD_FEATURES: readonly string[] = [
  "pagefault_wp",
  "event_fork",
  "event_remap",
  "event_remove",
  "missing_hugetlbfs",
  "missing_shmem",
  "event_unmap",
  "sigbus",
  "thread_id",
  "minor_hugetlbfs",
  "minor_shmem",
  "exact_address",
  "wp_hugetlbfs_shmem",
  "wp_unpopulated",
  "poison",
  "wp_async",
  "move",
  "badapi",
  "badfeature",
];

export const UFFD_MODES = ["missing", "wp", "minor", "bad", "none"] as const;

export const FILE_SYSTEMS = ["tmpfs", "hugetlbfs", "ext4", "xfs"] as const;

/** short beginnings of kernel file paths, as the recorder knows them */
export const PATH_ALIASES: readonly (readonly [alias: string, path: string])[] = [
  ["thp/", "/sys/kernel/mm/transparent_hugepage/"],
  ["mthp/", "/sys/kernel/mm/transparent_hugepage/hugepages-"],
  ["khp/", "/sys/kernel/mm/transparent_hugepage/khugepaged/"],
  ["hugetlb/", "/sys/kernel/mm/hugepages/hugepages-"],
  ["vm/", "/proc/sys/vm/"],
  ["ksm/", "/sys/kernel/mm/ksm/"],
  ["debug/", "/sys/kernel/debug/"],
  ["memcg/", "/sys/fs/cgroup/memory/oracle/"],
];
