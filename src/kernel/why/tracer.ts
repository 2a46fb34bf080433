import type { Era } from "../era/era.ts";
import type { Resource } from "../mm/records.ts";
import type { ScanResult } from "../thp/scanResult.ts";

/**
 * Explanations are derived by running one operation again with a tracer (DESIGN.md section 3).
 * Kernel code reports a decision where it takes one; without a tracer that costs one comparison, and nothing is
 * built before it. How to add a decision point: docs/why.md.
 */

/** Flags of a VMA that a decision may depend on, by their kernel names. */
export type VmaFlagName =
  | "VM_READ"
  | "VM_WRITE"
  | "VM_EXEC"
  | "VM_SHARED"
  | "VM_GROWSDOWN"
  | "VM_LOCKED"
  | "VM_LOCKONFAULT"
  | "VM_SEQ_READ"
  | "VM_RAND_READ"
  | "VM_DONTCOPY"
  | "VM_ACCOUNT"
  | "VM_NORESERVE"
  | "VM_WIPEONFORK"
  | "VM_DONTDUMP"
  | "VM_SOFTDIRTY"
  | "VM_HUGEPAGE"
  | "VM_NOHUGEPAGE"
  | "VM_MERGEABLE"
  | "VM_SEALED"
  | "VM_DROPPABLE"
  | "VM_SPECIAL";

/** What an entry was found to be. */
export type EntryState = "none" | "present" | "huge" | "table" | "zero" | "guard" | "old" | "readOnly" | "private";

/** Numbers of a folio that decisions compare. */
export type FolioProperty =
  | "PageAnonExclusive"
  | "folio_ref_count"
  | "folio_large_mapcount"
  | "folio_entire_mapcount"
  | "folio_maybe_mapped_shared"
  | "extra_references"
  | "mapped_pages";

/** Of a file: its size in bytes, how often it is open for writing, whether large folios may hold it; of its tmpfs: huge= and size= (pages). */
export type FileProperty = "i_size" | "i_writecount" | "large_folios" | "huge=" | "size=";

/** Nothing of them, some of them, not all of them, or the mark at which a fault reads on. */
export type CacheState = "empty" | "cached" | "holes" | "marked";

/** `extra_references`: those that neither mappings nor the page cache explain; "PG_dirty": 0 or 1. */
export type CacheFolioProperty = "folio_order" | "PG_dirty" | "extra_references";

/** Arguments of a call, and things that only the call says. */
export type ArgumentName =
  "address" | "length" | "advice" | "flags" | "prot" | "old_size" | "new_size" | "new_address" | "value" | "range" | "fd" | "path" | "offset";

/**
 * A fact that a decision depends on: had it alone been otherwise, the decision would have been another. `mm` is a slot of
 * the mm table, `vpn` a page number; each kind can be read from a machine (session/why/causes.ts), so that the step
 * that made it so can be found.
 */
