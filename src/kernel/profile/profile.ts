import type { Era } from "../era/era.ts";
import { RELEASES, type Release } from "../era/releases.ts";

/** A simulated computer as it is switched on (DESIGN.md section 3). Data only. */
export interface Profile {
  readonly id: string;
  readonly title: string;
  readonly release: Release;
  /** what uname -r prints */
  readonly kernelRelease: string;
  /** recorded: traces of this kernel are committed; otherwise it is simulated from documents */
  readonly recorded: boolean;
  /** stable backports and vendor changes, as differences of the resolved release */
  readonly fixes: Partial<Era>;
  readonly config: {
    readonly memoryFailure: boolean;
    readonly softDirty: boolean;
    readonly readOnlyThpForFs: boolean;
    /** tmpfs and shared memory by pages that can be swapped; without it (tiny-shmem) khugepaged takes every file mapping for anonymous memory */
    readonly shmem: boolean;
    readonly ksm: boolean;
    readonly memcg: boolean;
    readonly debugFs: boolean;
    /** CPU: fast short rep movsb */
    readonly fsrm: boolean;
    /** CPU: fast short rep stosb */
    readonly fsrs: boolean;
    /** read_ahead_kb of its disks */
    readonly readAheadKb: number;
    /** block size of its ext4 (mke2fs makes small file systems with 1024), 1024 to 4096 */
    readonly ext4BlockBytes: number;
    /** its disk is memory (pmem): a write has ended when it was begun */
    readonly diskIsMemory: boolean;
  };
  readonly geometry: "x86-64" | "x86-64-la57" | "ppc-8xx";
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly bootParameters: Readonly<Record<string, string>>;
}

const debianConfig = {
  memoryFailure: true,
  softDirty: true,
  readOnlyThpForFs: false,
  shmem: true,
  ksm: true,
  memcg: true,
  debugFs: true,
  fsrm: true,
  fsrs: false,
  readAheadKb: 128,
  ext4BlockBytes: 1024,
  diskIsMemory: true,
} as const;
/** Recorded machines were booted with this word; Debian's kernels are built with CONFIG_TRANSPARENT_HUGEPAGE_ALWAYS, so without it they say "always". */
const bootParameters = { transparent_hugepage: "madvise" } as const;
const x86 = { geometry: "x86-64", memoryMiB: 4096, cpus: 1, bootParameters } as const;

const RECORDED: readonly Profile[] = [
  {
    ...x86,
    id: "debian-6.18.15",
    title: "Debian, Linux 6.18.15",
    release: "6.18",
    kernelRelease: "6.18.15+deb13-amd64",
    recorded: true,
    fixes: { kpageflagsKsmBug: true },
    config: debianConfig,
  },
  {
    ...x86,
    id: "debian-6.12.107",
    title: "Debian, Linux 6.12.107",
    release: "6.12",
    kernelRelease: "6.12.107+deb13-amd64",
    recorded: true,
    // 158cdce87c8c, backported; that ext4 zeroes the old end of a file is recorded, and in elig_13 that within_size finds the end of a small block from its pages
    fixes: { readaheadKeepsSize: true, ext4ZeroesOldEnd: true, shmemWithinSizeIndex: "pages" },
    config: debianConfig,
  },
  {
    ...x86,
    id: "debian-6.17.13",
    title: "Debian, Linux 6.17.13",
    release: "6.17",
    kernelRelease: "6.17.13+deb13-amd64",
    recorded: true,
    fixes: {},
    config: debianConfig,
  },
  {
    ...x86,
    id: "debian-6.16.12",
    title: "Debian, Linux 6.16.12",
    release: "6.16",
    kernelRelease: "6.16.12+deb13-amd64",
    recorded: true,
    fixes: {},
    config: debianConfig,
  },
  {
    ...x86,
    id: "debian-6.1.176",
    title: "Debian, Linux 6.1.176",
    release: "6.1",
    kernelRelease: "6.1.0-50-amd64",
    recorded: true,
    // 158cdce87c8c, backported; that deny stops MADV_COLLAPSE is seen in trace 12, that private copies elsewhere do not stop collapse in place in trace c01
    fixes: { readaheadKeepsSize: true, shmemDenyStopsCollapse: true, collapseLocking: "anonVmaWrite" },
    config: debianConfig,
  },
  {
    ...x86,
    id: "vm-6.18.44",
    title: "a virtual machine, Linux 6.18.44 (vendor build)",
    release: "6.18",
    kernelRelease: "6.18.44",
    recorded: true,
    fixes: { scanEmptyWritten: true, guardFlag: true },
    config: { ...debianConfig, memoryFailure: false, softDirty: false, fsrs: true, readAheadKb: 8192, ext4BlockBytes: 4096, diskIsMemory: false },
    memoryMiB: 24576,
    cpus: 2,
  },
];

const UPSTREAM: readonly Profile[] = RELEASES.map((release) => ({
  ...x86,
  id: `upstream-${release}`,
  title: `Linux ${release}, from documents, not recorded`,
  release,
  kernelRelease: `${release}.0`,
  recorded: false,
  fixes: {},
  config: debianConfig,
}));

/** Other geometries, to show that nothing assumes four levels of x86: five levels; and two, with no THP. */
const GEOMETRIES: readonly Profile[] = [
  {
    ...x86,
    id: "x86-64-la57-6.18",
    title: "x86-64 with 5 levels of page tables, Linux 6.18, from documents",
    release: "6.18",
    kernelRelease: "6.18.0",
    recorded: false,
    fixes: {},
    config: debianConfig,
    geometry: "x86-64-la57",
  },
  {
    ...x86,
    id: "ppc-8xx-6.12",
    title: "powerpc 8xx, Linux 6.12, from documents",
    release: "6.12",
    kernelRelease: "6.12.0",
    recorded: false,
    fixes: {},
    config: debianConfig,
    geometry: "ppc-8xx",
    memoryMiB: 64,
  },
];

export const PROFILES: readonly Profile[] = [...RECORDED, ...UPSTREAM, ...GEOMETRIES];
export const DEFAULT_PROFILE = "debian-6.18.15";

export const findProfile = (id: string): Profile | undefined => PROFILES.find((p) => p.id === id);
