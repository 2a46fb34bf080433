import { expect, it } from "vitest";
import { Machine } from "../machine.ts";
import { failed } from "../mm/errno.ts";
import { MAP } from "../mm/mmap.ts";
import { findProfile, type Profile } from "../profile/profile.ts";
import { sysMadvise, sysMmap } from "../syscalls.ts";
import { touchRange } from "../touch.ts";
import { pagemapBytes } from "./pagemap.ts";
import { pagemapScan, type ScanArguments } from "./pagemapScan.ts";

const BASE = 0x10000000000;
const MIB = 1 << 20;

/** 16 MiB: pages written, read, never touched, guards, and one huge page at 4 MiB. The program that was run on Linux 6.18.44 did the same. */
function machine(id = "vm-6.18.44"): { machine: Machine; mm: number; touch: (offset: number, kind: "r" | "w") => void } {
  const m = new Machine({ profile: findProfile(id) as Profile, memoryMiB: 1024 });
  const task = m.kernel.tasks.get(m.spawn({ comm: "P" }));
  m.run((k) => sysMmap(k, task, { address: BigInt(BASE), length: BigInt(16 * MIB), prot: 3, flags: MAP.private | MAP.anonymous | MAP.fixed }));
  const advise = (offset: number, length: number, advice: number): unknown => m.run((k) => sysMadvise(k, task, BigInt(BASE + offset), BigInt(length), advice));
  const touch = (offset: number, kind: "r" | "w"): void => void m.run((k) => touchRange(k, task, BASE + offset, BASE + offset + 1, 4096, kind, 1));
  advise(0, 16 * MIB, 15);
  touch(0, "w");
  touch(4096, "w");
  touch(2 * 4096, "r");
  touch(5 * 4096, "w");
  advise(6 * 4096, 2 * 4096, 102);
  advise(4 * MIB, 2 * MIB, 14);
  touch(4 * MIB, "w");
  return { machine: m, mm: task.mm, touch };
}

const { machine: m, mm, touch } = machine();
for (let i = 0; i < 1200; i += 2) touch(8 * MIB + i * 4096, "w");

type Case = Partial<Omit<ScanArguments, "start" | "end">> & { readonly from?: number; readonly to?: number };

/** `walk_end: [start-end categories] ..` relative to the mapping, as the program on the real kernel printed it; or the errno. */
function scan(c: Case, on = { k: m.kernel, mm }): string {
  const args = { vecLength: 100, maxPages: 0, categoryInverted: 0, categoryMask: 0, categoryAnyofMask: 0, returnMask: 8, flags: 0, ...c };
  const r = pagemapScan(on.k, on.mm, { ...args, start: BigInt(BASE + (c.from ?? 0)), end: BigInt(BASE + (c.to ?? 8 * MIB)) });
  if (failed(r)) return r.errno;
  const hex = (n: bigint): string => (n - BigInt(BASE)).toString(16);
  const shown = r.regions.slice(0, 8).map((region) => `[${hex(region.start)}-${hex(region.end)} ${region.categories.toString(16)}]`);
  return `${r.regions.length} ${hex(r.walkEnd)}: ${shown.join(" ")}`;
}

it.each<[string, Case, string]>([
  [
    "everything",
    { returnMask: 511 },
    "9 800000: [0-2000 a] [2000-3000 2a] [3000-5000 2] [5000-6000 a] [6000-8000 112] [8000-200000 2] [200000-400000 0] [400000-600000 4a]",
  ],
  ["present", { categoryMask: 8 }, "3 800000: [0-3000 8] [5000-6000 8] [400000-600000 8]"],
  ["huge or guard", { categoryAnyofMask: 64 | 256, returnMask: 511 }, "2 800000: [6000-8000 112] [400000-600000 4a]"],
  ["written, the quick way", { categoryMask: 2, returnMask: 2 }, "2 800000: [0-200000 2] [400000-600000 2]"],
  [
    "written",
    { categoryMask: 2, returnMask: 511 },
    "7 800000: [0-2000 a] [2000-3000 2a] [3000-5000 2] [5000-6000 a] [6000-8000 112] [8000-200000 2] [400000-600000 4a]",
  ],
  ["not present", { categoryInverted: 8, categoryMask: 8 }, "3 800000: [3000-5000 0] [6000-400000 0] [600000-800000 0]"],
  ["three pages", { categoryMask: 8, maxPages: 3 }, "1 5000: [0-3000 8]"],
  ["ten pages of a huge one", { categoryMask: 64, returnMask: 64, maxPages: 10 }, "1 40a000: [400000-40a000 40]"],
  ["room for one", { categoryMask: 8, returnMask: 511, vecLength: 1 }, "1 2000: [0-2000 a]"],
  ["room for two", { categoryMask: 8, returnMask: 511, vecLength: 2 }, "2 5000: [0-2000 a] [2000-3000 2a]"],
  ["no buffer", { categoryMask: 8, vecLength: 0 }, "0 800000: "],
  ["an empty range", { to: 0 }, "0 0: "],
  ["an end inside a page", { categoryMask: 8, to: 4097 }, "1 2000: [0-2000 8]"],
  ["write protection passes over memory that has none", { categoryMask: 8, flags: 1 }, "0 800000: "],
  ["asked to check for it", { categoryMask: 8, flags: 2 }, "EPERM"],
  ["an unknown flag", { flags: 4 }, "EINVAL"],
  ["an unknown category", { categoryMask: 512 }, "EINVAL"],
  ["an address inside a page", { from: 1 }, "EINVAL"],
  ["a range that ends before it begins", { from: 4096, to: 0 }, "EFAULT"],
  // walk_end keeps what the first full buffer of the kernel left there
  [
    "more regions than the kernel's buffer",
    { categoryMask: 8, from: 8 * MIB, to: 16 * MIB, vecLength: 1500 },
    "600 c00000: [800000-801000 8] [802000-803000 8] [804000-805000 8] [806000-807000 8] [808000-809000 8] [80a000-80b000 8] [80c000-80d000 8] [80e000-80f000 8]",
  ],
])("%s, as Linux 6.18.44", (_name, c, expected) => expect(scan(c)).toBe(expected));

it("differs by release", () => {
  const older = (id: string): string => {
    const { machine: other, mm: otherMm } = machine(id);
    return scan({ returnMask: 255, categoryAnyofMask: 2 | 8 | 16 }, { k: other.kernel, mm: otherMm });
  };
  expect(older("debian-6.1.176")).toBe("ENOTTY");
  // no guards in 6.12, empty entries are nothing, and every page of a new mapping is soft-dirty there
  expect(older("debian-6.12.107")).toBe("4 800000: [0-2000 8a] [2000-3000 aa] [5000-6000 8a] [400000-600000 ca]");
  const { machine: other, mm: otherMm } = machine("debian-6.12.107");
  expect(scan({ categoryMask: 256 }, { k: other.kernel, mm: otherMm })).toBe("EINVAL");
});

it("has the words of pagemap that Linux 6.18.44 had, but for the frames", () => {
  const words = new BigUint64Array(pagemapBytes(m.kernel, mm, BASE / 4096, BASE / 4096 + 9).buffer);
  const known = [...words].map((word) => ((word >> 63n) & 1n ? word & ~((1n << 55n) - 1n) : word).toString(16));
  expect(known).toEqual([
    "8100000000000000",
    "8100000000000000",
    "8000000000000000",
    "0",
    "0",
    "8100000000000000",
    "440000000000009f",
    "440000000000009f",
    "0",
  ]);
});
