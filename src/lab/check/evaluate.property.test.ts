import fc from "fast-check";
import { expect, it } from "vitest";
import { labOf, sentence, smallLab, smallPack } from "../../../tests/packSupport.ts";
import { ShellSession } from "../../session/shellSession.ts";
import { bootOf } from "../run/boot.ts";
import { LabRun } from "../run/labRun.ts";
import { OPERATORS, type LabFile } from "../schema.ts";

/** Whatever the schema lets through has an answer on whatever world: no condition and no line can break a lab. */

const runs = process.env["HUGELAB_LONG"] === "1" ? 2000 : 150;

const at = fc.constantFrom("A", "A+2M", "B+4k", "Z", "0", "0xffffffffffffffff", "A-4k", "x");
const range = fc.oneof(
  at,
  at.map((a) => `${a} 2M`),
  fc.constantFrom("A 0", "A 16777216T", "A 4", "]["),
);
const path = fc.oneof(
  fc.tuple(at, fc.constantFrom("Size", "Rss", "VmFlags", "AnonHugePages", "THPeligible", "None")).map(([a, f]) => `smaps[${a}].${f}`),
  fc.tuple(at, fc.constantFrom("size", "order", "mapped", "none")).map(([a, f]) => `page[${a}].${f}`),
  fc.tuple(at, fc.constantFrom("start", "end", "size")).map(([a, f]) => `vma[${a}].${f}`),
  fc.constantFrom(
    "status.VmRSS",
    "status.Name",
    "rollup.Rss",
    "meminfo.MemFree",
    "vmstat.thp_fault_alloc",
    "mthp[64kB].split",
    "setting[/proc/sys/vm/overcommit_memory]",
    "setting[/sys/x]",
    "result.ret",
    "nonsense",
    "__proto__",
  ),
);
const scalar = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string({ maxLength: 10 }));
const process_ = fc.option(fc.constantFrom("P", "C", "Q"), { nil: undefined });
const state = fc.record(
  {
    path,
    op: fc.constantFrom(...OPERATORS),
    value: fc.oneof(scalar, fc.array(scalar, { minLength: 1, maxLength: 3 })),
    since: fc.constant("start"),
    process: process_,
  },
  { requiredKeys: ["path", "op"] },
);
const faults = fc.record({
  event: fc.constant("fault"),
  where: fc.record(
    { in: range, order: fc.nat({ max: 20 }), access: fc.constantFrom("read", "write"), by: fc.constantFrom("process", "kernel"), process: process_ },
    { requiredKeys: [] },
  ),
});
const commands = fc.record({
  event: fc.constant("command"),
  where: fc.record(
    { in: range, name: fc.constantFrom("mmap", "touch", "madvise"), errno: fc.constantFrom("0", "EINVAL"), advice: fc.constantFrom("hugepage", "free") },
    { requiredKeys: [] },
  ),
});
const pattern = fc.oneof(faults, commands, fc.constantFrom({ event: "split" }, { event: "collapse" }, { event: "write" }));
const event = fc
  .tuple(pattern, fc.record({ before: pattern, after: pattern, op: fc.constantFrom("==", "<", ">="), value: fc.nat({ max: 1000 }) }, { requiredKeys: [] }))
  .map(([one, rest]) => ({ ...one, ...rest }));
const prediction = fc.record({ prediction: fc.constantFrom("faults", "none"), is: fc.constantFrom("answered", "right") });
const leaf = fc.oneof(state, event, prediction);
const inner = fc.oneof(
  leaf,
  fc.record({ not: leaf }),
  fc.record({ all: fc.array(leaf, { minLength: 1, maxLength: 4 }) }),
  fc.record({ any: fc.array(leaf, { minLength: 1, maxLength: 4 }) }),
);
const condition = fc.oneof(inner, fc.record({ not: inner }), fc.record({ all: fc.array(inner, { minLength: 1, maxLength: 4 }) }));

const line = fc.constantFrom(
  "mmap A 4M rw private anon",
  "mmap B 64k rw private anon",
  "touch A 4M w",
  "touch A+4k r",
  "touch B 64k w",
  "madvise A hugepage",
  "madvise A+4k 4k dontneed",
  "madvise A+8k 4k free",
  "madvise A 2M collapse",
  "munmap A 2M",
  "munmap B",
  "fork C",
  "@C touch A w",
  "@C exit",
  "exit",
  "undo",
  "redo",
  "goto 1",
  "why",
  "hint",
  "check",
  "predict one",
  "A = mmap(NULL, 1G, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)",
  "madvise(A, 4096, MADV_HUGEPAGE)",
  "echo always > /sys/kernel/mm/transparent_hugepage/enabled",
  "sys thp enabled never",
  "khugepaged scan 1",
  "nonsense",
);

it("has an answer for every condition on every world", () => {
  const definition = smallLab() as unknown as LabFile;
  fc.assert(
    fc.property(fc.array(condition, { minLength: 3, maxLength: 3 }), fc.array(line, { maxLength: 12 }), ([require, forbidden, when], lines) => {
      const checks = definition.checks.map((check) => ({ ...check, require, forbid: [forbidden], wrong: [{ id: "w", when, say: "x" }] }));
      const lab = labOf({ ...smallPack(), "labs/01-touch/lab.json": JSON.stringify({ ...definition, checks }) });
      const machine = bootOf(lab);
      if (machine === null) throw new Error("machine");
      const session = new ShellSession({ ...machine, render: sentence });
      const run = new LabRun({ lab, session, render: sentence });
      const passed = new Set<string>();
      for (const each of lines) {
        for (const told of run.after(session.submit(each))) if (told.kind === "checkPassed") passed.add(told.check);
        const view = run.view();
        // what passed once stays passed, and a check that passes has passed
        for (const check of view.steps.flatMap((step) => step.checks)) {
          expect([check.id, check.passed]).toEqual([check.id, passed.has(check.id)]);
          expect(check.passes && !check.passed).toBe(false);
        }
      }
      // the same lines in another session come to the same
      const again = new ShellSession({ ...machine, render: sentence });
      const second = new LabRun({ lab, session: again, render: sentence });
      for (const each of lines) second.after(again.submit(each));
      expect(second.view()).toEqual(run.view());
    }),
    { numRuns: runs },
  );
});
