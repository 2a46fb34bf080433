import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compareByOurs, compareByReference, hashRows, hasPython, rowsOf } from "../../conformance/compareWithReference.ts";
import type { Pair, Vector } from "../../conformance/compareWithReference.ts";
import { compare } from "./compare.ts";
import { pythonOrder, pythonTruth, pythonEqual, pythonWords } from "./pythonValue.ts";
import type { Trace, TraceStep } from "./step.ts";
import vectors from "./compare.vectors.json" with { type: "json" };

const CONFORMANCE = join(import.meta.dirname, "../../conformance");
const at = (path: string): string => join(CONFORMANCE, path);
const known = new Map<string, Trace>();

function read(path: string): Trace {
  const trace = known.get(path) ?? (JSON.parse(readFileSync(path, "utf8")) as Trace);
  known.set(path, trace);
  return trace;
}

function absolute(pair: Pair): Pair {
  return { trace: at(pair.trace), other: pair.other === null ? null : at(pair.other), tier: pair.tier };
}

/** Changes to a recorded step that have to be counted as compare.py counts them. */
const mutations: readonly ((step: Record<string, unknown>) => void)[] = [
  (step) => (step["ret"] = step["ret"] === 0 ? false : null),
  (step) => delete step["procs"],
  (step) => (step["blocked"] = true),
  (step) => (step["flt"] = { pf: 1, min: false, maj: 0, at: [] }),
  (step) => (step["pool"] = { "2048kB": [1, 1, 0, 0, 0] }),
  (step) => (step["dv"] = { thp_zero_page_alloc: 1, thp_fault_alloc: true, thp_split_page: 0 }),
  (step) => (step["mi"] = { AnonHugePages: 2048, Unknown: 1 }),
  (step) => (step["op"] = `uffd copy ${String(step["op"])}`),
  (step) => (step["op"] = `resume ${String(step["op"])}`),
  (step) =>
    (step["procs"] = {
      P: { VmPTE: 0, VmSize: 4, vmas: [{ at: "A+0x0", THPeligible: 0, Rss: 0, VmFlags: "sd gu b a a", pm: [] }] },
      "\u{10000}": {},
      "\uffff": {},
    }),
  (step) => (step["flt@C1"] = { pf: 2, min: 3, maj: 0 }),
];

describe("compare", () => {
  it("counts what compare.py counted on every pair of releases", () => {
    const wrong = (vectors as readonly Vector[]).filter((vector) => {
      const ours = compareByOurs(absolute(vector), read);
      return ours.agree !== vector.agree || ours.total !== vector.total || hashRows(rowsOf(ours)) !== vector.sha256;
    });
    expect(vectors.length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });

  it("counts less with fewer tiers and nothing that two recordings differ in", () => {
    const [a, b] = [read(at("traces/linux-6.18/05_partial_munmap_mprotect.json")), read(at("traces/linux-6.1/05_partial_munmap_mprotect.json"))];
    const all = compare(a.steps, b.steps, a.header.kernel);
    expect(compare(a.steps, b.steps, a.header.kernel, { tier: 1 }).total).toBeLessThan(all.total);
    const agreed = compare(a.steps, b.steps, a.header.kernel, { again: b.steps });
    expect(agreed.differences).toEqual([]);
    expect(agreed.total).toBe(all.total - all.differences.length);
  });

  it("has Python's equality, truth, words and order", () => {
    expect([pythonEqual(true, 1), pythonEqual(0, false), pythonEqual("1", 1), pythonEqual([1, [2]], [1, [2]])]).toEqual([true, true, false, true]);
    expect([pythonEqual({ a: 1, b: 2 }, { b: 2, a: 1 }), pythonEqual({ a: 1 }, { a: 1, b: 2 }), pythonEqual(null, 0)]).toEqual([true, false, false]);
    expect([[], {}, "", 0, null, false].map(pythonTruth)).toEqual([false, false, false, false, false, false]);
    expect(pythonWords("  a\u00a0b\x1cc\ufeffd ")).toEqual(["a", "b", "c\ufeffd"]);
    expect(["\uffff", "\u{10000}", "b", "a"].sort(pythonOrder)).toEqual(["a", "b", "\uffff", "\u{10000}"]);
  });
});

describe.skipIf(!hasPython())("compare beside compare.py itself (skipped where python3 is missing)", () => {
  it("agrees on recorded pairs and on damaged ones", async ({ onTestFinished }) => {
    const { mkdtempSync, rmSync, writeFileSync } = await import("node:fs");
    const { tmpdir } = await import("node:os");
    const folder = mkdtempSync(join(tmpdir(), "hugelab-compare-"));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const original = read(at("traces/linux-6.18/07_fork_cow_thp.json"));
    const damaged = mutations.map((mutate, m) => {
      const steps = structuredClone(original.steps) as unknown as Record<string, unknown>[];
      steps.forEach((step, i) => {
        if ((i + m) % 3 === 0) mutate(step);
      });
      const path = join(folder, `${m}.json`);
      writeFileSync(path, JSON.stringify({ ...original, steps: m % 2 === 0 ? steps : steps.slice(0, -2) }));
      return path;
    });
    const whole = at("traces/linux-6.18/07_fork_cow_thp.json");
    const pairs = damaged.flatMap((path, i): Pair[] => [
      { trace: whole, other: path, tier: 6 },
      { trace: path, other: whole, tier: 4 },
      { trace: path, other: damaged[(i + 1) % damaged.length], tier: 6 },
    ]);
    pairs.push(...(vectors as readonly Vector[]).slice(0, 12).map(absolute));
    compareByReference(pairs).forEach(([agree, total, rows], i) => {
      const ours = compareByOurs(pairs[i]);
      expect([ours.agree, ours.total, rowsOf(ours)], `${pairs[i].trace} ${pairs[i].other}`).toEqual([agree, total, rows]);
    });
  });
});

describe("compare with runs that are cut short", () => {
  it("counts a missing operation as a difference", () => {
    const steps: TraceStep[] = [
      { n: 0, op: "munlockall", ret: 0 },
      { n: 1, op: "sleep 1" },
    ];
    const { agree, total } = compare(steps, steps.slice(0, 1), "6.18.15");
    // ret, five lines of meminfo that appear, and an operation with nothing to see that is not there
    expect([agree, total]).toEqual([6, 7]);
  });
});
