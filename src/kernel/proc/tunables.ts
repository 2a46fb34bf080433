import { SHMMAX } from "../ipc/shm.ts";
import type { Result } from "../mm/errno.ts";
import { SHM_MOUNT } from "../mm/inode.ts";
import { MISC, MTHP, MTHP_COUNTERS, type Kernel } from "../mm/kernel.ts";
import type { DefragMode, Globals, KhugepagedSettings, ShmemMode, ShmemSizeMode, ThpMode, ThpSizeMode } from "../mm/records.ts";
import type { Op } from "../sched/points.ts";
import { anonOrders, sizeMode } from "../thp/eligibility/orders.ts";
import { editableRules } from "../thp/eligibility/ruleLists.ts";
import { parseRules, printRules, RULES_FILE } from "../thp/eligibility/ruleText.ts";
import { startStopKhugepaged, wakeKhugepaged } from "../thp/khugepaged.ts";
import { refuseArgument } from "../why/refusal.ts";

/** Files under /sys/kernel/mm and /proc/sys/vm: what they show, accept, refuse and set off, by release. */
export interface Tunable {
  readonly path: string;
  readonly show: (k: Kernel) => string;
  /** undefined: read-only */
  readonly store?: (k: Kernel, text: string) => Op<Result>;
}

const THP = "/sys/kernel/mm/transparent_hugepage";
const KHP = `${THP}/khugepaged`;

/** kstrtouint with base 10; undefined for anything else. */
function parseUnsigned(text: string): number | undefined {
  const t = text.trim();
  if (!/^\+?\d{1,10}$/.test(t)) return undefined;
  const n = Number(t);
  return n <= 0xffffffff ? n : undefined;
}

/** sysfs_streq: the text but for one trailing newline. */
const plainWord = (text: string): string => (text.endsWith("\n") ? text.slice(0, -1) : text);

const choice = (all: readonly string[], chosen: string): string => `${all.map((c) => (c === chosen ? `[${c}]` : c)).join(" ")}\n`;

function* applied(k: Kernel, path: string, change: Partial<Globals>): Op<Result> {
  k.setGlobals({ ...change, settingStep: { ...k.g.settingStep, [path]: k.step } });
  yield* startStopKhugepaged(k);
  return 0;
}

function* refuse(k: Kernel, path: string, text: string): Op<Result> {
  return refuseArgument(k, 0, path, "EINVAL", "refuse.setting", "value", text, "hint.sysfsValue");
}

function word<T extends string>(path: string, all: readonly T[], get: (g: Globals) => T, set: (k: Kernel, v: T) => Partial<Globals>): Tunable {
  return {
    path,
    show: (k) => choice(all, get(k.g)),
    store: (k, text) => {
      const v = all.find((c) => c === plainWord(text));
      return v === undefined ? refuse(k, path, text) : applied(k, path, set(k, v));
    },
  };
}

function number(path: string, get: (g: Globals) => number, set: (n: number) => Partial<Globals>, min: number, max: number): Tunable {
  return {
    path,
    show: (k) => `${get(k.g)}\n`,
    store: (k, text) => {
      const n = parseUnsigned(text);
      return n === undefined || n < min || n > max ? refuse(k, path, text) : applied(k, path, set(n));
    },
  };
}

const counter = (path: string, show: (k: Kernel) => number): Tunable => ({ path, show: (k) => `${show(k)}\n` });

function khugepagedFiles(pmdPages: number): Tunable[] {
  const s = (file: string, field: keyof KhugepagedSettings, min: number, max: number): Tunable => {
    const base = number(
      `${KHP}/${file}`,
      (g) => g.khugepaged[field],
      () => ({}),
      min,
      max,
    );
    return {
      ...base,
      store: (k, text) => {
        const n = parseUnsigned(text);
        if (n === undefined || n < min || n > max) return refuse(k, base.path, text);
        return storeKhugepaged(k, base.path, field, n);
      },
    };
  };
  return [
    s("alloc_sleep_millisecs", "allocSleepMillisecs", 0, 0xffffffff),
    s("defrag", "defrag", 0, 1),
    counter(`${KHP}/full_scans`, (k) => k.misc.get(MISC.fullScans)),
    s("max_ptes_none", "maxPtesNone", 0, pmdPages - 1),
    s("max_ptes_shared", "maxPtesShared", 0, pmdPages - 1),
    s("max_ptes_swap", "maxPtesSwap", 0, pmdPages - 1),
    counter(`${KHP}/pages_collapsed`, (k) => k.misc.get(MISC.pagesCollapsed)),
    s("pages_to_scan", "pagesToScan", 1, 0xffffffff),
    s("scan_sleep_millisecs", "scanSleepMillisecs", 0, 0xffffffff),
  ];
}

