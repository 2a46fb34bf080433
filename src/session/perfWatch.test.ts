import { describe, expect, it } from "vitest";
import { perfStatRest } from "./perfStat.ts";
import type { ShellSession } from "./shellSession.ts";
import { newTestSession } from "./testSessions.ts";

const type = (session: ShellSession, line: string): string =>
  session
    .submit(line)
    .output.map((part) => part.text)
    .join("");

/** The count in a row of `perf stat`. */
const countOf = (text: string, name: string): number => Number(new RegExp(`([\\d,]+) +${name}\\n`).exec(text)?.[1].replaceAll(",", ""));

describe("perf stat", () => {
  it("finds its command behind the options of the real one", () => {
    expect(perfStatRest("perf stat touch A w")).toBe("touch A w");
    expect(perfStatRest("  perf stat -e page-faults,dTLB-load-misses -a -- @C touch A w")).toBe("@C touch A w");
    expect(perfStatRest("perf stat")).toBe(null);
    expect(perfStatRest("perf status x")).toBe(null);
  });

  it("counts what lines of every form do, and makes the node that they make", () => {
    const s = newTestSession();
    type(s, "mmap A 8M rw private anon");
    const small = type(s, "perf stat touch A 64k w");
    expect([countOf(small, "page-faults"), countOf(small, "minor-faults"), countOf(small, "dTLB-store-misses"), countOf(small, "thp_fault_alloc")]).toEqual([
      16, 16, 32, 0,
    ]);
    expect(Number(/"seconds":" *0\.0*([1-9]\d*)"/.exec(small)?.[1])).toBeGreaterThan(0);
    type(s, "madvise A+2M 4M hugepage");
    const huge = type(s, "perf stat touch A+2M 2M w");
    expect([countOf(huge, "page-faults"), countOf(huge, "thp_fault_alloc")]).toEqual([1, 1]);
    // 512 pages by one entry of the TLB, against one for each
    expect(countOf(huge, "dTLB-store-misses")).toBeLessThan(4);
    expect(countOf(type(s, "perf stat madvise(0x1000400000, 2M, MADV_POPULATE_WRITE)"), "minor-faults")).toBe(1);
    expect(s.history.current.command).toBe("perf stat madvise(0x1000400000, 2M, MADV_POPULATE_WRITE)");
    const nodes = s.history.all().length;
    expect(countOf(type(s, "perf stat cat /proc/self/smaps | wc -l"), "page-faults")).toBe(0);
    expect(type(s, "perf stat nothing at all")).toContain("shell.tool.unknown");
    expect(type(s, "perf")).toContain("session.perf.usage");
    expect(s.history.all()).toHaveLength(nodes);
    s.move("back");
    expect(s.move("forward").stateHash).toBe(s.savedNode(s.history.current.id).stateHash);
  });

  it("explains and completes the command behind it", () => {
    const s = newTestSession();
    for (const line of ["mmap A 8M rw private anon", "perf stat touch A w"]) type(s, line);
    expect(type(s, "why A")).toContain("perf stat touch A w");
    expect(s.complete("perf stat descr", 15)).toEqual({ start: 10, end: 15, candidates: [{ text: "describe", whole: true }] });
  });
});

describe("watch", () => {
  it("prints after each command what changed, until it is told to stop", () => {
    const s = newTestSession();
    expect(type(s, "watch thp_fault_alloc /sys/kernel/mm/transparent_hugepage/enabled")).toBe("");
    expect(type(s, "mmap A 8M rw private anon")).not.toContain("watch");
    type(s, "madvise A 8M hugepage");
    expect(type(s, "touch A w")).toContain('session.watch.counter {"name":"thp_fault_alloc","before":"0","after":"1"}');
    expect(type(s, "echo always > /sys/kernel/mm/transparent_hugepage/enabled")).toBe(
      "/sys/kernel/mm/transparent_hugepage/enabled:\n- always [madvise] never\n+ [always] madvise never\n",
    );
    expect(type(s, "watch")).toBe("thp_fault_alloc\n/sys/kernel/mm/transparent_hugepage/enabled\n");
    type(s, "watch off thp_fault_alloc");
    expect(type(s, "touch A+2M w")).not.toContain("watch");
    type(s, "watch off");
    expect(type(s, "echo never > /sys/kernel/mm/transparent_hugepage/enabled")).toBe("");
    // what is watched belongs to the state
    s.move("back");
    s.move("back");
    expect(type(s, "watch")).toBe("/sys/kernel/mm/transparent_hugepage/enabled\n");
  });

  it("shows the changed lines of a long file, and refuses what is none", () => {
    const s = newTestSession();
    type(s, "watch /proc/self/status /proc/self/smaps");
    const shown = type(s, "mmap A 8M rw private anon");
    expect(shown).toContain("- VmSize:\t       0 kB\n+ VmSize:\t    8192 kB\n");
    expect(shown).toMatch(/session\.watch\.more \{"count":\d+\}/);
    expect(type(s, "watch nothing")).toContain("session.watch.unknown");
    expect(type(s, "watch /proc/nothing")).toContain("session.watch.unknown");
    const many =
      "pgfault thp_split_pmd thp_split_page nr_free_pages nr_anon_pages pgalloc_normal pgfree thp_collapse_alloc numa_hit nr_mlock pgactivate unevictable_pgs_mlocked thp_zero_page_alloc thp_fault_fallback thp_deferred_split_page nr_page_table_pages";
    expect(type(s, `watch ${many}`)).toContain("session.watch.");
  });
});
