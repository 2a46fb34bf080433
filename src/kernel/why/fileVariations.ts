import { inodeOf, mountOf, SHM_MOUNT } from "../mm/inode.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { HugeMount, Inode, ShmemMode, ShmemSizeMode, ThpMode, Vma } from "../mm/records.ts";
import { VM } from "../mm/vmFlags.ts";
import { THP_DIR } from "./paths.ts";
import type { Cause, VmaFlagName } from "./tracer.ts";
import { suppose, supposeRecord, type Situation, type Variation } from "./whatIf.ts";

/** What decisions about memory of files look at, each with the ways in which it could be otherwise. Only called with a tracer. */

const SHMEM_MODES: readonly ShmemMode[] = ["always", "within_size", "advise", "never", "deny", "force"];
const SHMEM_SIZE_MODES: readonly ShmemSizeMode[] = ["always", "inherit", "within_size", "advise", "never"];
const HUGE_MOUNTS: readonly HugeMount[] = ["always", "within_size", "advise", "never"];
const THP_MODES: readonly ThpMode[] = ["always", "madvise", "never"];

const others = <T>(all: readonly T[], is: T): T[] => all.filter((each) => each !== is);

/** A write to shmem_enabled also sets huge= of shm_mnt, unless it overrules every mount. */
function withShmemEnabled(k: Kernel, mode: ShmemMode): Kernel {
  const kk = suppose(k, { g: { ...k.g, shmemEnabled: mode } });
  return mode === "deny" || mode === "force" ? kk : supposeRecord(kk, "mounts", SHM_MOUNT, { huge: mode });
}

export const shmemEnabled = (k: Kernel): Variation => ({
  cause: { kind: "setting", path: `${THP_DIR}/shmem_enabled`, value: k.g.shmemEnabled },
  others: others(SHMEM_MODES, k.g.shmemEnabled).map((mode) => (s) => ({ ...s, k: withShmemEnabled(s.k, mode) })),
});

/** hugepages-N/shmem_enabled of every size that the release has. */
export function shmemSizes(k: Kernel): Variation[] {
  if (!k.era.shmemSizes) return [];
  return k.g.shmemSizes.flatMap((mode, order) =>
    order === 0
      ? []
      : [
          {
            cause: { kind: "setting", path: `${THP_DIR}/hugepages-${4 << order}kB/shmem_enabled`, value: mode },
            others: others(SHMEM_SIZE_MODES, mode).map((other) => (s: Situation) => ({
              ...s,
              k: suppose(s.k, { g: { ...s.k.g, shmemSizes: s.k.g.shmemSizes.map((m, o) => (o === order ? other : m)) } }),
            })),
          },
        ],
  );
}

export const thpEnabled = (k: Kernel): Variation => ({
  cause: { kind: "setting", path: `${THP_DIR}/enabled`, value: k.g.enabled },
  others: others(THP_MODES, k.g.enabled).map((enabled) => (s) => ({ ...s, k: suppose(s.k, { g: { ...s.k.g, enabled } }) })),
});

export const faultAround = (k: Kernel): Variation => ({
  cause: { kind: "setting", path: "/sys/kernel/debug/fault_around_bytes", value: k.g.faultAroundPages * 4096 },
  others: others([1, 2, 4, 8, 16, 32, 64, 512], k.g.faultAroundPages).map((faultAroundPages) => (s) => ({
    ...s,
    k: suppose(s.k, { g: { ...s.k.g, faultAroundPages } }),
  })),
});

/** huge= of the mount a file lies in; of shm_mnt shmem_enabled says it. */
export function hugeMount(k: Kernel, inode: Inode): Variation[] {
  const mount = mountOf(k, inode);
  if (mount.slot === SHM_MOUNT || mount.fs !== "tmpfs") return [];
  return [
    {
      cause: { kind: "file", inode: inode.slot, property: "huge=", value: mount.huge },
      others: others(HUGE_MOUNTS, mount.huge).map((huge) => (s) => ({ ...s, k: supposeRecord(s.k, "mounts", mount.slot, { huge }) })),
    },
  ];
}

const BITS = {
  VM_HUGEPAGE: VM.hugePage,
  VM_NOHUGEPAGE: VM.noHugePage,
  VM_SEQ_READ: VM.seqRead,
  VM_RAND_READ: VM.randRead,
  VM_EXEC: VM.exec,
  VM_SHARED: VM.shared,
  VM_WRITE: VM.write,
} as const;
export type VariedFlag = keyof typeof BITS & VmaFlagName;

/** Advice replaces what it contradicts. */
const OPPOSITE: Partial<Record<VariedFlag, VariedFlag>> = {
  VM_NOHUGEPAGE: "VM_HUGEPAGE",
  VM_SEQ_READ: "VM_RAND_READ",
  VM_RAND_READ: "VM_SEQ_READ",
};

export function vmaFlag(vma: Vma, vpn: number, flag: VariedFlag): Variation {
  const bit = BITS[flag];
  const set = (vma.flags & bit) !== 0;
  const opposite = OPPOSITE[flag];
  const cleared = set || opposite === undefined ? 0 : BITS[opposite];
  return {
    cause: { kind: "vmaFlag", mm: vma.mm, vpn, flag, set },
    others: [(s) => ({ ...s, vma: s.vma === null ? null : { ...s.vma, flags: (s.vma.flags ^ bit) & ~cleared } })],
  };
}