/** Writing scan_sleep_millisecs ends the daemon's sleep: it makes one pass. */
function* storeKhugepaged(k: Kernel, path: string, field: keyof KhugepagedSettings, n: number): Op<Result> {
  k.setGlobals({ khugepaged: { ...k.g.khugepaged, [field]: n }, settingStep: { ...k.g.settingStep, [path]: k.step } });
  if (field === "scanSleepMillisecs") yield* wakeKhugepaged(k);
  return 0;
}

const SIZE_MODES: readonly ThpSizeMode[] = ["always", "inherit", "madvise", "never"];

function withSizeMode(g: Globals, order: number, mode: ThpSizeMode): Partial<Globals> {
  const bit = 1 << order;
  return {
    ordersAlways: (g.ordersAlways & ~bit) | (mode === "always" ? bit : 0),
    ordersMadvise: (g.ordersMadvise & ~bit) | (mode === "madvise" ? bit : 0),
    ordersInherit: (g.ordersInherit & ~bit) | (mode === "inherit" ? bit : 0),
  };
}

const SHMEM_MODES: readonly ShmemMode[] = ["always", "within_size", "advise", "never", "deny", "force"];
const SHMEM_SIZE_MODES: readonly ShmemSizeMode[] = ["always", "inherit", "within_size", "advise", "never"];

/** The top-level shmem_enabled: "force" only while the PMD size alone inherits (6.11). */
function shmemFile(): Tunable {
  const base = word(
    `${THP}/shmem_enabled`,
    SHMEM_MODES,
    (g) => g.shmemEnabled,
    (_k, v) => ({ shmemEnabled: v }),
  );
  const store = (k: Kernel, text: string): Op<Result> => {
    const word = plainWord(text) as ShmemMode;
    // shm_mnt keeps its huge= while deny or force overrules every mount
    const huge = word === "deny" || word === "force" ? k.mounts.get(SHM_MOUNT).huge : word;
    const alone = k.g.shmemSizes.every((mode, order) => (mode === "inherit") === (order === k.geo.pmdOrder));
    if (!SHMEM_MODES.includes(word) || (word === "force" && k.era.shmemSizes && !alone)) return refuse(k, base.path, text);
    k.mounts.update(SHM_MOUNT, { huge, step: k.step });
    return base.store === undefined ? refuse(k, base.path, text) : base.store(k, text);
  };
  return { ...base, store };
}

/** hugepages-N/shmem_enabled: only the PMD size may inherit "force". */
function shmemSizeFile(dir: string, order: number): Tunable {
  const base = word(
    `${dir}/shmem_enabled`,
    SHMEM_SIZE_MODES,
    (g) => g.shmemSizes[order],
    (k, v) => ({ shmemSizes: k.g.shmemSizes.map((mode, o) => (o === order ? v : mode)) }),
  );
  const store = (k: Kernel, text: string): Op<Result> => {
    if (plainWord(text) === "inherit" && order !== k.geo.pmdOrder && k.g.shmemEnabled === "force") return refuse(k, base.path, text);
    return base.store === undefined ? refuse(k, base.path, text) : base.store(k, text);
  };
  return { ...base, store };
}

