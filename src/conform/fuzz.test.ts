import { expect, it } from "vitest";
import { compareTwice, kindOf, kindsOf, settledLength } from "./fuzz.ts";
import type { TraceHeader, TraceStep } from "./step.ts";

const header: TraceHeader = { hdr: 1, profile: "p", kernel: "6.18.44", slot_base: "", slot_size: "" };
const steps = (...rest: Record<string, unknown>[]): TraceStep[] => rest.map((fields, n) => ({ n, op: `op${n}`, ...fields }));

it("counts only what both recordings agree on", () => {
  const first = steps({ ret: 0, dv: { thp_fault_alloc: 1 } });
  const second = steps({ ret: 0, dv: { thp_fault_alloc: 7 } });
  const result = compareTwice({ header, first, second }, "p", "", () => ({ header, steps: steps({ ret: -1 }) }));
  expect(result.differences.map((difference) => difference.field)).toEqual(["ret"]);
  // ret and five lines of meminfo
  expect([result.agree, result.total]).toEqual([5, 6]);
});

it("agrees in nothing with a simulator that breaks", () => {
  const first = steps({ ret: 0 });
  const result = compareTwice({ header, first, second: first }, "p", "", () => {
    throw new TypeError("at step 12");
  });
  expect([result.agree, result.total, result.crash]).toEqual([0, 6, "TypeError: at step 12"]);
  expect([...kindsOf(result)]).toEqual(["crash TypeError: at step N"]);
});

it("relies on a recording up to a scan that was not whole", () => {
  expect(settledLength(steps({ ret: 0 }, { op: "khugepaged scan 2", ret: 0, passes: 2 }, { op: "khugepaged scan 1", passes: 0 }, { ret: 0 }))).toBe(2);
  expect(settledLength(steps({ ret: 0 }, { timeout: true }))).toBe(1);
  expect(settledLength(steps({ op: "khugepaged scan 1", passes: 0, stopped: true }))).toBe(1);
});

it("names the kind of a difference without its place", () => {
  const base = { operation: 1, tier: 5, recorded: 1, ours: 2 };
  expect(kindOf({ ...base, op: "@C1 madvise A+4M 2M collapse", field: "P:A+0x200000.pm" })).toBe("madvise collapse pm");
  expect(kindOf({ ...base, op: "touch A w", field: "flt@C1.pf" })).toBe("touch flt.pf");
  expect(kindOf({ ...base, op: "touch A w", field: "dm.64kB.nr_anon" })).toBe("touch dm.64kB.nr_anon");
});
