import { describe, expect, it } from "vitest";
import { MMC } from "../../kernel/mm/kernel.ts";
import { pmdState } from "../../kernel/thp/pmdState.ts";
import { runScans, type ScanOptions, type ScanRun } from "./scans.ts";

/** Rows of the checklist in thp-eligibility-collapse-hugefault.md that are about collapse. Each answer comes from a booted machine. */

/** The four lock generations of collapse_pte_mapped_thp, as releases and patches that have MADV_COLLAPSE. */
const GENERATIONS = [
  { name: "before 8d3c106e19e8", release: "6.1", patches: ["-collapse-imap-lock"] },
  { name: "8d3c106e19e8", release: "6.1", patches: [] },
  { name: "Hugh's fix", release: "6.5", patches: [] },
  { name: "6.6 rework", release: "6.6", patches: [] },
] as const;

const COLLAPSE = "madvise A 2M collapse";
/** A huge folio that a private mapping of 4 MiB maps page by page. While its first page had other rights, the mapping was two. */
const BY_PAGES = [
  "sys thp shmem_enabled always",
  "memfd m 4M",
  "mmap A 4M rw private file=m",
  "touch A r",
  "mprotect A 4k none",
  "touch A+4k 2044k r",
  "mprotect A 4k rw",
  "touch A r",
];
const CODE = ["mount t tmpfs huge=always", "file f t 4M", "fwrite f 0 4M 144", "mmap A 4M rx private rofile=f", "touch A r"];

/** What the first block behind a name is mapped by in process P: PMD_MAPPED, or SUCCEED for a page table. */
function blockAt({ world }: ScanRun, name = "A"): string {
  const at = world.slots.resolve({ name, offsetBytes: 0n });
  return pmdState(world.machine.kernel, world.task(world.living()[0]).mm, Number(at?.address ?? 0n) / 4096);
}

const run = (release: string, lines: readonly string[], options: ScanOptions = {}): ScanRun => runScans(release, lines, options);
const results = (release: string, lines: readonly string[], options: ScanOptions = {}): readonly unknown[] =>
  run(release, lines, options).results.map((r) => r.errno ?? r.ret ?? r.ok);

/** A counter of the address space of P. */
const mmCount = ({ world }: ScanRun, counter: number): number => world.machine.kernel.mmCount(world.task(world.living()[0]).mm, counter);

/** Counters of vmstat that the last line changed. */
function counted(release: string, lines: readonly string[], name: string, options: ScanOptions = {}): number {
  const untraced = { ...options, traced: false };
  const before = run(release, lines.slice(0, -1), untraced).world.machine.vmstat(name);
  return run(release, lines, untraced).world.machine.vmstat(name) - before;
}

describe("row 15: PTE-mapped and PMD-mapped THP are different states of one page cache folio", () => {
  it("row 15: the same folio, by 512 entries or by one", () => {
    const byPages = run("6.18", BY_PAGES);
    const byPmd = run("6.18", [...BY_PAGES, COLLAPSE]);
    expect([blockAt(byPages), blockAt(byPmd)]).toEqual(["SUCCEED", "PMD_MAPPED"]);
    expect([byPages, byPmd].map((each) => mmCount(each, MMC.shmemPages))).toEqual([512, 512]);
    for (const { world } of [byPages, byPmd]) {
      expect(world.machine.vmstat("nr_shmem_hugepages")).toBe(1);
    }
  });
});

