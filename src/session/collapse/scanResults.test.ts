import { describe, expect, it } from "vitest";
import { runScans, runScansWhile, type ScanOptions } from "./scans.ts";

/** Every SCAN_* result on a booted machine: by MADV_COLLAPSE, by khugepaged, and with another thread between two steps where only that brings it about. */

const SMALL = ["sys thp enabled never", "mmap A 4M rw private anon", "touch A 2M w"];
const ENROLLED = ["mmap A 4M rw private anon", "touch A 2M w", "madvise A 4M hugepage"];
const SHMEM = ["memfd m 4M", "mmap A 4M rw shared file=m", "touch A 2M w"];
/** MADV_HUGEPAGE registers the process before it sets the flag, so that "advise" would not do */
const SHMEM_ENROLLED = [
  "sys thp enabled always",
  "memfd m 4M",
  "mmap A 4M rw shared file=m",
  "touch A 2M w",
  "sys thp shmem_enabled always",
  "madvise A 4M hugepage",
];
const COLLAPSE = "madvise A 2M collapse";
const SCAN = "khugepaged scan 2";

interface Case {
  readonly result: string;
  readonly release: string;
  readonly lines: readonly string[];
  readonly options?: ScanOptions;
}

const MADV_ANON: readonly Case[] = [
  { result: "SUCCEED", release: "6.18", lines: [...SMALL, COLLAPSE] },
  {
    result: "PMD_NULL",
    release: "6.18",
    lines: [
      "sys thp enabled never",
      "mmap A 2M rw private anon",
      "touch A w",
      "madvise A 4k dontneed",
      "munmap A 2M",
      "mmap A 2G rw private anon",
      "touch A w",
      "madvise A+1G 2M collapse",
    ],
  },
  { result: "PMD_NONE", release: "6.18", lines: [...SMALL, "madvise A+2M 2M collapse"] },
  { result: "PMD_MAPPED", release: "6.18", lines: [...SMALL, COLLAPSE, COLLAPSE] },
  { result: "PAGE_RO", release: "6.12", lines: [...SMALL, "mprotect A 2M r", COLLAPSE] },
  { result: "PAGE_COUNT", release: "6.18", lines: [...SMALL, "gup A 4k r", COLLAPSE] },
  { result: "FAIL", release: "6.18", lines: [...SMALL, "madvise A+4k 4k guard_install", COLLAPSE] },
  {
    result: "ALLOC_HUGE_PAGE_FAIL",
    release: "6.18",
    lines: [
      "sys thp enabled never",
      "mmap F 600M rw private anon noreserve",
      "sys vm overcommit_memory 1",
      "mmap A 2M rw private anon",
      "touch A 2M w",
      "touch F 506M w",
      COLLAPSE,
    ],
    options: { memoryMiB: 512 },
  },
  { result: "PAGE_ANON", release: "6.12", lines: [...SHMEM, COLLAPSE], options: { config: ["CONFIG_SHMEM=n"] } },
];

const DAEMON_ANON: readonly Case[] = [
  { result: "SUCCEED", release: "6.18", lines: [...ENROLLED, SCAN] },
  { result: "EXCEED_NONE_PTE", release: "6.18", lines: [...ENROLLED, "madvise A 4k dontneed", "sys khp max_ptes_none 0", SCAN] },
  { result: "EXCEED_SHARED_PTE", release: "6.18", lines: [...ENROLLED, "fork C", "sys khp max_ptes_shared 0", SCAN] },
  { result: "EXCEED_SWAP_PTE", release: "6.18", lines: [...ENROLLED, "madvise A+4k 8k guard_install", "sys khp max_ptes_swap 0", SCAN] },
  { result: "LACK_REFERENCED_PAGE", release: "6.18", lines: [...ENROLLED, "madvise A 4M cold", SCAN] },
  { result: "PAGE_RO", release: "6.12", lines: [...ENROLLED, "mprotect A 2M r", SCAN] },
  { result: "PAGE_COUNT", release: "6.18", lines: [...ENROLLED, "gup A 4k r", SCAN] },
  { result: "PMD_NULL", release: "5.19", lines: ["mmap A 4M rw private anon", "madvise A 4M hugepage", "sys thp enabled madvise", "touch A+2M w", SCAN] },
  { result: "PAGE_ANON", release: "6.12", lines: [...SHMEM_ENROLLED, SCAN], options: { config: ["CONFIG_SHMEM=n"] } },
];

