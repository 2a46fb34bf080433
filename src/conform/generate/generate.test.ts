import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { parseScript } from "../../shell/command/parseScript.ts";
import { generateScript, readAreas } from "./generate.ts";
import { Random } from "./random.ts";

const script = (seed: number, index: number): string => generateScript({ seed, index, areas: ["anon"] });
const COUNT = 400;

it("gives the same numbers everywhere", () => {
  const random = new Random(1, 2);
  expect(Array.from({ length: 4 }, () => random.uint32())).toMatchInlineSnapshot(`
    [
      2671977115,
      3606275472,
      2339486189,
      3303889429,
    ]
  `);
});

it("gives the same text for the same seed, and another for another", () => {
  const all = Array.from({ length: 50 }, (_, index) => script(1, index)).join("");
  expect(createHash("sha256").update(all).digest("hex").slice(0, 16)).toMatchInlineSnapshot(`"49906261dccec827"`);
  expect(script(1, 0)).not.toBe(script(1, 1));
  expect(script(1, 0)).not.toBe(script(2, 0));
});

it("writes only what parses, at lengths that differ", () => {
  const lengths = new Set<number>();
  for (let index = 0; index < COUNT; index++) {
    const source = script(3, index);
    const { errors, operations } = parseScript(source);
    expect(errors, source).toEqual([]);
    lengths.add(operations.length);
  }
  expect(lengths.size).toBeGreaterThan(15);
});

it("reaches every call and every advice for anonymous memory, and nothing that needs swap, files or KSM", () => {
  const seen = new Set<string>();
  for (let index = 0; index < COUNT * 3; index++) {
    for (const { body, text } of parseScript(script(4, index)).operations) {
      seen.add(body.op === "madvise" ? `madvise ${body.advice}` : body.op);
      if (body.op === "mmap") for (const flag of body.flags) seen.add(`mmap ${flag}`);
      if (text.includes("fixed=")) seen.add("mremap fixed");
      if (text.includes("dontunmap")) seen.add("mremap dontunmap");
    }
  }
  const advice = "normal random sequential willneed dontneed free remove dontfork dofork hugepage nohugepage dontdump dodump wipeonfork keeponfork cold";
  const later = "populate_read populate_write dontneed_locked collapse guard_install guard_remove bogus 7 99";
  const calls =
    "mmap munmap mprotect mseal msync mincore mlock munlock mlock2 mremap touch kread kwrite mlockall munlockall prctl rlimit fork exit sysSet khugepagedScan";
  const flags = "private anon noreserve populate locked stack growsdown nonblock fixed".split(" ").map((flag) => `mmap ${flag}`);
  const wanted = [...`${advice} ${later}`.split(" ").map((name) => `madvise ${name}`), ...calls.split(" "), ...flags, "mremap fixed", "mremap dontunmap"];
  expect(wanted.filter((name) => !seen.has(name))).toEqual([]);
  expect(
    ["madvise pageout", "madvise mergeable", "madvise hwpoison", "madvise soft_offline", "memfd", "zram", "uffd"].filter((name) => seen.has(name)),
  ).toEqual([]);
});

it("reaches every call on files, and takes away what it left on a disk", () => {
  const seen = new Set<string>();
  for (let index = 0; index < COUNT; index++) {
    for (const area of ["shmem", "file"] as const) {
      const source = generateScript({ seed: 5, index, areas: [area] });
      const { errors, operations } = parseScript(source);
      expect(errors, source).toEqual([]);
      for (const { body } of operations) seen.add(body.op === "falloc" ? `falloc ${body.mode}` : body.op === "madvise" ? `madvise ${body.advice}` : body.op);
      const made = operations.filter(({ body }) => body.op === "file" && body.directory.startsWith("/mnt/ext4/")).length;
      expect(operations.filter(({ body }) => body.op === "unlink")).toHaveLength(made);
    }
  }
  const wanted = "mount file memfd unlink truncate fwrite fread fadvise fsync".split(" ");
  const modes = ["alloc", "keep", "punch", "zero", "collapse"].map((mode) => `falloc ${mode}`);
  expect([...wanted, ...modes, "madvise remove", "madvise collapse"].filter((name) => !seen.has(name))).toEqual([]);
});

it("reads a list of areas", () => {
  expect(readAreas("anon")).toEqual({ kind: "areas", areas: ["anon"] });
  expect(readAreas("anon,anon")).toEqual({ kind: "areas", areas: ["anon"] });
  expect(readAreas("anon,shmem")).toEqual({ kind: "areas", areas: ["anon", "shmem"] });
  expect(readAreas("anon,swap")).toEqual({ kind: "unavailable", area: "swap" });
  expect(readAreas("anom")).toEqual({ kind: "unknown", area: "anom" });
});