/** Files of hugepages-N/stats: name, index of the counter (MTHP), and which releases have it. */
export const SIZE_STATS: readonly (readonly [string, number, "all" | "swapin"])[] = [
  ["anon_fault_alloc", MTHP.anonFaultAlloc, "all"],
  ["anon_fault_fallback", MTHP.anonFaultFallback, "all"],
  ["anon_fault_fallback_charge", MTHP.anonFaultFallbackCharge, "all"],
  ["nr_anon", MTHP.nrAnon, "all"],
  ["nr_anon_partially_mapped", MTHP.nrAnonPartiallyMapped, "all"],
  ["shmem_alloc", MTHP.shmemAlloc, "all"],
  ["shmem_fallback", MTHP.shmemFallback, "all"],
  ["shmem_fallback_charge", MTHP.shmemFallbackCharge, "all"],
  ["split", MTHP.split, "all"],
  ["split_deferred", MTHP.splitDeferred, "all"],
  ["split_failed", MTHP.splitFailed, "all"],
  ["swpin", MTHP.swpin, "swapin"],
  ["swpin_fallback", MTHP.swpinFallback, "swapin"],
  ["swpin_fallback_charge", MTHP.swpinFallbackCharge, "swapin"],
  ["swpout", MTHP.swpout, "all"],
  ["swpout_fallback", MTHP.swpoutFallback, "all"],
  ["zswpout", MTHP.zswpout, "swapin"],
];

const isAnonSize = (k: Kernel, order: number): boolean => (anonOrders(k.geo.pmdOrder) & (1 << order)) !== 0;

/** Does this release have the file of hugepages-N/stats? */
export function hasSizeStat(k: Kernel, order: number, file: string): boolean {
  if (!k.geo.thp || !k.era.mthpStats || (!isAnonSize(k, order) && k.era.deferredSplit !== "partiallyMappedFlag")) return false;
  const found = SIZE_STATS.find(([name]) => name === file);
  return found !== undefined && (found[2] === "all" || k.era.mthpSwapinStats);
}

function sizeFiles(k: Kernel): Tunable[] {
  const out: Tunable[] = [];
  for (let order = 1; order <= k.geo.pmdOrder; order++) {
    const dir = `${THP}/hugepages-${4 << order}kB`;
    if (isAnonSize(k, order))
      out.push(
        word(
          `${dir}/enabled`,
          SIZE_MODES,
          (g) => sizeMode(g, order),
          (kk, v) => withSizeMode(kk.g, order, v),
        ),
      );
    if (k.era.shmemSizes) out.push(shmemSizeFile(dir, order));
    for (const [file, item] of SIZE_STATS) {
      if (hasSizeStat(k, order, file)) out.push(counter(`${dir}/stats/${file}`, (kk) => kk.mthpStat.get(order * MTHP_COUNTERS + item)));
    }
  }
  return out;
}

const THP_MODES: readonly ThpMode[] = ["always", "madvise", "never"];
const DEFRAG_MODES: readonly DefragMode[] = ["always", "defer", "defer+madvise", "madvise", "never"];

/** Every file of the booted release. */
export function tunablesOf(k: Kernel): Tunable[] {
  const out: Tunable[] = [];
  if (k.geo.thp) {
    out.push(
      word(
        `${THP}/enabled`,
        THP_MODES,
        (g) => g.enabled,
        (_k, v) => ({ enabled: v }),
      ),
      word(
        `${THP}/defrag`,
        DEFRAG_MODES,
        (g) => g.defrag,
        (_k, v) => ({ defrag: v }),
      ),
      counter(`${THP}/hpage_pmd_size`, (kk) => 4096 << kk.geo.pmdOrder),
      number(
        `${THP}/use_zero_page`,
        (g) => g.useZeroPage,
        (n) => ({ useZeroPage: n }),
        0,
        1,
      ),
      shmemFile(),
      ...khugepagedFiles(1 << k.geo.pmdOrder),
    );
    if (k.era.deferredSplit === "partiallyMappedFlag")
      out.push(
        boolean(
          `${THP}/shrink_underused`,
          (g) => g.shrinkUnderused,
          (n) => ({ shrinkUnderused: n }),
        ),
      );
    if (k.era.mthp) out.push(...sizeFiles(k));
  }
  out.push(...hugelabFiles(k));
  if (k.geo.thp) out.push(rulesFile());
  if (k.profile.config.debugFs) out.push(faultAroundFile(1 << k.geo.levels[k.geo.levels.length - 1].bits));
  out.push(
    number(
      "/proc/sys/vm/overcommit_memory",
      (g) => g.overcommitMemory,
      (n) => ({ overcommitMemory: n }),
      0,
      2,
    ),
  );
  out.push(
    shmmaxFile(),
    number(
      "/proc/sys/kernel/shmmni",
      (g) => g.shmMni,
      (n) => ({ shmMni: n }),
      0,
      32768,
    ),
  );
  out.push(
    number(
      "/proc/sys/vm/max_map_count",
      (g) => g.maxMapCount,
      (n) => ({ maxMapCount: n }),
      0,
      0x7fffffff,
    ),
  );
  return out;
}

