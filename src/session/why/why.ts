import { folioOrder, hasFlag } from "../../kernel/mm/folio.ts";
import { failed } from "../../kernel/mm/errno.ts";
import { folioOf, MTHP_COUNTERS } from "../../kernel/mm/kernel.ts";
import { PG } from "../../kernel/mm/pageFlags.ts";
import type { Vma } from "../../kernel/mm/records.ts";
import { vmaAt } from "../../kernel/mm/vma.ts";
import { vmstatIndex } from "../../kernel/mm/vmstat.ts";
import type { Pfn } from "../../kernel/units.ts";
import type { Cause, Decision, VmaFlagName } from "../../kernel/why/tracer.ts";
import { FLAG_BITS, HIGH_FLAG_BITS, hasVmaFlag } from "../../kernel/why/vma.ts";
import { explained, explainStep, originOf, type Explanation } from "./explanation.ts";
import { cachedFrame, fileText } from "./fileFacts.ts";
import type { History } from "./history.ts";
import { leafAt, readCause, type Leaf } from "./readState.ts";
import { lastChanges, overlaps, replayStep, replayWatching, type TracedStep } from "./replay.ts";

/** What a person asks about. `mm`: a slot of the mm table; `vpn`: a page number. */
export type Target =
  /** what the last command did, and why it failed if it did */
  | { readonly kind: "command" }
  /** how a page is mapped */
  | { readonly kind: "page"; readonly mm: number; readonly vpn: number }
  /** the folio mapped there */
  | { readonly kind: "folio"; readonly mm: number; readonly vpn: number }
  /** bounds and flags of a mapping */
  | { readonly kind: "vma"; readonly mm: number; readonly vpn: number }
  /** khugepaged and a page */
  | { readonly kind: "khugepaged"; readonly mm: number; readonly vpn: number }
  /** an item of /proc/vmstat */
  | { readonly kind: "counter"; readonly name: string }
  /** a page of a file in the page cache */
  | { readonly kind: "file"; readonly inode: number; readonly index: number }
  /** a kernel file that takes values */
  | { readonly kind: "setting"; readonly path: string }
  /** an item of a size's statistics */
  | { readonly kind: "sizeCounter"; readonly order: number; readonly item: number; readonly name: string };

const machineOf = (history: History): History["world"]["machine"] => history.world.machine;
const at = (history: History, vpn: number): string => history.world.slots.print(vpn * 4096);

/** Explains a target, as the world stands. The world is the same afterwards. */
export function why(history: History, target: Target): Explanation {
  switch (target.kind) {
    case "command":
      return whyCommandDid(history);
    case "page":
      return whyPage(history, target.mm, target.vpn);
    case "folio":
      return whyFolio(history, target.mm, target.vpn);
    case "vma":
      return whyVma(history, target.mm, target.vpn);
    case "khugepaged":
      return whyKhugepaged(history, target.mm, target.vpn);
    case "file":
      return whyFile(history, target.inode, target.index);
    case "setting":
      return whySetting(history, target.path);
    case "counter":
    case "sizeCounter":
      return whyCounter(history, target);
  }
}

// --- the last command

const REFUSALS = /^(refuse|file\.beyondEof|shmem\.mountFull|fault\.(noVma|stack|accessError|guard|oom))/;

function whyCommandDid(history: History): Explanation {
  const step = history.lastStep;
  if (step === 0) return explained("session.why.nothingRan", {}, [originOf(history, 0)]);
  // khugepaged also visits what belongs to no process of the session
  const { slots } = history.world;
  const traced = replayStep(history, step, (d) => d.vpn < 0 || slots.print(d.vpn * 4096) !== "other");
  const errno = typeof traced.fields.errno === "string" ? traced.fields.errno : null;
  const failed = errno !== null || "sig" in traced.fields;
  const refusals = traced.decisions.filter((d) => REFUSALS.test(d.decision.rule));
  // MADV_COLLAPSE has no refusal of its own where a scan said no
  const scans = traced.decisions.filter((d) => /^(collapse|thp|split)\./.test(d.decision.rule));
  const shown = failed ? [...refusals, ...scans] : traced.decisions;
  const body = explainStep(history, { ...traced, decisions: shown });
  const error = typeof traced.fields.error === "string" ? traced.fields.error : null;
  if (error !== null) return explained("session.why.notDone", { error }, [body]);
  if (!failed) return explained("session.why.done", {}, [body]);
  return errno === null ? explained("session.why.signal", {}, [body]) : explained("session.why.errno", { errno }, [body]);
}

// --- a page

