import { describe, expect, it } from "vitest";
import { sentence } from "../../../tests/packSupport.ts";
import { findProfile } from "../../kernel/profile/profile.ts";
import { ShellSession } from "../../session/shellSession.ts";
import { parsePath, parseRange, typeOf } from "./paths.ts";
import { ReadModel } from "./readModel.ts";

function session(...lines: string[]): ShellSession {
  const profile = findProfile("debian-6.18.15");
  if (profile === undefined) throw new Error("profile");
  const made = new ShellSession({ boot: { profile }, render: sentence });
  for (const line of lines) made.submit(line);
  return made;
}

/** What `cat` prints behind a name. */
function shown(of: ShellSession, file: string, name: string): string {
  const text = of
    .submit(`cat ${file}`)
    .output.map((part) => part.text)
    .join("");
  return new RegExp(`^${name}:?\\s+(.*)$`, "m").exec(text)?.[1] ?? "";
}

describe("paths", () => {
  const thp = "/sys/kernel/mm/transparent_hugepage";
  const made = session(
    "mmap A 4M rw private anon",
    "madvise A hugepage",
    "touch A+2M w",
    "touch A r",
    "mmap B 64k r private anon",
    "fork C",
    "@C mmap D 8k rw private anon",
  );
  const model = new ReadModel(made.world);
  const read = (path: string, process = "P"): unknown => {
    const parsed = parsePath(path);
    return parsed === null ? "no path" : (model.read(parsed, process)?.value ?? null);
  };

  it.each(["Size", "Rss", "Pss", "AnonHugePages", "THPeligible", "KernelPageSize"])("smaps[..].%s is the line of smaps", (field) => {
    expect(String(read(`smaps[A+3M].${field}`))).toBe(shown(made, "/proc/self/smaps", field).replace(" kB", ""));
  });

  it("reads what the files print", () => {
    expect(`${String(read("status.VmPTE"))} kB`).toBe(shown(made, "/proc/self/status", "VmPTE"));
    expect(`${String(read("meminfo.MemFree"))} kB`).toBe(shown(made, "/proc/meminfo", "MemFree"));
    expect(String(read("vmstat.thp_fault_alloc"))).toBe(shown(made, "/proc/vmstat", "thp_fault_alloc"));
    expect(read("vmstat.thp_zero_page_alloc")).toBe(1);
    expect(read("mthp[2048kB].anon_fault_alloc")).toBe(1);
    expect(read(`setting[${thp}/enabled]`)).toBe("madvise");
    expect(read("rollup.AnonHugePages")).toBe(2048);
    expect(read("smaps[A].VmFlags")).toContain("hg");
  });

  it("reads how an address is mapped", () => {
    expect([read("page[A+2M].mapped"), read("page[A+3M].size"), read("page[A+3M].order")]).toEqual(["pmd", 2048, 9]);
    expect([read("page[A].mapped"), read("page[A].size")]).toEqual(["huge-zero-page", 2048]);
    expect([read("page[B].mapped"), read("page[B].size"), read("page[B].order"), read("page[B+1G].mapped")]).toEqual(["none", 0, null, "not-mapped"]);
    expect([read("vma[A+1M].start"), read("vma[A+1M].end"), read("vma[A+1M].size")]).toEqual(["A+0x0", "A+0x400000", 4096]);
  });

  it("reads how the memory of a device is mapped, in both sizes", () => {
    const card = session(
      "sys set /sys/kernel/mm/transparent_hugepage/enabled always",
      "mmap H 4M rw shared file=/dev/hugelab-mixed",
      "touch H w",
      "mmap S 4M rw shared file=/dev/hugelab-small",
      "touch S w",
    );
    const of = (path: string): unknown => {
      const parsed = parsePath(path);
      return parsed === null ? "no path" : (new ReadModel(card.world).read(parsed, "P")?.value ?? null);
    };
    expect(["H", "H+1M", "S", "S+4k"].map((at) => of(`page[${at}].mapped`))).toEqual(["pmd", "pmd", "pte", "none"]);
    expect(["H", "S"].map((at) => [of(`page[${at}].size`), of(`page[${at}].order`)])).toEqual([
      [2048, 9],
      [4, 0],
    ]);
  });

  it("answers null where there is nothing", () => {
    for (const path of [
      "smaps[Z].Rss",
      "smaps[A+1G].Rss",
      "smaps[A].Nothing",
      "vmstat.nothing",
      "mthp[3kB].split",
      "setting[/sys/nothing]",
      "status.Nothing",
      "page[0xffffffffffff000].size",
      "result.ret",
    ])
      expect([path, read(path)]).toEqual([path, null]);
    expect(read("smaps[A].Rss", "Q")).toBe(null);
    // asking for a name must not make it one
    expect(made.world.slots.names()).not.toContain("Z");
  });

  it("reads another process", () => {
    expect([read("smaps[D].Size", "C"), read("smaps[D].Size", "P")]).toEqual([8, null]);
  });

  it.each([
    "",
    "smaps",
    "smaps[].Rss",
    "smaps[A]",
    "smaps[A+].Rss",
    "smaps[A 4k].Rss",
    "smaps[A].Rss.x",
    "page[A].frame",
    "vma[A].flags",
    "kernel.g",
    "setting[/etc/passwd]",
    "setting[/sys/../etc/passwd x]",
    "__proto__.x",
    "vmstat.A",
    `vmstat.${"a".repeat(60)}`,
  ])("%j is no path", (path) => {
    expect(parsePath(path)).toBe(null);
  });

  it("knows what comes of reading", () => {
    const types = [
      "smaps[A].Rss",
      "smaps[A].VmFlags",
      "status.VmRSS",
      "status.Name",
      "page[A].mapped",
      "page[A].order",
      "setting[/proc/sys/vm/x]",
      "result.faults",
      "result.errno",
    ].map((path) => {
      const parsed = parsePath(path);
      return parsed === null ? null : typeOf(parsed);
    });
    expect(types).toEqual(["number", "words", "number", "text", "text", "number", "text", "number", "text"]);
  });

  it("reads ranges as the command form does", () => {
    expect(parseRange("A+2M 4k")).toEqual({ at: { name: "A", offsetBytes: 2n << 20n }, lengthBytes: 4096n });
    expect(model.pages({ at: { name: "A", offsetBytes: 1n << 20n }, lengthBytes: null })).toEqual({ from: 0x1000100, to: 0x1000400 });
    for (const text of ["", "A B", "A 2M 4k", "2q", "A+"]) expect(parseRange(text)).toBe(null);
  });
});