export function thpDisable(k: Kernel, mm: number): Variation {
  const value = k.mms.get(mm).thpDisable;
  return {
    cause: { kind: "prctl", mm, value },
    others: others(k.era.thpDisableExceptAdvised ? [0, 1, 3] : [0, 1], value).map((other) => (s) => ({
      ...s,
      k: supposeRecord(s.k, "mms", mm, { thpDisable: other }),
    })),
  };
}

/** The file ends elsewhere: before the page, behind it, at the end of each block around it. */
export function fileSize(k: Kernel, inode: Inode, index: number): Variation {
  const ends = [0, index, index + 1];
  for (let order = 1; order <= k.geo.pmdOrder; order++) ends.push((Math.floor(index / 2 ** order) + 1) * 2 ** order);
  ends.push(index + 4 * 2 ** k.geo.pmdOrder);
  return {
    cause: { kind: "file", inode: inode.slot, property: "i_size", value: inode.sizeBytes },
    others: others([...new Set(ends)], inode.sizeBytes / 4096).map((pages) => (s) => ({
      ...s,
      k: supposeRecord(s.k, "inodes", inode.slot, { sizeBytes: pages * 4096 }),
    })),
  };
}

/** The file is open for writing somewhere, or nowhere. */
export const writers = (inode: Inode): Variation => ({
  cause: { kind: "file", inode: inode.slot, property: "i_writecount", value: inode.writers },
  others: [(s) => ({ ...s, k: supposeRecord(s.k, "inodes", inode.slot, { writers: inode.writers === 0 ? 1 : 0 }) })],
});

export const largeFolios = (inode: Inode): Variation => ({
  cause: { kind: "file", inode: inode.slot, property: "large_folios", value: inode.largeFolios ? 1 : 0 },
  others: [(s) => ({ ...s, k: supposeRecord(s.k, "inodes", inode.slot, { largeFolios: !inode.largeFolios }) })],
});

/** CONFIG_READ_ONLY_THP_FOR_FS, without which no file of a disk becomes huge by collapse. */
export const readOnlyThp = (k: Kernel): Variation => ({
  cause: { kind: "config", name: "readOnlyThpForFs", value: k.profile.config.readOnlyThpForFs },
  others: [
    (s) => ({
      ...s,
      k: suppose(s.k, { profile: { ...s.k.profile, config: { ...s.k.profile.config, readOnlyThpForFs: !k.profile.config.readOnlyThpForFs } } }),
    }),
  ],
});

/** read_ahead_kb of the disk. */
export const readAheadKb = (k: Kernel): Variation => ({
  cause: { kind: "config", name: "readAheadKb", value: k.profile.config.readAheadKb },
  others: others([4, 64, 128, 8192], k.profile.config.readAheadKb).map((kb) => (s) => ({
    ...s,
    k: suppose(s.k, { profile: { ...s.k.profile, config: { ...s.k.profile.config, readAheadKb: kb } } }),
  })),
});

/** mmap_miss of the open file behind a mapping. */
export function mmapMiss(k: Kernel, vma: Vma): Variation {
  const { ra } = k.files.get(vma.file);
  return {
    cause: { kind: "readahead", file: vma.file, value: ra.mmapMiss },
    others: others([0, 1000], ra.mmapMiss).map((miss) => (s) => ({ ...s, k: supposeRecord(s.k, "files", vma.file, { ra: { ...ra, mmapMiss: miss } }) })),
  };
}

/** The mapping is long enough for any aligned block, or shorter than one. */
export function anyBlock(vma: Vma, vpn: number, order: number): Variation {
  const pages = 2 ** order;
  const ends = [Math.ceil(vma.start / pages) * pages + pages, vma.start + 1];
  return {
    cause: { kind: "vmaBounds", mm: vma.mm, vpn, start: vma.start, end: vma.end, from: 0, to: 0 },
    others: others(ends, vma.end).map((end) => (s) => ({ ...s, vma: s.vma === null ? null : { ...s.vma, end } })),
  };
}

/** The mapping is longer on both sides, or ends right at the page. `order`: of the block that has to be inside. */
export function bounds(vma: Vma, vpn: number, order: number): Variation {
  const from = vpn - (vpn % 2 ** order);
  const to = from + 2 ** order;
  const moved =
    (start: number, end: number) =>
    (s: Situation): Situation => ({
      ...s,
      vma: s.vma === null ? null : { ...s.vma, start, end, pgoff: s.vma.pgoff + (start - s.vma.start) },
    });
  return {
    cause: { kind: "vmaBounds", mm: vma.mm, vpn, start: vma.start, end: vma.end, from, to },
    others: [moved(Math.min(from, vma.start), Math.max(to, vma.end)), moved(vma.start, Math.max(to, vma.end)), moved(vma.start, vpn + 1), moved(vpn, vma.end)],
  };
}

/** Another offset, so that pages of the file lie in the mapping's blocks as in a folio, or do not. */
export function offset(vma: Vma, vpn: number, order: number): Variation {
  const pages = 2 ** order;
  const off = (((vma.start - vma.pgoff) % pages) + pages) % pages;
  return {
    cause: { kind: "offset", mm: vma.mm, vpn, pgoff: vma.pgoff },
    others: [(s) => ({ ...s, vma: s.vma === null ? null : { ...s.vma, pgoff: s.vma.pgoff + (off === 0 ? 1 : off) } })],
  };
}

/** The page cache has something in [first, first + pages), or nothing there. */
export const cacheCause = (inode: number, first: number, pages: number, is: Extract<Cause, { kind: "cache" }>["is"]): Cause => ({
  kind: "cache",
  inode,
  index: first,
  pages,
  is,
});

export const fileOf = (k: Kernel, vma: Vma): Inode => inodeOf(k, vma);