/** rules that say how a page came to be mapped as it is */
const PAGE_RULES = /^(thp|fault|cow|uprobe|mprotect|pmd|zap|split|lazyfree|cold|collapse|fork|deferred|shmem|file|around|map|readahead|truncate)\./;

const aboutPage =
  (mm: number, vpn: number, pages = 1) =>
  (d: Decision): boolean =>
    overlaps(d, mm, vpn, pages) && PAGE_RULES.test(d.rule);

const leafName = (leaf: Leaf, order: number, pmdOrder: number): string =>
  leaf.kind === "pte" ? (order === 0 ? "small" : order === pmdOrder ? "pteOfHuge" : "pteOfLarge") : leaf.kind;

/** The steps that last changed one of these facts, latest first, each explained. */
function explainChanges(history: History, readers: readonly (() => string | null)[], wanted: (d: Decision) => boolean): Explanation[] {
  const steps = [...new Set(lastChanges(history, history.lastStep, readers))].filter((step) => step > 0).sort((a, b) => b - a);
  if (steps.length === 0) return [originOf(history, 0)];
  return steps.map((step) => explainStep(history, replayStep(history, step, wanted)));
}

function whyPage(history: History, mm: number, vpn: number): Explanation {
  const k = machineOf(history).kernel;
  const leaf = leafAt(k, mm, vpn);
  // a process that is not there yet maps nothing either, but fork is what made it so
  const read = (of: (now: Leaf) => string) => (): string => (k.mms.find(mm) === undefined ? "no process" : of(leafAt(k, mm, vpn)));
  const readers = [read((now) => `${now.kind} ${now.head} ${now.order}`)];
  if (leaf.kind === "pte" || leaf.kind === "pmd")
    readers.push(
      read((now) => `${now.kind} ${now.writable}`),
      read((now) => `${now.head} ${now.order}`),
    );
  const key = `session.why.page.${leafName(leaf, leaf.order, k.geo.pmdOrder)}`;
  const args = { at: at(history, vpn), order: leaf.order, access: leaf.writable ? "rw" : "r" };
  return explained(key, args, explainChanges(history, readers, aboutPage(mm, vpn)));
}

// --- a folio

function whyFolio(history: History, mm: number, vpn: number): Explanation {
  const k = machineOf(history).kernel;
  const leaf = leafAt(k, mm, vpn);
  if (leaf.head < 0) return whyPage(history, mm, vpn);
  const { head, order } = leaf;
  const isPartial = (): boolean =>
    hasFlag(k, head, PG.partiallyMapped) || (order > 0 && k.entireMapcount.get(head) === 0 && k.pagesMapped.get(head) < 2 ** order);
  const first = vpn - (leaf.pfn - head);
  const readers = [
    (): string => {
      const now = leafAt(k, mm, vpn);
      return `${now.head} ${now.order}`;
    },
    (): string => String(leafAt(k, mm, vpn).head === head && isPartial()),
    (): string => String(leafAt(k, mm, vpn).head === head && k.refcount.get(head)),
  ];
  const key = order === 0 ? "session.why.folio.small" : isPartial() ? "session.why.folio.partial" : "session.why.folio.whole";
  const args = { at: at(history, vpn), order, mapped: k.pagesMapped.get(head), refs: k.refcount.get(head) };
  return explained(key, args, explainChanges(history, readers, aboutPage(mm, first, 2 ** order)));
}

// --- a VMA

const shownFlags = (vma: Vma): VmaFlagName[] =>
  [...FLAG_BITS, ...HIGH_FLAG_BITS].map(([name]) => name).filter((name) => name !== "VM_ACCOUNT" && name !== "VM_SOFTDIRTY" && hasVmaFlag(vma, name));

function whyVma(history: History, mm: number, vpn: number): Explanation {
  const k = machineOf(history).kernel;
  const vma = vmaAt(k, mm, vpn);
  if (vma === undefined) return whyPage(history, mm, vpn);
  const bounds = (): string => {
    const now = k.mms.find(mm) === undefined ? undefined : vmaAt(k, mm, vpn);
    return now === undefined ? "" : `${now.start}-${now.end}`;
  };
  const made = explainChanges(history, [bounds], (d) => overlaps(d, mm, vma.start, vma.end - vma.start) && /^(vma|mmap|fork|refuse)\./.test(d.rule));
  const flags = shownFlags(vma);
  const readers = flags.map((flag) => () => {
    const now = k.mms.find(mm) === undefined ? undefined : vmaAt(k, mm, vpn);
    return now === undefined ? "" : String(hasVmaFlag(now, flag));
  });
  const steps = lastChanges(history, history.lastStep, readers);
  const children = flags.map((flag, i) => {
    const cause: Cause = { kind: "vmaFlag", mm, vpn, flag, set: true };
    return explained("session.why.flag", { flag }, [originOf(history, steps[i])], { cause });
  });
  return explained("session.why.vma", { bounds: `${at(history, vma.start)} .. ${at(history, vma.end)}`, flags: flags.join(" ") || "-" }, [
    ...made,
    ...children,
  ]);
}