describe("rows 16 and 17: collapse_pte_mapped_thp, by lock generation", () => {
  /** rows of the outcome table (2.5): set-up, and what each generation answers to MADV_COLLAPSE */
  const TABLE: readonly (readonly [scenario: string, lines: readonly string[], answers: readonly string[]])[] = [
    ["S2 a copy in another block, this one clean", [...BY_PAGES, "touch A+2M w"], ["SUCCEED", "VMA_CHECK", "SUCCEED", "SUCCEED"]],
    ["S3 a copied page in the block", [...BY_PAGES, "touch A+8k w"], ["FAIL", "VMA_CHECK", "FAIL", "FAIL"]],
    [
      "S9 PMD none",
      ["sys thp shmem_enabled always", "memfd m 4M", "mmap A 4M rw shared file=m", "touch A w", "touch A+2M w", "madvise A 2M dontneed"],
      ["SUCCEED", "SUCCEED", "SUCCEED", "SUCCEED"],
    ],
    [
      "S10 no table of PMDs",
      ["sys thp shmem_enabled always", "memfd m 2M", "fwrite m 0 4k", "mmap A 2M rw shared file=m"],
      ["PMD_NULL", "PMD_NULL", "PMD_NULL", "PMD_NULL"],
    ],
    ["S11 no private copy anywhere", BY_PAGES, ["SUCCEED", "SUCCEED", "SUCCEED", "SUCCEED"]],
    ["S13 a page table with empty entries only", [...BY_PAGES, "madvise A 2M dontneed"], ["SUCCEED", "SUCCEED", "SUCCEED", "SUCCEED"]],
  ];

  it.each(TABLE.flatMap(([scenario, lines, answers]) => GENERATIONS.map((generation, i) => ({ scenario, lines, answer: answers[i], ...generation }))))(
    "row 16, row 17: $scenario, $name: SCAN_$answer",
    ({ lines, answer, release, patches }) => {
      const { scans } = run(release, [...lines, COLLAPSE], { patches });
      expect(scans).toContain(`collapse_pte_mapped_thp SCAN_${answer}`);
    },
  );

  it.each(GENERATIONS)("row 16: what refuses changes nothing, $name", ({ release, patches }) => {
    const lines = [...BY_PAGES, "touch A+8k w"];
    const before = run(release, lines, { patches });
    const after = run(release, [...lines, COLLAPSE], { patches });
    const rss = (each: ScanRun): readonly number[] => [MMC.shmemPages, MMC.anonPages, MMC.ptes].map((counter) => mmCount(each, counter));
    expect(rss(after)).toEqual(rss(before));
    expect(after.world.machine.check()).toEqual([]);
  });

  it("row 16: references and RSS are taken back entry by entry", () => {
    for (const { release, patches } of GENERATIONS) {
      const [before, after] = [BY_PAGES, [...BY_PAGES, COLLAPSE]].map((lines) => run(release, lines, { patches }));
      expect(after.world.machine.check()).toEqual([]);
      // one page table less: a PMD of a file keeps none for later
      expect(mmCount(after, MMC.ptes) - mmCount(before, MMC.ptes)).toBe(-1);
      expect(mmCount(after, MMC.shmemPages)).toBe(mmCount(before, MMC.shmemPages));
    }
  });
});

describe("row 18: collapse_and_free_pmd", () => {
  it("row 18: the table goes with its entries, the TLB forgets them, and the next access is by the PMD", () => {
    for (const { release, patches } of GENERATIONS) {
      const lines = [...BY_PAGES, COLLAPSE, "touch A+12k r"];
      const { world, results: all } = run(release, lines, { patches });
      expect(all.at(-1)).toMatchObject({ ok: 1 });
      expect(world.machine.check()).toEqual([]);
    }
    // races of it: races.explorer.test.ts
  });
});

describe("row 19: set_huge_pmd", () => {
  it("row 19: MADV_COLLAPSE maps the PMD, khugepaged leaves that to the next fault", () => {
    const shared = [
      "sys thp enabled always",
      "memfd m 2M",
      "mmap A 2M rw shared file=m",
      "touch A 2M w",
      "sys thp shmem_enabled always",
      "madvise A 2M hugepage",
    ];
    expect(blockAt(run("6.18", [...shared, COLLAPSE]))).toBe("PMD_MAPPED");
    const daemon = run("6.18", [...shared, "khugepaged scan 2"]);
    expect([blockAt(daemon), daemon.world.machine.vmstat("nr_shmem_hugepages")]).toEqual(["PMD_NONE", 1]);
    expect(blockAt(run("6.18", [...shared, "khugepaged scan 2", "touch A r"]))).toBe("PMD_MAPPED");
  });

  it("row 19: a private mapping is mapped read-only: the next write splits the PMD and copies a page", () => {
    expect(counted("6.18", [...BY_PAGES, COLLAPSE, "touch A w"], "thp_split_pmd")).toBe(1);
  });
});

describe("row 20: anon_vma and copies in private mappings of files", () => {
  const EIGHT = ["memfd m 8M", "mmap A 8M rw private file=m", "touch A 8M r", "touch A+4M+4k w"];
  const each = [0, 2, 4, 6].map((at) => `madvise A+${at}M 2M collapse`);

  it.each([
    ["8d3c106e19e8", "6.1", ["EINVAL", "EINVAL", "EINVAL", "EINVAL"]],
    ["Hugh's fix", "6.5", [0, 0, "EINVAL", 0]],
    ["6.6 rework", "6.18", [0, 0, "EINVAL", 0]],
  ] as const)("row 20: one copied page, %s: second calls answer %s", (_name, release, answers) => {
    // the first call puts the folio into the page cache; a mapping with an anon_vma gets it mapped by the second
    expect(results(release, [...EIGHT, ...each, ...each]).slice(-4)).toEqual(answers);
  });
});

