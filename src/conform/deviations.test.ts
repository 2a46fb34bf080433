import { expect, it } from "vitest";
import type { Difference } from "./compare.ts";
import { classify, readRows, rowFor } from "./deviations.ts";
import { judgeTrace, sumVerdicts } from "./judge.ts";
import type { Trace } from "./step.ts";

const difference: Difference = { operation: 3, op: "touch A w", field: "flt.at", tier: 2, recorded: ["A+0x0"], ours: "(absent)" };
const row = { ...rowFor("t", difference), symbol: "do_anonymous_page", reason: "because" };

it("lists a difference only where a row says exactly the same", () => {
  expect(classify("t", [difference], [row])).toEqual({ listed: [difference], unlisted: [], stale: [] });
  for (const changed of [
    { ...row, operation: 4 },
    { ...row, field: "flt.pf" },
    { ...row, recorded: ["A+0x1000"] },
    { ...row, ours: null },
  ]) {
    expect(classify("t", [difference], [changed])).toEqual({ listed: [], unlisted: [difference], stale: [changed] });
  }
});

it("calls a row stale only in the trace it is about", () => {
  expect(classify("t", [], [row]).stale).toEqual([row]);
  expect(classify("other", [], [row]).stale).toEqual([]);
});

it("refuses rows that excuse by accident", () => {
  expect(readRows([row]).kind).toBe("rows");
  expect(readRows({})).toEqual({ kind: "bad", row: null, problem: "notAList" });
  expect(readRows([row, { trace: "t" }])).toEqual({ kind: "bad", row: 1, problem: "notARow" });
  expect(readRows([{ ...row, operation: "*" }])).toEqual({ kind: "bad", row: 0, problem: "notARow" });
  expect(readRows([rowFor("t", difference)])).toEqual({ kind: "bad", row: 0, problem: "noReason" });
  expect(readRows([row, { ...row, ours: 1 }])).toEqual({ kind: "bad", row: 1, problem: "twice" });
});

it("judges a simulator that breaks as one that answers nothing", () => {
  const header = { hdr: 1 as const, profile: "p", kernel: "6.18.1", slot_base: "", slot_size: "" };
  const trace: Trace = { script: "t", source: "munlockall", header, steps: [{ n: 0, op: "munlockall", ret: 0 }] };
  const broken = judgeTrace(trace, () => {
    throw new Error("no");
  }, []);
  expect([broken.agree, broken.total, broken.crash, broken.release]).toEqual([5, 6, "Error: no", "6.18"]);
  const right = judgeTrace(trace, () => trace, []);
  expect(sumVerdicts([broken, right])).toEqual({ agree: 11, total: 12, listed: 0, unlisted: 1, stale: 0, crashes: 1 });
});
