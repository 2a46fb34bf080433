import { expect, it } from "vitest";
import { isStep, readTrace } from "./readTrace.ts";

const header = { profile: "p", kernel: "6.18" };
const good = { script: "s", source: "x", header, steps: [{ n: 0, op: "x" }] };

it("reads a trace", () => {
  expect(readTrace(JSON.stringify(good))).toEqual({ kind: "trace", trace: good });
});

it.each([
  ["", "notJson"],
  ["\u0000\u0001", "notJson"],
  ["[".repeat(100_000), "notJson"],
  ["null", "notATrace"],
  ["[]", "notATrace"],
  [JSON.stringify({ ...good, steps: [] }), "noSteps"],
  [JSON.stringify({ ...good, steps: "x" }), "noSteps"],
  [JSON.stringify({ ...good, source: 1 }), "notATrace"],
  [JSON.stringify({ ...good, header: {} }), "noProfile"],
  [JSON.stringify({ ...good, steps: [{ n: 0, op: "x" }, 1] }), "badStep"],
])("refuses what is not one: %.20s", (text, problem) => {
  expect(readTrace(text)).toEqual({ kind: "bad", problem });
});

it("refuses steps that comparing would fall over", () => {
  const step = { n: 0, op: "x" };
  const bad = [{ dv: [] }, { pool: 1 }, { procs: [] }, { procs: { P: 1 } }, { procs: { P: { vmas: {} } } }, { procs: { P: { vmas: [{ at: 1 }] } } }];
  const vmas = [{ pm: {} }, { VmFlags: 1 }, { pm: [1] }, { pm: [{ f: 1 }] }].map((vma) => ({ procs: { P: { vmas: [{ at: "A+0x0", ...vma }] } } }));
  expect([...bad, ...vmas].filter((fields) => isStep({ ...step, ...fields }))).toEqual([]);
  expect(isStep({ ...step, procs: { P: { vmas: [{ at: "A+0x0", pm: [{ f: "P" }], VmFlags: "rd" }] } } })).toBe(true);
});