export type Cause =
  /** a kernel file and what it held */
  | { readonly kind: "setting"; readonly path: string; readonly value: string | number }
  /** a flag of the VMA that holds the page, set or not */
  | { readonly kind: "vmaFlag"; readonly mm: number; readonly vpn: number; readonly flag: VmaFlagName; readonly set: boolean }
  /** the bounds of the VMA that holds the page, against the block [from, to) that was looked for; from = to: any aligned block */
  | {
      readonly kind: "vmaBounds";
      readonly mm: number;
      readonly vpn: number;
      readonly start: number;
      readonly end: number;
      readonly from: number;
      readonly to: number;
    }
  /** nothing is mapped in [vpn, end) */
  | { readonly kind: "hole"; readonly mm: number; readonly vpn: number; readonly end: number }
  /** something is mapped in [vpn, end) */
  | { readonly kind: "occupied"; readonly mm: number; readonly vpn: number; readonly end: number }
  /** whether the VMA that holds the page has an anon_vma: its first write fault prepares one */
  | { readonly kind: "anonVma"; readonly mm: number; readonly vpn: number; readonly set: boolean }
  /** vm_pgoff of the VMA, where another was needed */
  | { readonly kind: "offset"; readonly mm: number; readonly vpn: number; readonly pgoff: number }
  /** PR_SET_THP_DISABLE of an mm */
  | { readonly kind: "prctl"; readonly mm: number; readonly value: number }
  /** entries of page tables, of `pages` pages from `vpn` on */
  | { readonly kind: "entry"; readonly mm: number; readonly vpn: number; readonly pages: number; readonly is: EntryState }
  /** a number of the folio that is mapped at a page */
  | { readonly kind: "folio"; readonly mm: number; readonly vpn: number; readonly pfn: number; readonly property: FolioProperty; readonly value: number }
  /** what kind of access was made */
  | { readonly kind: "access"; readonly write: boolean }
  /** an argument of the call */
  | { readonly kind: "argument"; readonly name: ArgumentName; readonly value: string | number }
  /** RLIMIT_* of a process, bytes */
  | { readonly kind: "limit"; readonly mm: number; readonly resource: Resource; readonly value: number }
  /** a capability of a process */
  | { readonly kind: "capability"; readonly mm: number; readonly name: "CAP_IPC_LOCK" | "CAP_SYS_RESOURCE"; readonly set: boolean }
  /** a behaviour of the release */
  | { readonly kind: "era"; readonly behaviour: keyof Era; readonly value: string | boolean }
  /** an option the kernel was built with, or a number of the machine */
  | { readonly kind: "config"; readonly name: string; readonly value: boolean | number }
  /** a property of a file or of its mount */
  | { readonly kind: "file"; readonly inode: number; readonly property: FileProperty; readonly value: string | number }
  /** what the page cache has of the pages [index, index + pages) of a file */
  | { readonly kind: "cache"; readonly inode: number; readonly index: number; readonly pages: number; readonly is: CacheState }
  /** a property of the folio that the page cache has at a page of a file */
  | { readonly kind: "cacheFolio"; readonly inode: number; readonly index: number; readonly property: CacheFolioProperty; readonly value: number }
  /** mmap_miss of an open file: how much more its mappings missed the page cache than hit it */
  | { readonly kind: "readahead"; readonly file: number; readonly value: number }
  /** free memory, against what was asked for: pages */
  | { readonly kind: "memory"; readonly pages: number }
  /** that this operation was carried out at all */
  | { readonly kind: "operation" };

/** Why an order may or may not be tried: first checks of the settings, then of the VMA, then of the block. */
export type OrderRule =
  | "thp.allowed"
  | "thp.settingNever"
  | "thp.settingMadvise"
  | "thp.sizeNever"
  | "thp.sizeMadvise"
  | "thp.noHugePage"
  | "thp.prctl"
  | "thp.special"
  | "thp.tooSmall"
  | "thp.noAnonVma"
  | "thp.fileNotAllowed"
  | "thp.editedRule"
  | "thp.temporaryStack"
  | "thp.handlerNotAsked"
  | "thp.handlerMapped"
  | "thp.handlerDeclined"
  | "thp.noHandler"
  | "thp.blockOutside"
  | "thp.blockNotEmpty"
  | "thp.tableThere";

export type RefusalRule =
  | "refuse.alignment"
  | "refuse.lengthZero"
  | "refuse.addressRange"
  | "refuse.argument"
  | "refuse.hole"
  | "refuse.occupied"
  | "refuse.sealed"
  | "refuse.locked"
  | "refuse.permission"
  | "refuse.special"
  | "refuse.limit"
  | "refuse.memory"
  | "refuse.overcommit"
  | "refuse.mapCount"
  | "refuse.release"
  | "refuse.config"
  | "refuse.overlap"
  | "refuse.acrossVmas"
  | "refuse.noRoom"
  | "refuse.collapse"
  | "refuse.setting"
  | "refuse.file";

