import { globSync, readFileSync, writeFileSync } from "node:fs";

/** File to value, as it was when taken. */
export type Settings = ReadonlyMap<string, string>;

const FILES = [
  "/sys/kernel/mm/transparent_hugepage/{enabled,defrag,shmem_enabled,use_zero_page,shrink_underused}",
  "/sys/kernel/mm/transparent_hugepage/hugepages-*/{enabled,shmem_enabled}",
  "/sys/kernel/mm/transparent_hugepage/khugepaged/{scan_sleep_millisecs,alloc_sleep_millisecs,pages_to_scan,max_ptes_none,max_ptes_shared,max_ptes_swap,defrag}",
  "/sys/kernel/mm/hugepages/hugepages-*/{nr_hugepages,nr_overcommit_hugepages}",
  "/sys/kernel/mm/ksm/run",
  "/proc/sys/vm/{overcommit_memory,page-cluster,compaction_proactiveness,min_free_kbytes}",
];

/** The settings that the recorder changes, as they are now. It puts them back by itself; this is for the case that it was killed. */
export function takeSettings(): Settings {
  const settings = new Map<string, string>();
  for (const path of FILES.flatMap((pattern) => globSync(pattern))) {
    const value = readSetting(path);
    if (value !== null) settings.set(path, value);
  }
  return settings;
}

/** Writes back what is no longer as it was taken. */
export function restoreSettings(settings: Settings): void {
  for (const [path, value] of settings) {
    if (readSetting(path) === value) continue;
    try {
      writeFileSync(path, value);
    } catch {
      // read only here, so nothing changed it either
    }
  }
}

function readSetting(path: string): string | null {
  try {
    const text = readFileSync(path, "utf8").trim();
    // of `always [madvise] never` the one in brackets is chosen
    return /\[([^\]]*)\]/.exec(text)?.[1] ?? text;
  } catch {
    return null;
  }
}
