import { readdirSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { describe, expect, it } from "vitest";
import { Machine } from "../kernel/machine.ts";
import { MAP } from "../kernel/mm/mmap.ts";
import { smapsOf } from "../kernel/proc/taskMmu.ts";
import { memoryStatusOf } from "../kernel/proc/memoryStatus.ts";
import { findProfile, PROFILES, type Profile } from "../kernel/profile/profile.ts";
import { sysBrk, sysFork, sysMadvise, sysMlock, sysMmap, sysMunmap } from "../kernel/syscalls.ts";
import { touchRange } from "../kernel/touch.ts";
import { FileTree } from "./fileTree.ts";

/** A machine with one process whose memory is of every kind: small pages, a huge page, zero pages, locked, shared with a child, a heap. */
function busyMachine(id: string): { machine: Machine; tree: FileTree } {
  const machine = new Machine({ profile: findProfile(id) as Profile, memoryMiB: 1024 });
  const task = machine.kernel.tasks.get(machine.spawn({ comm: "busy" }));
  const base = 0x10000000000;
  machine.run((k) => sysMmap(k, task, { address: BigInt(base), length: 8n << 20n, prot: 3, flags: MAP.private | MAP.anonymous | MAP.fixed }));
  machine.run((k) => sysMadvise(k, task, BigInt(base), 4n << 20n, 14));
  const touch = (from: number, to: number, kind: "r" | "w"): void => void machine.run((k) => touchRange(k, task, base + from, base + to, 4096, kind, 7));
  touch(0, 2 << 20, "w");
  touch(2 << 20, (2 << 20) + 1, "r");
  touch(5 << 20, (5 << 20) + 40960, "w");
  touch(6 << 20, (6 << 20) + 8192, "r");
  machine.run((k) => sysMlock(k, task, BigInt(base + (5 << 20)), 8192n, false));
  machine.run((k) => sysFork(k, task, "child"));
  touch(5 << 20, (5 << 20) + 12288, "w");
  machine.run((k) => sysBrk(k, task, BigInt(k.mms.get(task.mm).brkBytes + 65536)));
  return { machine, tree: new FileTree(machine, () => machine.tasks()[0]) };
}

function text(tree: FileTree, path: string): string {
  const read = tree.read(path);
  return read.kind === "data" && typeof read.data === "string" ? read.data : `${path}: ${read.kind}`;
}

/** A line without its number, but with the width of its column: `Rss:            %8 kB`. */
function skeleton(line: string): string {
  return line.replace(/(\s*)(\d+)( kB)?$/, (_all, blanks: string, digits: string, unit: string | undefined) => {
    const inWidth = blanks.length > 1 || blanks === "";
    return `${inWidth ? `%${blanks.length + digits.length}` : `${blanks}%`}${unit ?? ""}`;
  });
}

const lines = (whole: string): string[] => whole.split("\n").slice(0, -1);
const isThisKernel = release().startsWith("6.18.44");
const real = (path: string): string => readFileSync(path, "utf8");

describe.skipIf(!isThisKernel)("as the kernel of this machine, which is recorded as vm-6.18.44", () => {
  const { tree } = busyMachine("vm-6.18.44");

  it("prints the lines of a smaps entry, with their columns", () => {
    const entry = (whole: string): string[] =>
      lines(whole)
        .slice(1, 25)
        .map((line) => (line.startsWith("VmFlags") ? "VmFlags" : skeleton(line)));
    expect(entry(text(tree, "/proc/self/smaps"))).toEqual(entry(real("/proc/self/smaps")));
    for (const line of [...lines(text(tree, "/proc/self/smaps")), ...lines(real("/proc/self/smaps"))].filter((l) => l.startsWith("VmFlags")))
      expect(line).toMatch(/^VmFlags: ([a-z]{2} )+$/);
  });

  it("prints smaps_rollup", () => {
    const shape = (whole: string): string[] => lines(whole).map((line) => skeleton(line.replace(/^[0-9a-f]+-[0-9a-f]+/, "A-B")));
    const ours = text(tree, "/proc/self/smaps_rollup");
    expect(shape(ours).slice(1)).toEqual(shape(real("/proc/self/smaps_rollup")).slice(1));
    expect(ours.indexOf("[rollup]")).toBe(real("/proc/self/smaps_rollup").indexOf("[rollup]"));
  });

  it("prints maps", () => {
    const shape = /^([0-9a-f]{8,}-[0-9a-f]{8,}) [r-][w-][x-][sp] [0-9a-f]{8,} [0-9a-f]{2}:[0-9a-f]{2} \d+ ( *(\S.*))?$/;
    for (const line of [...lines(text(tree, "/proc/self/maps")), ...lines(real("/proc/self/maps"))]) expect(line).toMatch(shape);
    const heap = lines(text(tree, "/proc/self/maps")).find((line) => line.endsWith("[heap]"));
    expect(heap?.indexOf("[heap]")).toBe(
      lines(real("/proc/self/maps"))
        .find((line) => line.includes("[stack]"))
        ?.indexOf("[stack]"),
    );
  });

  it("prints the lines of status that it has as they are there, in their order", () => {
    const ours = lines(text(tree, "/proc/self/status"));
    const theirs = lines(real("/proc/self/status"));
    const name = (line: string): string => line.split(":")[0];
    expect(ours.map(name)).toEqual(theirs.map(name).filter((n) => ours.some((line) => name(line) === n)));
    expect(ours.filter((line) => line.endsWith(" kB")).map(skeleton)).toEqual(theirs.filter((line) => line.endsWith(" kB")).map(skeleton));
    for (const same of ["CoreDumping:\t0", "THP_enabled:\t1", "untag_mask:\t0xffffffffffffffff", "TracerPid:\t0", "Kthread:\t0"])
      expect(theirs).toContain(same);
    for (const same of ["CoreDumping:\t0", "THP_enabled:\t1", "untag_mask:\t0xffffffffffffffff", "TracerPid:\t0", "Kthread:\t0"]) expect(ours).toContain(same);
  });

  it("prints meminfo and buddyinfo with the same lines, and vmstat with the same items", () => {
    expect(lines(text(tree, "/proc/meminfo")).map(skeleton)).toEqual(lines(real("/proc/meminfo")).map(skeleton));
    const items = (whole: string): string[] => lines(whole).map((line) => line.split(" ")[0]);
    expect(items(text(tree, "/proc/vmstat"))).toEqual(items(real("/proc/vmstat")));
    expect(text(tree, "/proc/vmstat")).toMatch(/^(\w+ \d+\n)+$/);
    const zone = /^Node 0, zone {2,6}(DMA|DMA32|Normal) ( {0,5}\d+ ){11}$/;
    for (const line of [...lines(text(tree, "/proc/buddyinfo")), ...lines(real("/proc/buddyinfo"))]) expect(line).toMatch(zone);
  });

  it("has every file of transparent_hugepage that is there", () => {
    const root = "/sys/kernel/mm/transparent_hugepage";
    const names = (path: string): string[] => {
      const listed = tree.list(path);
      return listed.kind === "entries" ? listed.entries.map((e) => e.name) : [];
    };
    for (const path of [root, `${root}/khugepaged`, `${root}/hugepages-64kB`, `${root}/hugepages-64kB/stats`, `${root}/hugepages-2048kB/stats`])
      expect(names(path), path).toEqual(readdirSync(path).sort());
  });
});

it.each(PROFILES.filter((p) => p.geometry === "x86-64").map((p) => p.id))("numbers of %s agree with each other", (id) => {
  const { machine, tree } = busyMachine(id);
  const k = machine.kernel;
  const number = (whole: string, name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(whole)?.[1]);
  for (const task of machine.tasks()) {
    const status = memoryStatusOf(k, task);
    const sum = (key: "Rss" | "Size" | "AnonHugePages" | "Anonymous"): number => machine.vmas(task).reduce((total, vma) => total + smapsOf(k, vma)[key], 0);
    const rollup = text(tree, `/proc/${task.pid}/smaps_rollup`);
    expect(sum("Rss")).toBe(status.VmRSS);
    expect(number(rollup, "Rss")).toBe(status.VmRSS);
    expect(sum("Size")).toBe(status.VmSize);
    expect(number(rollup, "AnonHugePages")).toBe(sum("AnonHugePages"));
    expect(number(rollup, "Anonymous")).toBe(status.RssAnon);
    const shares = machine.vmas(task).map((vma) => smapsOf(k, vma).Pss);
    // each entry rounds down, the rollup once
    expect(number(rollup, "Pss") - shares.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(shares.length);
    expect(number(rollup, "Pss_Anon")).toBe(number(rollup, "Pss"));
    expect(/Pss_Dirty/.test(rollup)).toBe(id !== "upstream-5.19");
  }
  const meminfo = text(tree, "/proc/meminfo");
  const vmstat = new Map(lines(text(tree, "/proc/vmstat")).map((line) => [line.split(" ")[0], Number(line.split(" ")[1])]));
  expect(number(meminfo, "AnonPages")).toBe((vmstat.get("nr_anon_pages") ?? 0) * 4);
  expect(number(meminfo, "MemFree")).toBe((vmstat.get("nr_free_pages") ?? 0) * 4);
  expect(number(meminfo, "PageTables")).toBe((vmstat.get("nr_page_table_pages") ?? 0) * 4);
  expect(number(meminfo, "AnonHugePages")).toBe((vmstat.get("nr_anon_transparent_hugepages") ?? 0) * 2048);
  expect(number(meminfo, "Mlocked")).toBe((vmstat.get("nr_mlock") ?? 0) * 4);
  const free = lines(text(tree, "/proc/buddyinfo")).map((line) => line.trim().split(/\s+/).slice(4).map(Number));
  expect(free.flatMap((counts) => counts.map((count, order) => count << order)).reduce((a, b) => a + b, 0)).toBe(vmstat.get("nr_free_pages"));
});

it("keeps the high-water marks", () => {
  const { machine, tree } = busyMachine("debian-6.18.15");
  const [task] = machine.tasks();
  const before = memoryStatusOf(machine.kernel, task);
  machine.beginStep();
  machine.run((k) => sysMunmap(k, task, 0x10000000000n, 8n << 20n));
  machine.beginStep();
  const after = memoryStatusOf(machine.kernel, task);
  expect(after).toMatchObject({ VmPeak: before.VmSize, VmHWM: before.VmRSS, VmRSS: 0, VmSize: before.VmSize - 8192 });
  expect(text(tree, "/proc/self/status")).toContain(`VmHWM:\t${String(before.VmRSS).padStart(8)} kB\n`);
});

describe("the tree", () => {
  const { machine, tree } = busyMachine("debian-6.18.15");
  const errnoOf = (path: string): string => {
    const read = tree.read(path);
    return read.kind === "errno" ? read.errno : "data";
  };
  const enabled = "/sys/kernel/mm/transparent_hugepage/enabled";

  it("refuses as Linux does", () => {
    expect(errnoOf("/proc/nothing")).toBe("ENOENT");
    expect(errnoOf("/proc/77/maps")).toBe("ENOENT");
    expect(errnoOf("/proc/self/nothing")).toBe("ENOENT");
    expect(errnoOf("/proc/self")).toBe("EISDIR");
    expect(errnoOf("/sys/kernel")).toBe("EISDIR");
    expect(errnoOf("/proc/self/pagemap")).toBe("EFBIG");
    expect(tree.write("/proc/meminfo", "1", false)).toBe("EIO");
    expect(tree.write("/proc/self/smaps", "1", false)).toBe("EINVAL");
    expect(tree.write("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "1", false)).toBe("EACCES");
    expect(tree.write("/sys/nothing", "1", false)).toBe("EACCES");
    expect(tree.write("/proc/nothing", "1", false)).toBe("ENOENT");
    expect(tree.write("/sys", "1", false)).toBe("EISDIR");
    expect(tree.write(enabled, "sometimes\n", false)).toBe("EINVAL");
    expect(tree.hint).toBe("hint.sysfsValue");
    expect(tree.write(enabled, "always\n", false)).toBe(null);
    expect(text(tree, enabled)).toBe("[always] madvise never\n");
  });

  it("lists directories, and /proc/self follows the process", () => {
    const names = (path: string): unknown => {
      const listed = tree.list(path);
      return listed.kind === "entries" ? listed.entries.map((e) => e.name + (e.directory ? "/" : "")) : listed.errno;
    };
    expect(names("/")).toEqual(["dev/", "mnt/", "proc/", "sys/"]);
    expect(names("/dev")).toContain("hugelab-mixed");
    expect(tree.read("/dev/hugelab-mixed")).toEqual({ kind: "errno", errno: "EINVAL" });
    expect(names("/proc")).toEqual(["1/", "2/", "buddyinfo", "kpagecount", "kpageflags", "meminfo", "self/", "sys/", "sysvipc/", "vmstat"]);
    expect(names("/proc/2")).toEqual(["fd/", "fdinfo/", "maps", "pagemap", "smaps", "smaps_rollup", "status"]);
    expect(names("/proc/sys/vm")).toContain("overcommit_memory");
    expect(names(enabled)).toBe("ENOTDIR");
    expect(names("/proc/meminfo")).toBe("ENOTDIR");
    expect(names("/nothing")).toBe("ENOENT");
    let self = machine.tasks()[1];
    const other = new FileTree(machine, () => self);
    expect(text(other, "/proc/self/status")).toContain("Name:\tchild\n");
    self = machine.tasks()[0];
    expect(text(other, "/proc/self/status")).toContain("Name:\tbusy\n");
  });

  it("reads kpageflags and kpagecount as words", () => {
    const read = tree.read("/proc/kpagecount");
    const data = read.kind === "data" && typeof read.data !== "string" ? new BigUint64Array(read.data.buffer) : new BigUint64Array();
    expect(data.length).toBe(1024 * 256);
    // every page of the huge page is mapped by two processes
    expect(data.filter((count) => count === 2n).length).toBeGreaterThanOrEqual(512);
    const huge = new Machine({ profile: findProfile("debian-6.18.15") as Profile, memoryMiB: 1 << 20 });
    expect(new FileTree(huge, () => undefined).read("/proc/kpageflags")).toEqual({ kind: "errno", errno: "EFBIG" });
  });
});