/** The parameter of our device driver, and in debugfs how often it was called. */
function hugelabFiles(k: Kernel): Tunable[] {
  const orders = k.geo.thp ? [0, k.geo.pmdOrder] : [0];
  const path = "/sys/module/hugelab/parameters/huge_fault_order";
  const parameter: Tunable = {
    path,
    show: (kk) => `${kk.g.hugelabOrder}\n`,
    store: (kk, text) => {
      const n = parseUnsigned(text);
      return n === undefined || !orders.includes(n) ? refuse(kk, path, text) : applied(kk, path, { hugelabOrder: n });
    },
  };
  if (!k.profile.config.debugFs) return [parameter];
  const dir = "/sys/kernel/debug/hugelab";
  return [
    parameter,
    counter(`${dir}/faults`, (kk) => kk.misc.get(MISC.deviceFaults)),
    counter(`${dir}/huge_faults_pmd`, (kk) => kk.misc.get(MISC.hugeFaultsPmd)),
    counter(`${dir}/huge_faults_pud`, (kk) => kk.misc.get(MISC.hugeFaultsPud)),
  ];
}

/** The rules of eligibility as a live patch: one line of rules replaces those of the release, "release" brings them back. */
function rulesFile(): Tunable {
  return {
    path: RULES_FILE,
    show: (k) => `${k.g.eligibilityRules === null ? "release" : printRules(k.g.eligibilityRules)}\n`,
    store: (k, text) => {
      const word = plainWord(text).trim();
      if (word === "release") return applied(k, RULES_FILE, { eligibilityRules: null });
      const rules = parseRules(word);
      // 5.19 asks three functions, and one list cannot stand for them
      if ("problem" in rules || editableRules(k.era) === null) return refuse(k, RULES_FILE, text);
      return applied(k, RULES_FILE, { eligibilityRules: rules.rules });
    },
  };
}

/** kernel.shmmax: what a segment may have, bytes. Values above 2^53 are as good as none. */
function shmmaxFile(): Tunable {
  const path = "/proc/sys/kernel/shmmax";
  return {
    path,
    show: (k) => `${k.g.shmMaxBytes === Infinity ? SHMMAX : k.g.shmMaxBytes}\n`,
    store: (k, text) => {
      if (!/^\s*\d{1,20}\s*$/.test(text)) return refuse(k, path, text);
      const bytes = BigInt(text.trim());
      return applied(k, path, { shmMaxBytes: bytes >= 1n << 53n ? Infinity : Number(bytes) });
    },
  };
}

/** fault_around_bytes of debugfs: rounded down to a power of two, at least a page, at most what a page table holds. */
function faultAroundFile(most: number): Tunable {
  const path = "/sys/kernel/debug/fault_around_bytes";
  return {
    path,
    show: (k) => `${k.g.faultAroundPages * 4096}\n`,
    store: (k, text) => {
      const n = parseUnsigned(text);
      if (n === undefined || Math.floor(n / 4096) > most) return refuse(k, path, text);
      return applied(k, path, { faultAroundPages: 2 ** Math.floor(Math.log2(Math.max(1, Math.floor(n / 4096)))) });
    },
  };
}

/** kstrtobool: 1, y, t, on and their opposites; only the first letters count. */
function boolean(path: string, get: (g: Globals) => number, set: (n: number) => Partial<Globals>): Tunable {
  return {
    path,
    show: (k) => `${get(k.g)}\n`,
    store: (k, text) => {
      const t = text.toLowerCase();
      if (/^[1yt]/.test(t) || t.startsWith("on")) return applied(k, path, set(1));
      if (/^[0nf]/.test(t) || t.startsWith("of")) return applied(k, path, set(0));
      return refuse(k, path, text);
    },
  };
}