// --- khugepaged

/** The latest step, looking back from the last one, that took such a decision. */
function latestDeciding(history: History, wanted: (d: Decision) => boolean): TracedStep | undefined {
  for (let step = history.lastStep; step > 0; step--) {
    const traced = replayStep(history, step, wanted);
    if (traced.decisions.length > 0) return traced;
  }
  return undefined;
}

function whyKhugepaged(history: History, mm: number, vpn: number): Explanation {
  const k = machineOf(history).kernel;
  const isListed = k.mms.get(mm).khugepaged;
  const scanned = latestDeciding(history, (d) => (overlaps(d, mm, vpn, 1) && /^(collapse|thp)\./.test(d.rule) && isDaemon(d)) || isDaemonAlone(d, mm, vpn));
  const entered = latestDeciding(history, (d) => d.mm === mm && d.symbol === "khugepaged_enter_vma" && (isListed || overlaps(d, mm, vpn, 1)));
  const children = [scanned, entered].filter((traced) => traced !== undefined).map((traced) => explainStep(history, traced));
  // a child is on the list because its parent was
  if (children.length === 0) children.push(...explainChanges(history, [() => String(k.mms.find(mm)?.khugepaged)], () => false));
  return explained(isListed ? "session.why.listed" : "session.why.notListed", { at: at(history, vpn) }, children);
}

const DAEMON_SYMBOLS: ReadonlySet<string> = new Set(["hpage_collapse_scan_pmd", "hpage_collapse_scan_file", "collapse_file", "collapse_pte_mapped_thp"]);
/** thp.* of the daemon's visit spans a VMA; those of a fault are about one page. */
const isDaemon = (d: Decision): boolean => DAEMON_SYMBOLS.has(d.symbol) || (d.rule.startsWith("thp.") && d.pages > 1);
const isDaemonAlone = (d: Decision, mm: number, vpn: number): boolean =>
  (d.rule === "khugepaged.mmDisabled" && d.mm === mm) || (d.rule === "khugepaged.budget" && (d.mm !== mm || d.vpn <= vpn));

// --- a page of a file

function whyFile(history: History, inode: number, index: number): Explanation {
  const k = machineOf(history).kernel;
  const frame = cachedFrame(k, inode, index);
  const reader = (): string => {
    const now = cachedFrame(k, inode, index);
    return now < 0 ? "none" : `${now} ${folioOrder(k, folioOf(k, now as Pfn))}`;
  };
  const wanted = (d: Decision): boolean => d.file !== undefined && d.file.inode === inode && index >= d.file.index && index < d.file.index + d.file.pages;
  const args = { file: fileText(history.world, inode), range: `0x${(index * 4096).toString(16)}` };
  const children = explainChanges(history, [reader], wanted);
  if (frame < 0) return explained("session.why.file.none", args, children);
  return explained("session.why.file.folio", { ...args, order: folioOrder(k, folioOf(k, frame as Pfn)) }, children);
}

// --- a setting

function whySetting(history: History, path: string): Explanation {
  const cause: Cause = { kind: "setting", path, value: settingOf(machineOf(history), path) };
  const [step] = lastChanges(history, history.lastStep, [() => readCause(machineOf(history), cause)]);
  return explained("session.why.cause.setting", { path, value: cause.value }, [originOf(history, step)], { cause });
}

/** The value of a kernel file: of several that it offers the chosen one. */
function settingOf(machine: History["world"]["machine"], path: string): string {
  const text = machine.readFile(path);
  return failed(text) ? text.errno : (/\[([^\]]*)\]/.exec(text)?.[1] ?? text.trim());
}

// --- a counter

function whyCounter(history: History, target: Extract<Target, { kind: "counter" | "sizeCounter" }>): Explanation {
  const k = machineOf(history).kernel;
  const read =
    target.kind === "counter" ? (): number => k.vmstat.get(vmstatIndex(target.name)) : (): number => k.mthpStat.get(target.order * MTHP_COUNTERS + target.item);
  const [step] = lastChanges(history, history.lastStep, [() => String(read())]);
  const args = { name: target.name, value: read() };
  if (step === 0) return explained("session.why.counter.never", args, [originOf(history, 0)]);
  const traced = replayWatching(history, step, read);
  return explained("session.why.counter.changed", args, [explainStep(history, traced)]);
}