describe("row 21: uprobes insert, remove and heal", () => {
  it.each(GENERATIONS)("row 21, row 17: $name", ({ release, patches, name }) => {
    const none = mmCount(run(release, CODE, { patches }), MMC.anonPages);
    const set = run(release, [...CODE, "uprobe set f 4096"], { patches });
    expect([blockAt(set), mmCount(set, MMC.anonPages) - none]).toEqual(["SUCCEED", 1]);
    const cleared = run(release, [...CODE, "uprobe set f 4096", "touch A 2M r", "uprobe clear f 4096", "touch A r"], { patches });
    expect(blockAt(cleared)).toBe(name === "8d3c106e19e8" ? "SUCCEED" : "PMD_MAPPED");
    expect(mmCount(cleared, MMC.anonPages)).toBe(none);
    expect([set, cleared].flatMap(({ world }) => world.machine.check())).toEqual([]);
  });

  it("row 21: the file keeps its code, the process sees the breakpoint", () => {
    const read = (lines: readonly string[]): unknown => run("6.18", [...CODE, ...lines]).results.at(-1)?.val;
    expect(read(["uprobe set f 4096", "touch A+4k r"])).toBe(0xcc);
    expect(read(["uprobe set f 4096", "fread f 4096 1"])).toBe(144);
    expect(read(["uprobe set f 4096", "uprobe clear f 4096", "touch A+4k r"])).toBe(144);
  });
});

describe("row 22: retract_page_tables", () => {
  it.each(["6.1", "6.5", "6.18"])("row 22: leaves the table of a mapping that has private copies, %s", (release) => {
    const lines = ["memfd m 2M", "mmap A 2M rw shared file=m", "touch A 2M w", "mmap B 2M rw private file=m", "touch B 2M r", "touch B+4k w", COLLAPSE];
    const both = run(release, lines);
    expect([blockAt(both), blockAt(both, "B")]).toEqual(["PMD_MAPPED", "SUCCEED"]);
  });

  it("row 22: takes the table of every other mapping with page-table locks, of its own mapping only before", () => {
    const lines = ["memfd m 2M", "mmap A 2M rw shared file=m", "touch A 2M w", "mmap B 2M rw shared file=m", "touch B 2M r", COLLAPSE];
    expect([blockAt(run("6.5", lines), "B"), blockAt(run("6.6", lines), "B")]).toEqual(["SUCCEED", "PMD_NONE"]);
  });

  it("row 22: what MADV_COLLAPSE leaves is noted for khugepaged, which heals it at its next visit (until 6.5)", () => {
    const lines = [
      "sys thp enabled always",
      "sys thp shmem_enabled never",
      "memfd m 2M",
      "mmap A 2M rw shared file=m",
      "touch A 2M w",
      "mmap B 2M rw shared file=m",
      "touch B 2M r",
    ];
    const enrolled = [...lines, "sys thp shmem_enabled always", "madvise A 2M hugepage", COLLAPSE];
    const { world } = run("6.5", enrolled);
    expect(world.machine.kernel.mms.get(world.task(world.living()[0]).mm).pteMappedThps.length).toBe(1);
    expect(blockAt(run("6.5", [...enrolled, "khugepaged scan 1"]), "B")).toBe("PMD_NONE");
  });
});