/** Which folio tmpfs makes for a page, and how large. */
export type ShmemRule =
  | "shmem.large"
  | "shmem.force"
  | "shmem.deny"
  | "shmem.disabled"
  | "shmem.notAllowed"
  | "shmem.withinSize"
  | "shmem.doesNotFit"
  | "shmem.blockNotEmpty"
  | "shmem.allocFailed"
  | "shmem.mountFull";

/** How a page of a file is found, read and mapped. */
export type FileRule =
  | "file.readFault"
  | "file.cowFault"
  | "file.sharedFault"
  | "file.mkwrite"
  | "file.beyondEof"
  | "file.hit"
  | "file.miss"
  | "around.mapped"
  | "map.pmd"
  | "map.folio"
  | "map.page"
  | "map.outside"
  | "map.misaligned"
  | "map.disabled"
  | "map.acrossEof"
  | "map.tableThere"
  | "map.occupied"
  | "map.pmdSplitByWrite"
  | "readahead.huge"
  | "readahead.sequential"
  | "readahead.exec"
  | "readahead.around"
  | "readahead.missed"
  | "readahead.random"
  | "readahead.async"
  | "readahead.order"
  | "truncate.unmapped"
  | "truncate.cowsKept"
  | "truncate.keptWhole"
  | "truncate.split"
  | "truncate.writtenFirst"
  | "truncate.notWritten"
  | "split.dirty"
  | "zap.cached"
  | "cow.filePage";

export type Rule =
  | OrderRule
  | RefusalRule
  | ShmemRule
  | FileRule
  | `collapse.${ScanResult}`
  | "thp.allocFailed"
  | "thp.hugeZero"
  | "thp.noHugeZero"
  | "fault.noVma"
  | "fault.stackGap"
  | "fault.stackLimit"
  | "fault.accessError"
  | "fault.guard"
  | "fault.oom"
  | "fault.zeroPage"
  | "fault.freshPage"
  | "cow.exclusive"
  | "cow.reuse"
  | "cow.copy"
  | "cow.zeroPage"
  | "cow.hugeZero"
  | "mprotect.writable"
  | "mprotect.later"
  | "pmd.splitPartial"
  | "pmd.zapWhole"
  | "zap.kept"
  | "zap.freed"
  | "deferred.queued"
  | "deferred.notQueued"
  | "deferred.underused"
  | "split.ok"
  | "split.pinned"
  | "lazyfree.marked"
  | "lazyfree.shared"
  | "lazyfree.split"
  | "cold.aged"
  | "cold.shared"
  | "cold.split"
  | "uprobe.copied"
  | "uprobe.healed"
  | "uprobe.kept"
  | "khugepaged.registered"
  | "khugepaged.notRegistered"
  | "khugepaged.stopped"
  | "khugepaged.mmDisabled"
  | "khugepaged.budget"
  | "vma.merged"
  | "vma.flags"
  | "vma.offset"
  | "vma.anonVma"
  | "vma.twoAnonVmas"
  | "mmap.aligned"
  | "mmap.notAligned"
  | "fork.shared"
  | "fork.copied"
  | "fork.dontCopy"
  | "fork.wiped";

export interface Decision {
  /** kernel function that decides, as the release calls it */
  readonly symbol: string;
  /** key of the rule in the catalogue (session/messages.en.ts) */
  readonly rule: Rule;
  /** "yes", "no", an errno, an order, ...: what was decided, in kernel terms */
  readonly outcome: string;
  /** had any of these alone been otherwise, so would the decision (for a refusal: as long as `also` is empty) */
  readonly causes: readonly Cause[];
  /** further checks that would have refused too, one cause of each: these have to change together with one of `causes` */
  readonly also?: readonly Cause[];
  /** mm slot it is about; 0 when it is about none */
  readonly mm: number;
  /** first page it is about; -1 when it is about none */
  readonly vpn: number;
  readonly pages: number;
  /** pages of a file that it is about, whoever maps them */
  readonly file?: { readonly inode: number; readonly index: number; readonly pages: number };
}

export interface Tracer {
  decide(decision: Decision): void;
}