const FILES: readonly Case[] = [
  { result: "PTE_MAPPED_HUGEPAGE", release: "6.18", lines: [...SHMEM, COLLAPSE, "madvise A 2M dontneed", COLLAPSE] },
  { result: "SUCCEED", release: "6.5", lines: [...SHMEM, COLLAPSE] },
  { result: "PAGE_COMPOUND", release: "6.11", lines: ["sys mthp 64kB shmem_enabled always", "mmap A 2M rw shared anon", "touch A 2M w", COLLAPSE] },
  { result: "TRUNCATED", release: "6.18", lines: ["memfd m 2M", "mmap A 2M rw shared file=m", COLLAPSE] },
  { result: "PAGE_COUNT", release: "6.18", lines: [...SHMEM, "gup A 4k r", COLLAPSE] },
  { result: "EXCEED_NONE_PTE", release: "6.18", lines: [...SHMEM_ENROLLED, "falloc m punch 0 4k", "sys khp max_ptes_none 0", SCAN] },
  {
    result: "FAIL",
    release: "6.12",
    lines: ["sys thp enabled always", "file f /mnt/ext4/f 2M", "fwrite f 0 2M", "mmap A 2M rx private rofile=f", COLLAPSE],
    options: { config: ["CONFIG_READ_ONLY_THP_FOR_FS=y"] },
  },
  {
    result: "ALLOC_HUGE_PAGE_FAIL",
    release: "6.18",
    lines: ["sys vm overcommit_memory 1", "mmap F 600M rw private anon noreserve", ...SHMEM, "touch F 504M w", COLLAPSE],
    options: { memoryMiB: 512 },
  },
];

/** A huge folio that a private mapping maps page by page: while one page had other rights, the mapping was two. */
const BY_PAGES = [
  "sys thp shmem_enabled always",
  "memfd m 4M",
  "mmap A 4M rw private file=m",
  "touch A r",
  "mprotect A 4k none",
  "touch A+4k 2044k r",
  "mprotect A 4k rw",
];
const IN_PLACE: readonly Case[] = [
  { result: "SUCCEED", release: "6.18", lines: [...BY_PAGES, COLLAPSE] },
  { result: "FAIL", release: "6.18", lines: [...BY_PAGES, "touch A+8k w", COLLAPSE] },
  { result: "PTE_NON_PRESENT", release: "6.18", lines: [...BY_PAGES, "madvise A+8k 4k guard_install", COLLAPSE] },
  { result: "VMA_CHECK", release: "6.1", lines: [...BY_PAGES, "touch A+2M w", COLLAPSE] },
  { result: "PMD_NULL", release: "6.12", lines: ["sys thp shmem_enabled always", "memfd m 2M", "fwrite m 0 4k", "mmap A 2M rw shared file=m", COLLAPSE] },
  { result: "PMD_MAPPED", release: "6.18", lines: [...BY_PAGES, COLLAPSE, COLLAPSE] },
];

const last = (release: string, lines: readonly string[], options?: ScanOptions): readonly string[] => runScans(release, lines, options).scans;