describe("row 23: MADV_COLLAPSE over several blocks", () => {
  const EIGHT = ["memfd m 8M", "mmap A 8M rw private file=m", "touch A 8M r", "touch A+4M+4k w"];

  it("row 23: stops at the first answer that is not on its list, and says EINVAL", () => {
    const lines = [...EIGHT, "madvise A 4M collapse", "madvise A+6M 2M collapse", "madvise A 8M collapse"];
    expect(results("6.18", lines).at(-1)).toBe("EINVAL");
    const { scans } = run("6.18", lines);
    expect(scans.filter((scan) => scan.startsWith("collapse_pte"))).toEqual([
      "collapse_pte_mapped_thp SCAN_PMD_MAPPED",
      "collapse_pte_mapped_thp SCAN_PMD_MAPPED",
      "collapse_pte_mapped_thp SCAN_FAIL",
    ]);
  });

  it("row 23: goes on after what may pass, and tells of the last", () => {
    const small = ["sys thp enabled never", "mmap A 4M rw private anon", "touch A 4M w", "gup A 4k r", "madvise A 4M collapse"];
    expect(results("6.5", small).at(-1)).toBe("EAGAIN");
    expect(results("6.1", small).at(-1)).toBe("EINVAL");
    expect(blockAt(run("6.5", [...small.slice(0, -1), "madvise A 4M collapse"]))).toBe("SUCCEED");
    expect(run("6.5", small).scans).toEqual(["madvise_collapse SCAN_PAGE_COUNT", "madvise_collapse SCAN_SUCCEED"]);
  });

  it("row 23: a mapping with an anon_vma gets the folio by the second call only, before 6.6", () => {
    const lines = ["memfd m 4M", "mmap A 4M rw private file=m", "touch A 2M r", "touch A+2M w", COLLAPSE, COLLAPSE];
    expect(results("6.5", lines).slice(-2)).toEqual(["EINVAL", 0]);
    expect(results("6.6", lines).slice(-2)).toEqual([0, 0]);
  });
});

describe("row 24: scan dispatch", () => {
  const FILE = ["sys thp enabled always", "memfd m 2M", "mmap A 2M rw shared file=m", "touch A 2M w", "sys thp shmem_enabled always", "madvise A 2M hugepage"];

  it("row 24: without CONFIG_SHMEM a file goes to the scanner of anonymous memory, which gives up", () => {
    const config = ["CONFIG_SHMEM=n"];
    expect(run("6.12", [...FILE, "khugepaged scan 1"], { config }).scans).toContain("hpage_collapse_scan_pmd SCAN_PAGE_ANON");
    expect(run("6.12", [...FILE, COLLAPSE], { config }).scans).toEqual(["madvise_collapse SCAN_PAGE_ANON"]);
    expect(run("6.12", [...FILE, "khugepaged scan 1"]).scans).toContain("collapse_file SCAN_SUCCEED");
  });

  it("row 24: asked for the kind of mapping, as the review wants it, it goes to the right one", () => {
    const options = { config: ["CONFIG_SHMEM=n"], patches: ["+scan-dispatch"] };
    expect(run("6.12", [...FILE, "khugepaged scan 1"], options).scans).toContain("collapse_file SCAN_SUCCEED");
    expect(run("6.18", [...FILE, "khugepaged scan 1"], { config: ["CONFIG_SHMEM=n"] }).scans).toContain("collapse_file SCAN_SUCCEED");
  });
});

describe("row 26: in place or by copying", () => {
  it("row 26: a block that is one folio already is not copied; anonymous memory always is", () => {
    expect(counted("6.18", [...BY_PAGES, COLLAPSE], "thp_collapse_alloc")).toBe(0);
    const small = ["memfd m 2M", "mmap A 2M rw shared file=m", "touch A 2M w", COLLAPSE];
    expect(counted("6.18", small, "thp_collapse_alloc")).toBe(1);
    const anon = ["sys thp enabled always", "mmap A 2M rw private anon", "touch A w", "mprotect A 4k r", "mprotect A 4k rw", COLLAPSE];
    expect(counted("6.18", anon, "thp_collapse_alloc")).toBe(1);
  });
});

describe("row 27: what a userfaultfd would intercept, without one", () => {
  it("row 27: with the PMD mapped there is no fault after the collapse; without there is one", () => {
    const faults = (lines: readonly string[]): number => mmCount(run("6.18", lines), MMC.minFlt);
    const shared = [
      "sys thp enabled always",
      "memfd m 2M",
      "mmap A 2M rw shared file=m",
      "touch A 2M w",
      "sys thp shmem_enabled always",
      "madvise A 2M hugepage",
    ];
    const after = (line: string): number => faults([...shared, line, "touch A r"]) - faults([...shared, line]);
    expect([after(COLLAPSE), after("khugepaged scan 1")]).toEqual([0, 1]);
  });
});

describe("row 28: success is no guarantee", () => {
  it("row 28: MADV_COLLAPSE returns 0, and a hole punched by somebody else splits the folio before it is used", () => {
    const lines = ["memfd m 2M", "mmap A 2M rw shared file=m", "touch A 2M w", COLLAPSE, "falloc m punch 4k 4k"];
    expect(results("6.18", lines).slice(-2)).toEqual([0, 0]);
    expect(blockAt(run("6.18", lines.slice(0, -1)))).toBe("PMD_MAPPED");
    expect(blockAt(run("6.18", lines))).not.toBe("PMD_MAPPED");
  });
});
