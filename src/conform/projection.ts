/**
 * What of a recorded step is compared: a flat list of observations, each with a key and a value.
 * The counterpart of result(), state(), meminfo() and runs() of shared/conformance/compare.py; same keys, same values.
 */
import { pythonEqual, pythonOrder, pythonTruth, pythonWords } from "./pythonValue.ts";

/** Observations by key. A key is the tier (one digit) followed by the name, so that sorting keys sorts by tier, then name. */
export type Observations = ReadonlyMap<string, unknown>;

type Fields = Readonly<Record<string, unknown>>;

/** 6.1 has no PAGEMAP_SCAN; 6.1 and 6.12 were recorded with a race of one fault in children. */
export interface KernelLimits {
  readonly noScan: boolean;
  readonly old: boolean;
}

const RESULT = "ret errno cnt ok val sum sig blocked uffd copy zeropage mapped move updated ioctls incore died".split(" ");
const NOISY_SMAPS: ReadonlySet<string> = new Set(["Referenced", "Pss_Dirty", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty", "LazyFree"]);
const NOISY_COUNTERS: ReadonlySet<string> = new Set(["thp_zero_page_alloc", "thp_zero_page_alloc_failed"]);
const MEMINFO = ["AnonHugePages", "ShmemHugePages", "ShmemPmdMapped", "FilePmdMapped", "Hugetlb"];
const FAULT_FIELDS = ["pf", "min", "maj", "at"];

/** What the recorder of that kernel (as `uname -r` prints it) could not see. */
export function kernelLimits(kernel: string): KernelLimits {
  const noScan = kernel.startsWith("6.1.");
  return { noScan, old: noScan || kernel.startsWith("6.12.") };
}

/** Tier of a key. */
export function tierOf(key: string): number {
  return key.charCodeAt(0) - 48;
}

/** Name of a key, as compare.py prints it. */
export function nameOf(key: string): string {
  return key.slice(1);
}

/** Tiers 1, 2 and the counters of tier 4: what belongs to this operation alone. */
export function resultOf(step: Fields, limits: KernelLimits): Observations {
  const flat = new Map<string, unknown>();
  for (const key of RESULT) if (Object.hasOwn(step, key)) flat.set(`1${key}`, step[key]);
  for (const key of Object.keys(step)) {
    const faults = step[key];
    if (key.startsWith("flt") && isFields(faults)) addFaults(flat, key, faults, step, limits);
  }
  for (const group of ["dv", "dm"]) {
    const counters = step[group];
    if (!isFields(counters)) continue;
    for (const key of Object.keys(counters)) {
      if (!NOISY_COUNTERS.has(key) && pythonTruth(counters[key])) flat.set(`4${group}.${key}`, counters[key]);
    }
  }
  const pool = step["pool"];
  if (isFields(pool)) for (const key of Object.keys(pool)) flat.set(`4pool.${key}`, pool[key]);
  return flat;
}

function addFaults(flat: Map<string, unknown>, key: string, faults: Fields, step: Fields, limits: KernelLimits): void {
  for (const field of FAULT_FIELDS) {
    // older kernels: recorded with a race of one fault; mlockall: the recorder's own pages count
    if (field === "min" && ((key.includes("@") && limits.old) || String(step["op"]).includes("mlockall current"))) continue;
    const value = faults[field];
    const empty = value === null || value === undefined || pythonEqual(value, 0) || pythonEqual(value, []);
    if (!empty) flat.set(`2${key}.${field}`, value);
  }
}

/** Tiers 3, 5 and 6 of all processes of one `procs` object. */
export function stateOf(procs: Fields, limits: KernelLimits): Observations {
  const flat = new Map<string, unknown>();
  for (const name of Object.keys(procs)) {
    const process = procs[name] as Fields;
    flat.set(`6${name}.VmPTE`, valueOr(process, "VmPTE", 0));
    for (const key of ["VmSize", "VmLck", "VmSwap"]) flat.set(`3${name}.${key}`, valueOr(process, key, 0));
    for (const vma of (process["vmas"] ?? []) as readonly Fields[]) addVma(flat, name, vma, limits);
  }
  return flat;
}

function addVma(flat: Map<string, unknown>, process: string, vma: Fields, limits: KernelLimits): void {
  const where = `${process}:${String(vma["at"])}`;
  for (const key of Object.keys(vma)) {
    if (key === "at" || NOISY_SMAPS.has(key)) continue;
    const value = vma[key];
    if (key === "pm") flat.set(`5${where}.pm`, pageRuns(value as readonly Fields[], limits));
    else if (key === "VmFlags") flat.set(`3${where}.VmFlags`, vmFlags(value as string));
    else if (key === "THPeligible" || pythonTruth(value)) flat.set(`3${where}.${key}`, value);
  }
}

function vmFlags(text: string): string[] {
  const flags = new Set(pythonWords(text));
  flags.delete("sd");
  flags.delete("gu");
  return [...flags].sort(pythonOrder);
}

function pageRuns(runs: readonly Fields[], limits: KernelLimits): unknown[][] {
  return runs.map((run) => {
    const flags = (run["f"] ?? "") as string;
    // 6.1: no PAGEMAP_SCAN, flags of tail pages not shown
    if (limits.noScan) return [run["at"], run["n"], flags.replaceAll("H", "").replaceAll("G", ""), ""];
    const kind = ((run["k"] ?? "") as string).replaceAll("k", "");
    return [run["at"], run["n"], flags, kind, valueOr(run, "o", 0), valueOr(run, "nf", 1), valueOr(run, "mc", 1)];
  });
}

/** The huge-page lines of meminfo that are compared. */
export function meminfoOf(step: Fields): Observations {
  const lines = isFields(step["mi"]) ? step["mi"] : {};
  return new Map(MEMINFO.map((key) => [`4mi.${key}`, valueOr(lines, key, 0)]));
}

function valueOr(fields: Fields, key: string, otherwise: number): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : otherwise;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