describe("results of scans", () => {
  it.each(MADV_ANON)("MADV_COLLAPSE of anonymous memory, $release: SCAN_$result", ({ release, lines, options, result }) => {
    const { scans } = runScans(release, lines, options);
    expect(scans[scans.length - 1]).toBe(`madvise_collapse SCAN_${result}`);
  });

  it.each(DAEMON_ANON)("khugepaged on anonymous memory, $release: SCAN_$result", ({ release, lines, options, result }) => {
    expect(last(release, lines, options)).toContain(`hpage_collapse_scan_pmd SCAN_${result}`);
  });

  it.each(FILES)("of files, $release: SCAN_$result", ({ release, lines, options, result }) => {
    const answers = last(release, lines, options).filter((scan) => /^(hpage_collapse_scan_file|collapse_file|collapse_pte_mapped_thp) /.test(scan));
    expect(answers.map((scan) => scan.split(" ")[1])).toContain(`SCAN_${result}`);
  });

  it.each(IN_PLACE)("in place, $release: SCAN_$result", ({ release, lines, options, result }) => {
    expect(last(release, lines, options)).toContain(`collapse_pte_mapped_thp SCAN_${result}`);
  });
});

describe("results that another thread brings about", () => {
  const anon = (meanwhile: string, release = "6.18"): readonly string[] => runScansWhile(release, [...SMALL], COLLAPSE, "collapse.allocated", meanwhile).scans;

  it.each([
    ["ADDRESS_RANGE", "munmap A 4M"],
    ["ADDRESS_RANGE", "munmap A 1M"],
    ["VMA_CHECK", "madvise A 4M nohugepage"],
    ["VMA_CHECK", "prctl thp_disable 1"],
    ["PMD_NONE", "munmap A+16M 4k"],
  ] as const)("row 25: revalidation after the lock was dropped answers SCAN_%s to: %s", (result, meanwhile) => {
    // the last one changes nothing: the collapse succeeds
    const expected = meanwhile === "munmap A+16M 4k" ? "SUCCEED" : result;
    expect(anon(meanwhile)).toContain(`madvise_collapse SCAN_${expected}`);
  });

  it("row 25: nothing mapped at the block nor above it: SCAN_VMA_NULL", () => {
    const { scans } = runScansWhile("6.18", [...SMALL, "munmap 0x1000400000 0x7fefffbff000"], COLLAPSE, "collapse.allocated", "munmap A 4M");
    expect(scans).toContain("madvise_collapse SCAN_VMA_NULL");
  });

  it("row 25: a mapping of a file where anonymous memory was: SCAN_PAGE_ANON", () => {
    const setup = [...SMALL, "memfd m 2M", "sys thp shmem_enabled always"];
    const { scans } = runScansWhile("6.18", setup, COLLAPSE, "collapse.allocated", "mmap A 2M rw shared file=m fixed");
    expect(scans).toContain("madvise_collapse SCAN_PAGE_ANON");
  });

  it("a hole of the file that is filled: SCAN_PAGE_FILLED", () => {
    const setup = ["memfd m 2M", "mmap A 2M rw shared file=m", "touch A 1M w"];
    const { scans, results } = runScansWhile("6.18", setup, COLLAPSE, "collapse.isolatedFile", "touch A+1M w");
    expect(scans).toContain("collapse_file SCAN_PAGE_FILLED");
    expect(results[0]).toMatchObject({ errno: "EAGAIN" });
  });

  it("a folio that a fault has locked: SCAN_PAGE_LOCK", () => {
    const setup = ["memfd m 2M", "mmap A 2M rw shared file=m", "touch A 2M w", "madvise A 2M dontneed"];
    const { scans, results } = runScansWhile("6.18", setup, "touch A w", "fault.lockedFolio", COLLAPSE);
    expect(scans).toContain("collapse_file SCAN_PAGE_LOCK");
    expect(results[1]).toMatchObject({ errno: "EAGAIN" });
  });

  it("pages that another collapse has isolated: SCAN_PAGE_LRU", () => {
    const { scans, results } = runScansWhile("6.18", [...SHMEM, "fork C"], COLLAPSE, "collapse.isolatedFile", "@C madvise A 2M collapse");
    expect(scans).toContain("hpage_collapse_scan_file SCAN_PAGE_LRU");
    expect(results[1]).toMatchObject({ errno: "EAGAIN" });
  });
});
