import { FILE_TABLE } from "./fileScenarios.ts";

/**
 * Scripts whose last line takes one decision each, with what `why` has to name: the table that the tests of explanations
 * run through. `named`: a rule and exactly the causes it names (kind:detail, see causeKey in the test).
 */
export interface Scenario {
  readonly name: string;
  readonly lines: readonly string[];
  /** words behind `why` */
  readonly target: string;
  readonly named: readonly (readonly [rule: string, ...causes: string[]])[];
  /** what is looked at at the end: see `observe` in the test */
  readonly observe: string;
  readonly release?: string;
  readonly memoryMiB?: number;
  /** an option of the kernel that the profile has off */
  readonly config?: string;
  /** P lacks CAP_IPC_LOCK */
  readonly unprivileged?: boolean;
}

/** A fresh THP at A. */
const THP = ["sys thp enabled always", "mmap A 4M rw private anon", "touch A w"];

/** name | profile, memory, privileges | script, lines apart by ; | words behind why | rule: causes; rule: causes | what is looked at */
const TABLE = `
huge because enabled is always |  | THP | A | thp.allowed: setting:thp/enabled setting:2048kB vmaFlag:VM_NOHUGEPAGE prctl vmaBounds entry:none | page A
huge because advised |  | mmap A 4M rw private anon; madvise A 4M hugepage; touch A w | A | thp.allowed: setting:thp/enabled vmaFlag:VM_HUGEPAGE setting:2048kB vmaFlag:VM_NOHUGEPAGE prctl vmaBounds entry:none | page A
small because enabled is never |  | sys thp enabled never; mmap A 4M rw private anon; madvise A 4M hugepage; touch A w | A | thp.settingNever: setting:thp/enabled setting:2048kB | page A
small because not advised |  | mmap A 4M rw private anon; touch A w | A | thp.settingMadvise: setting:thp/enabled vmaFlag:VM_HUGEPAGE setting:2048kB | page A
small because the size is off |  | sys thp enabled always; sys mthp 2048kB enabled never; mmap A 4M rw private anon; touch A w | A | thp.sizeNever: setting:2048kB era:mthp | page A
small because the size is for advised mappings |  | sys thp enabled always; sys mthp 2048kB enabled madvise; mmap A 4M rw private anon; touch A w | A | thp.sizeMadvise: setting:2048kB era:mthp vmaFlag:VM_HUGEPAGE | page A
small because of MADV_NOHUGEPAGE |  | sys thp enabled always; mmap A 4M rw private anon; madvise A 4M nohugepage; touch A w | A | thp.noHugePage: vmaFlag:VM_NOHUGEPAGE | page A
small because of MAP_STACK |  | sys thp enabled always; mmap A 4M rw private anon stack; touch A w | A | thp.noHugePage: vmaFlag:VM_NOHUGEPAGE | page A
small because of prctl |  | sys thp enabled always; prctl thp_disable 1; mmap A 4M rw private anon; touch A w | A | thp.prctl: prctl | page A
small because of prctl, except advised |  | sys thp enabled always; prctl thp_disable except; mmap A 4M rw private anon; touch A w | A | thp.prctl: prctl vmaFlag:VM_HUGEPAGE | page A
huge although prctl, because advised |  | sys thp enabled always; prctl thp_disable except; mmap A 4M rw private anon; madvise A 4M hugepage; touch A w | A | thp.allowed: setting:thp/enabled setting:2048kB vmaFlag:VM_NOHUGEPAGE prctl vmaFlag:VM_HUGEPAGE era:thpDisableExceptAdvised vmaBounds entry:none | page A
small because the block is outside |  | sys thp enabled always; mmap A 1M rw private anon; touch A w | A | thp.blockOutside: vmaBounds | page A
small because a table is there |  | mmap A 4M rw private anon; touch A+4k w; sys thp enabled always; touch A w | A | thp.tableThere: entry:table | page A
small because memory is short | 13MiB | THP | A | thp.allocFailed: memory | page A
small in 6.1 because not advised | debian-6.1.176 | mmap A 4M rw private anon; touch A w | A | thp.settingMadvise: setting:thp/enabled vmaFlag:VM_HUGEPAGE | page A
huge in 5.19 | upstream-5.19 | THP | A | thp.allowed: vmaFlag:VM_NOHUGEPAGE prctl setting:thp/enabled vmaBounds entry:none | page A
huge zero folio |  | sys thp enabled always; mmap A 4M rw private anon; touch A r | A | thp.hugeZero: setting:thp/use_zero_page access | page A
memory for a read without the huge zero folio |  | sys thp enabled always; sys thp use_zero_page 0; mmap A 4M rw private anon; touch A r | A | thp.noHugeZero: setting:thp/use_zero_page | page A
zero page |  | mmap A 4M rw private anon; touch A r | A | fault.zeroPage: access | page A
64 kB chosen |  | sys mthp 64kB enabled always; mmap A 4M rw private anon; touch A w | A | thp.allowed: setting:64kB vmaFlag:VM_NOHUGEPAGE prctl vmaBounds entry:none era:mthp | page A
64 kB inherits |  | sys mthp 64kB enabled inherit; sys mthp 2048kB enabled never; sys thp enabled always; mmap A 4M rw private anon; touch A w | A | thp.allowed: setting:thp/enabled setting:64kB vmaFlag:VM_NOHUGEPAGE prctl vmaBounds entry:none era:mthp | page A
64 kB outside of the mapping, 16 kB chosen |  | sys mthp 64kB enabled always; sys mthp 16kB enabled always; mmap A 32k rw private anon; touch A w | A | thp.blockOutside: vmaBounds | page A
64 kB not empty |  | mmap A 4M rw private anon; touch A+4k w; sys mthp 64kB enabled always; touch A w | A | thp.blockNotEmpty: entry:present | page A
exclusive page | upstream-5.19 | mmap A 64k rw private anon; touch A w; mprotect A 64k r; mprotect A 64k rw; touch A w | A | cow.exclusive: folio:PageAnonExclusive | frame A
shared page is copied |  | mmap A 64k rw private anon; touch A w; fork C; touch A w | A | cow.copy: folio:folio_ref_count | frame A
reused after the child ended |  | mmap A 64k rw private anon; touch A w; fork C; @C exit; touch A w | A | cow.reuse: folio:folio_ref_count | frame A
shared huge page is split and copied |  | THP; fork C; touch A w | A | cow.copy: folio:folio_ref_count | page A
huge page reused after the child ended |  | THP; fork C; @C exit; touch A w | A | cow.reuse: folio:folio_ref_count | page A
large folio copied although alone (6.12) | debian-6.12.107 | sys mthp 64kB enabled always; mmap A 64k rw private anon; touch A w; fork C; @C exit; touch A w | A | cow.copy: era:reuseLarge | frame A
large folio reused by its owner (6.18) |  | sys mthp 64kB enabled always; mmap A 64k rw private anon; touch A w; fork C; @C exit; touch A w | A | cow.reuse: era:reuseLarge | frame A
large folio copied because shared (6.18) |  | sys mthp 64kB enabled always; mmap A 64k rw private anon; touch A w; fork C; touch A w | A | cow.copy: folio:folio_maybe_mapped_shared | frame A
the zero page in the way of 64 kB |  | mmap A 4M rw private anon; touch A r; sys mthp 64kB enabled always; touch A w | A | cow.zeroPage: entry:zero | page A
a write to the huge zero folio allocates (6.18) |  | sys thp enabled always; mmap A 4M rw private anon; touch A r; touch A w | A | cow.hugeZero: era:hugeZeroWrite | page A
a write to the huge zero folio splits (6.12) | debian-6.12.107 | sys thp enabled always; mmap A 4M rw private anon; touch A r; touch A w | A | cow.hugeZero: era:hugeZeroWrite | page A
fork shares |  | mmap A 64k rw private anon; touch A w; fork C | @C A | fork.shared: vmaFlag:VM_DONTCOPY vmaFlag:VM_WIPEONFORK | @C page A
fork leaves out |  | mmap A 64k rw private anon; touch A w; madvise A 64k dontfork; fork C | @C A | fork.dontCopy: vmaFlag:VM_DONTCOPY | @C page A
fork wipes |  | mmap A 64k rw private anon; touch A w; madvise A 64k wipeonfork; fork C | @C A | fork.wiped: vmaFlag:VM_WIPEONFORK | @C page A
writable at once |  | mmap A 64k rw private anon; touch A w; mprotect A 64k r; mprotect A 64k rw | A | mprotect.writable: era:mprotectMakesWritable folio:PageAnonExclusive | page A
writable at the next fault because shared |  | mmap A 64k rw private anon; touch A w; mprotect A 64k r; fork C; mprotect A 64k rw |  | mprotect.later: folio:PageAnonExclusive | page A
writable at the next fault (5.19) | upstream-5.19 | mmap A 64k rw private anon; touch A w; mprotect A 64k r; mprotect A 64k rw |  | mprotect.later: era:mprotectMakesWritable | page A
PMD split by a partial unmap |  | THP; munmap A+1M 4k | A | pmd.splitPartial: argument:range | page A
PMD split by a partial mprotect |  | THP; mprotect A+1M 4k r | A | pmd.splitPartial: argument:range | page A
counter of PMD splits |  | THP; munmap A+1M 4k | thp_split_pmd | pmd.splitPartial: argument:range | counter thp_split_pmd
page of a large folio kept |  | THP; madvise A+4k 4k dontneed; madvise A+8k 4k dontneed |  | zap.kept: folio:mapped_pages | free
shared page kept |  | mmap A 64k rw private anon; touch A w; fork C; madvise A 4k dontneed |  | zap.kept: folio:folio_ref_count | free
not queued while a PMD maps it elsewhere |  | THP; fork C; munmap A+1M 4k |  | deferred.notQueued: folio:folio_entire_mapcount | partial
queued for a deferred split |  | THP; madvise A+1M 4k dontneed | folio A | deferred.queued: era:deferredSplit operation | partial
queued for a deferred split, without the list of the underused |  | sys thp shrink_underused 0; sys thp enabled always; mmap A 4M rw private anon; touch A w; madvise A+4k 4k dontneed | folio A | deferred.queued: operation | partial
a fresh THP is queued for the shrinker |  | THP | A | deferred.underused: setting:thp/shrink_underused era:collapseQueuesDeferred | deferred
MADV_FREE splits |  | THP; madvise A+1M 4k free | A | lazyfree.split: argument:range; split.ok: folio:extra_references | page A
MADV_FREE skips what is shared |  | THP; fork C; madvise A 2M free |  | lazyfree.shared: folio:folio_maybe_mapped_shared | lazy A
MADV_COLD splits |  | THP; madvise A+1M 4k cold | A | cold.split: argument:range | page A
MADV_COLD skips what is shared |  | THP; fork C; madvise A 2M cold |  | cold.shared: folio:folio_maybe_mapped_shared | lazy A
a pinned folio is not split |  | THP; gup A r; madvise A+1M 4k free |  | split.pinned: folio:extra_references | page A
khugepaged collapses |  | sys thp enabled never; mmap A 2M rw private anon; touch A w; sys thp enabled madvise; madvise A 2M hugepage; khugepaged scan 1 | A | collapse.SUCCEED: setting:khugepaged/pages_to_scan setting:khugepaged/max_ptes_none | page A
max_ptes_none |  | mmap A 2M rw private anon; touch A w; sys khp max_ptes_none 1; madvise A 2M hugepage; khugepaged scan 1 |  | collapse.EXCEED_NONE_PTE: setting:khugepaged/max_ptes_none entry:none | page A
max_ptes_shared |  | mmap A 2M rw private anon; touch A 64k w; fork C; sys khp max_ptes_shared 0; madvise A 2M hugepage; khugepaged scan 1 | khugepaged A | collapse.EXCEED_SHARED_PTE: setting:khugepaged/max_ptes_shared folio:folio_maybe_mapped_shared | page A
no page used of late |  | mmap A 2M rw private anon; touch A 2M w; madvise A 2M cold; madvise A 2M hugepage; khugepaged scan 1 |  | collapse.LACK_REFERENCED_PAGE: entry:old | page A
khugepaged may not: not advised |  | mmap B 2M rw private anon; madvise B 2M hugepage; touch B w; mmap A 2M rw private anon; touch A w; khugepaged scan 1 | khugepaged A | thp.settingMadvise: setting:thp/enabled vmaFlag:VM_HUGEPAGE setting:2048kB | page A
khugepaged leaves the process out |  | mmap A 2M rw private anon; touch A w; madvise A 2M hugepage; prctl thp_disable 1; khugepaged scan 1 | khugepaged A | khugepaged.mmDisabled: prctl | page A
on khugepaged's list |  | mmap A 4M rw private anon; touch A w; madvise A 4M hugepage | khugepaged A | khugepaged.registered: setting:thp/enabled vmaFlag:VM_HUGEPAGE setting:2048kB prctl vmaBounds anonVma | listed
not on khugepaged's list: nothing written |  | mmap A 4M rw private anon; madvise A 4M hugepage | khugepaged A | khugepaged.notRegistered: anonVma | listed
not on khugepaged's list: the daemon is stopped |  | mmap A 4M rw private anon; touch A w; sys thp enabled never; madvise A 4M hugepage | khugepaged A | khugepaged.stopped: setting:thp/enabled setting:2048kB | listed
MADV_COLLAPSE |  | mmap A 2M rw private anon; touch A w; madvise A 2M collapse | A | collapse.SUCCEED: operation era:madvCollapse | page A
MADV_COLLAPSE of nothing |  | mmap A 2M rw private anon; mmap A 2M rw private anon at=A+2M; touch A+2M w; madvise A 2M collapse |  | collapse.PMD_NONE: entry:none | result
MADV_COLLAPSE and a guard |  | mmap A 2M rw private anon; touch A w; madvise A+4k 4k guard_install; madvise A 2M collapse |  | collapse.FAIL: entry:guard | result
MADV_COLLAPSE of a pinned page |  | mmap A 2M rw private anon; touch A w; gup A r; madvise A 2M collapse |  | collapse.PAGE_COUNT: folio:extra_references | result
MADV_COLLAPSE of a read-only range (6.12) | debian-6.12.107 | mmap A 2M rw private anon; touch A w; mprotect A 2M r; madvise A 2M collapse |  | collapse.PAGE_RO: era:collapseNeedsWritable entry:readOnly | result
MADV_COLLAPSE may not |  | mmap A 2M rw private anon; touch A w; madvise A 2M nohugepage; madvise A 2M collapse |  | thp.noHugePage: vmaFlag:VM_NOHUGEPAGE | result
a breakpoint |  | memfd m 64k; fwrite m 0 4k 144; mmap A 64k rx private rofile=m; uprobe set m 0 | A | uprobe.copied: operation | page A
a breakpoint that went |  | memfd m 64k; fwrite m 0 4k 144; mmap A 64k rx private rofile=m; uprobe set m 0; uprobe clear m 0 | A | uprobe.healed: operation | free
merged |  | mmap A 64k rw private anon; mmap A 64k rw private anon at=A+64k | vma A | vma.merged: occupied | vma A+64k
not merged: flags |  | mmap A 64k rw private anon; madvise A 64k hugepage; mmap A 64k rw private anon at=A+64k | vma A+64k | vma.flags: vmaFlag:VM_HUGEPAGE | vma A+64k
not merged: protection |  | mmap A 64k r private anon; mmap A 64k rw private anon at=A+64k | vma A+64k | vma.flags: vmaFlag:VM_WRITE | vma A+64k
not merged: offset |  | mmap A 64k rw private anon; touch A w; mremap A 64k 64k maymove fixed=A+2M; mmap A 64k rw private anon at=A+2112k | vma A+2112k | vma.offset: offset anonVma | vma A+2112k
not merged: two anon_vmas |  | mmap A 64k rw private anon; mmap A 64k r private anon at=A+64k; mmap A 64k rw private anon at=A+128k; touch A w; touch A+128k w; mprotect A+64k 64k rw | vma A | vma.twoAnonVmas: anonVma | vma A
not merged: anon_vma of the neighbour |  | mmap A 64k rw private anon; mmap A 64k rw private anon at=A+128k; touch A w; touch A+128k w; mmap A 64k rw private anon at=A+64k; mprotect A+128k 64k r; mprotect A+128k 64k rw |  | vma.anonVma: anonVma | vma A
a place aligned for huge pages |  | mmap B 4k rw private anon noaddr; mmap A 4M rw private anon noaddr |  | mmap.aligned: era:mmapThpAlign argument:length | align
a place not aligned |  | mmap B 4k rw private anon noaddr; mmap A 4100k rw private anon noaddr |  | mmap.notAligned: era:mmapThpAlign argument:length | align
SEGV_MAPERR |  | mmap A 64k rw private anon; touch A+64k w |  | fault.noVma: hole | result
SEGV_ACCERR on a write |  | mmap A 64k r private anon; touch A w |  | fault.accessError: vmaFlag:VM_WRITE access | result
SEGV_ACCERR on PROT_NONE |  | mmap A 64k none private anon; touch A r |  | fault.accessError: vmaFlag:VM_READ | result
a guard |  | mmap A 64k rw private anon; madvise A 4k guard_install; touch A w |  | fault.guard: entry:guard | result
a stack against its neighbour |  | mmap A 64k rw private anon; mmap A 64k rw private anon growsdown at=A+1M; touch A+1020k w |  | fault.stackGap: occupied | result
mlock past its limit | unprivileged | rlimit memlock 4k; mmap A 64k rw private anon; mlock A 64k |  | refuse.limit: limit:memlock capability | result
raising a hard limit | unprivileged | rlimit memlock 64k; rlimit memlock 1M |  | refuse.limit: limit:memlock capability | result
mmap past RLIMIT_AS |  | rlimit as 1M; mmap A 64k rw private anon |  | refuse.limit: limit:as | result
madvise over a hole |  | mmap A 64k rw private anon; madvise A 128k dontneed |  | refuse.hole: hole | result
mprotect over a hole |  | mmap A 64k rw private anon; mprotect A 128k r |  | refuse.hole: hole | result
MADV_DONTNEED of locked memory |  | mmap A 64k rw private anon; mlock A 64k; madvise A 64k dontneed |  | refuse.locked: vmaFlag:VM_LOCKED | result
munmap of sealed memory |  | mmap A 64k rw private anon; mseal A 64k; munmap A 64k |  | refuse.sealed: vmaFlag:VM_SEALED | result
mseal before it existed | debian-6.1.176 | mmap A 64k rw private anon; mseal A 64k |  | refuse.release: era:mseal | result
guards before they existed | debian-6.12.107 | mmap A 64k rw private anon; madvise A 4k guard_install |  | refuse.release: era:guardRegions | result
advice that does not exist |  | mmap A 64k rw private anon; madvise A 64k bogus |  | refuse.argument: argument:advice | result
an address between pages |  | mmap A 64k rw private anon; munmap A+1 4k |  | refuse.alignment: argument:address | result
mmap where something is |  | mmap A 64k rw private anon; mmap A 64k rw private anon |  | refuse.occupied: occupied | result
mremap that may not move |  | mmap A 64k rw private anon; mmap A 64k r private anon at=A+64k; mremap A 64k 128k |  | refuse.occupied: occupied | result
mremap across mappings |  | mmap A 64k rw private anon; mmap A 64k r private anon at=A+64k; mremap A 128k 256k maymove |  | refuse.acrossVmas: vmaBounds | result
MADV_POPULATE_WRITE without permission |  | mmap A 64k r private anon; madvise A 64k populate_write |  | refuse.permission: vmaFlag:VM_WRITE | result
too many mappings |  | sys set /proc/sys/vm/max_map_count 1; mmap A 64k rw private anon |  | refuse.mapCount: setting:vm/max_map_count | result
more than the machine has |  | mmap A 8G rw private anon |  | refuse.overcommit: setting:vm/overcommit_memory memory | result
a setting that does not take a value |  | sys thp enabled sometimes |  | refuse.setting: argument:value | result
a file that is not there |  | sys set /sys/kernel/mm/nothing 1 |  | refuse.file: argument:value | result
prctl except advised before it existed | debian-6.12.107 | prctl thp_disable except |  | refuse.release: era:thpDisableExceptAdvised | result
a write takes memory |  | mmap A 64k rw private anon; touch A w | A | fault.freshPage: access | page A
unmapped and freed |  | mmap A 64k rw private anon; touch A w; madvise A 4k dontneed | A | zap.freed: operation | page A
a huge page unmapped whole |  | THP; madvise A 2M dontneed | A | pmd.zapWhole: operation | page A
marked by MADV_FREE |  | mmap A 64k rw private anon; touch A w; madvise A 4k free |  | lazyfree.marked: operation | lazy A
aged by MADV_COLD |  | mmap A 64k rw private anon; touch A w; madvise A 4k cold |  | cold.aged: operation | lazy A
copied by fork because pinned |  | mmap A 4M rw private anon; madvise A 4M hugepage; touch A w; gup A r; fork C | @C A | fork.copied: folio:extra_references | @C page A
a stack past its limit |  | mmap A 64k rw private anon growsdown at=A+64M; touch A+52M w |  | fault.stackLimit: argument:address | result
no memory for a fault | 13MiB | mmap A 8M rw private anon; touch A 8M w |  | fault.oom: memory | result
khugepaged may not: too small |  | mmap B 2M rw private anon; madvise B 2M hugepage; touch B w; mmap A 1M rw private anon; madvise A 1M hugepage; touch A w; khugepaged scan 1 | khugepaged A | thp.tooSmall: vmaBounds | page A
khugepaged's pass ended before |  | mmap A 2M rw private anon; touch A w; madvise A 2M hugepage; sys khp pages_to_scan 1; khugepaged scan 1 | khugepaged A | khugepaged.budget: setting:khugepaged/pages_to_scan | page A
not on khugepaged's list: too small |  | mmap A 1M rw private anon; touch A w; madvise A 1M hugepage | khugepaged A | khugepaged.notRegistered: vmaBounds | listed
max_ptes_swap and a guard |  | mmap A 2M rw private anon; touch A w; madvise A+4k 4k guard_install; sys khp max_ptes_swap 0; madvise A 2M hugepage; khugepaged scan 1 | khugepaged A | collapse.EXCEED_SWAP_PTE: entry:guard | page A
MADV_COLLAPSE of what was never written |  | mmap A 2M rw private anon; madvise A 2M collapse |  | thp.noAnonVma: anonVma | result
MADV_COLLAPSE where no table is |  | mmap A 3G rw private anon; touch A+2G w; madvise A 2M collapse |  | collapse.PMD_NULL: entry:none | result
MADV_COLLAPSE without memory | 13MiB | mmap A 2M rw private anon; touch A w; madvise A 2M collapse |  | collapse.ALLOC_HUGE_PAGE_FAIL: memory | result
MADV_COLLAPSE inside one block |  | mmap A 2M rw private anon; touch A w; madvise A+4k 4k collapse |  | refuse.collapse: argument:range | result
a length of 0 |  | mmap A 64k rw private anon; munmap A 0 |  | refuse.lengthZero: argument:length | result
beyond the address space |  | munmap 0x7fffffffe000 64k |  | refuse.addressRange: argument:range | result
old and new place overlap |  | mmap A 64k rw private anon; mremap A 64k 64k maymove fixed=A+4k |  | refuse.overlap: argument:new_address | result
no room |  | mmap A 134217700M rw private anon noaddr noreserve |  | refuse.noRoom: argument:length | result
`;

function readRow(row: string): Scenario {
  const [name, options, script, target, named, observe] = row.split("|").map((field) => field.trim());
  const memory = /(\d+)MiB/.exec(options);
  const profile = /\b(debian|upstream)-\S+/.exec(options);
  return {
    name,
    lines: script.split("; ").flatMap((line) => (line === "THP" ? THP : [line])),
    target,
    named: named.split("; ").map((each): [string, ...string[]] => {
      const [rule, causes] = each.split(": ");
      return [rule, ...causes.split(" ")];
    }),
    observe,
    ...(profile === null ? {} : { release: profile[0] }),
    ...(memory === null ? {} : { memoryMiB: Number(memory[1]) }),
    ...(options.includes("readOnlyThpForFs") ? { config: "readOnlyThpForFs" } : {}),
    ...(options.includes("unprivileged") ? { unprivileged: true } : {}),
  };
}

export const SCENARIOS: readonly Scenario[] = [TABLE, FILE_TABLE].flatMap((table) => table.trim().split("\n").map(readRow));
