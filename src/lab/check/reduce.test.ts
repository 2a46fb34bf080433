import { describe, expect, it } from "vitest";
import { labOf, sentence, smallLab, smallPack } from "../../../tests/packSupport.ts";
import { ShellSession } from "../../session/shellSession.ts";
import { bootOf } from "../run/boot.ts";
import { LabTrack } from "../run/track.ts";
import type { Condition, LabFile } from "../schema.ts";
import { evaluate, type Held } from "./evaluate.ts";

/** A session under a lab with one condition, and how the condition stands where the session stands. */
class Trial {
  readonly session: ShellSession;
  readonly #track: LabTrack;
  readonly #condition: Condition;

  constructor(condition: unknown, ...lines: string[]) {
    const definition = smallLab() as unknown as LabFile & { checks: { require: unknown }[] };
    const lab = labOf({
      ...smallPack(),
      "labs/01-touch/lab.json": JSON.stringify({ ...definition, checks: definition.checks.map((check) => ({ ...check, require: condition })) }),
    });
    this.#condition = lab.checks[0].require;
    const machine = bootOf(lab);
    if (machine === null) throw new Error("machine");
    this.session = new ShellSession({ ...machine, render: sentence });
    this.#track = new LabTrack(lab, this.session, () => undefined);
    this.type(...lines);
  }

  type(...lines: string[]): void {
    for (const line of lines) this.session.submit(line);
  }

  held(): Held {
    const node = this.session.history.current.id;
    return evaluate(this.#condition, {
      read: (path, process) => this.#track.read(path, node, process),
      readAtStart: (path, process) => this.#track.readAtStart(path, process),
      reducer: this.#track.reducer,
      progression: this.#track.stateOf(node).progression,
      predicted: (id) => (id === "given" ? { right: false } : null),
    });
  }

  get count(): number {
    return Number(this.held().actual);
  }
}

const HUGE = ["mmap A 4M rw private anon", "madvise A hugepage"];
const fault = (where: Record<string, unknown>, rest: Record<string, unknown> = {}): unknown => ({ event: "fault", where, ...rest });

describe("events", () => {
  it.each<[string, Record<string, unknown>, readonly string[], number]>([
    ["by order", { order: 9 }, ["touch A 4M w"], 2],
    ["by order", { order: 0 }, ["touch A 4M w", "mmap B 64k rw private anon", "touch B 64k w"], 16],
    ["by size of mTHP", { order: 4, in: "B" }, ["sys mthp 64kB enabled always", "mmap B 128k rw private anon", "touch B 128k w"], 2],
    ["by access", { access: "read" }, ["touch A r", "touch A w"], 1],
    ["by access", { access: "write" }, ["touch A r", "touch A w"], 1],
    ["by range", { in: "A+2M 2M" }, ["touch A 4M w"], 1],
    ["by range with a stride", { in: "B+4k 16k" }, ["mmap B 64k rw private anon", "touch B 64k w step=8k"], 2],
    ["by range of one page", { in: "B+8k 4k" }, ["mmap B 64k rw private anon", "touch B 64k w"], 1],
    ["by a range of a name that means nothing", { in: "Z" }, ["touch A 4M w"], 0],
    ["by process", { process: "C" }, ["fork C", "@C touch A w", "touch A+2M w"], 1],
    ["by process", { process: "P" }, ["fork C", "@C touch A w", "touch A+2M w"], 1],
    ["by the kernel", { by: "kernel" }, ["madvise A 2M populate_write", "touch A+2M w"], 1],
    ["by the process", { by: "process" }, ["madvise A 2M populate_write", "touch A+2M w"], 1],
  ])("counts faults %s %j", (_, where, lines, count) => {
    expect(new Trial(fault(where), ...HUGE, ...lines).count).toBe(count);
  });

  it("counts no fault of an explanation", () => {
    const trial = new Trial(fault({}), ...HUGE, "touch A w");
    trial.type("why A", "why thp_fault_alloc", "why A; sys thp enabled always", "why A; x=1");
    expect(trial.count).toBe(1);
  });

  it("counts what came before something", () => {
    const early = { in: "A", order: 0 };
    const before = { before: { event: "command", where: { name: "madvise", advice: "hugepage", in: "A" } } };
    const trial = new Trial(fault(early, before), "mmap A 4M rw private anon", "touch A 8k w");
    expect(trial.count).toBe(0);
    trial.type("madvise A+4k 4k nohugepage", "mmap B 4k rw private anon", "madvise B hugepage");
    expect(trial.count).toBe(0);
    trial.type("madvise(A, 4096, 14)");
    expect(trial.count).toBe(2);
    trial.type("touch A+8k w");
    expect(trial.count).toBe(2);
    trial.type("madvise A hugepage");
    expect(trial.count).toBe(3);
  });

  it("counts what came after something", () => {
    const trial = new Trial(fault({ in: "A" }, { after: { event: "write", where: { value: "never" } } }), "mmap A 4M rw private anon", "touch A w");
    trial.type("echo never > /sys/kernel/mm/transparent_hugepage/enabled");
    expect(trial.count).toBe(0);
    trial.type("touch A+4k w");
    expect(trial.count).toBe(1);
  });

  it("counts commands of both forms alike", () => {
    const condition = { event: "command", where: { name: "madvise", advice: "dontneed", in: "A+4k 4k" } };
    const trial = new Trial(
      condition,
      "mmap A 64k rw private anon",
      "madvise A 4k dontneed",
      "madvise A+4k 8k dontneed",
      "madvise(A + 4096, 1, MADV_DONTNEED)",
      "madvise A dontneed",
    );
    expect(trial.count).toBe(3);
    const failed = new Trial(
      { event: "command", where: { errno: "EINVAL" } },
      "mmap A 64k rw private anon",
      "madvise A+1 4k dontneed",
      "munmap(A + 1, 4096)",
      "madvise A dontneed",
    );
    expect(failed.count).toBe(2);
    const right = new Trial({ event: "command", where: { errno: "0", name: "munmap" } }, "mmap A 64k rw private anon", "munmap A+1 4k", "munmap A 4k");
    expect(right.count).toBe(1);
    expect(new Trial({ event: "command", where: { process: "C" } }, ...HUGE, "fork C", "@C touch A w", "@C", "touch A r").count).toBe(2);
    expect(
      new Trial(
        { event: "command", where: { name: "mmap", in: "A" } },
        "A = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)",
        "mmap B 4k r private anon",
      ).count,
    ).toBe(1);
  });

  it("counts writes to kernel files, however they are made", () => {
    const path = "/sys/kernel/mm/transparent_hugepage/enabled";
    const lines = [
      "echo always > /sys/kernel/mm/transparent_hugepage/enabled",
      "sys thp enabled never",
      "echo perhaps > /sys/kernel/mm/transparent_hugepage/enabled",
    ];
    expect(new Trial({ event: "write", where: { path } }, ...lines).count).toBe(2);
    expect(new Trial({ event: "write", where: { path, value: "never" } }, ...lines).count).toBe(1);
  });

  it("counts splits and collapses", () => {
    const lines = [...HUGE, "touch A 2M w", "madvise A+4k 4k dontneed", "madvise A+8k 4k free", "madvise A 2M collapse"];
    expect(new Trial({ event: "split", where: { what: "pmd" } }, ...lines).count).toBe(1);
    expect(new Trial({ event: "split", where: { what: "page" } }, ...lines).count).toBe(1);
    expect(new Trial({ event: "collapse" }, ...lines).count).toBe(1);
  });

  it("follows undo, redo and branches", () => {
    const trial = new Trial(fault({ in: "A" }), ...HUGE, "touch A w", "touch A+2M w");
    expect(trial.count).toBe(2);
    trial.type("undo");
    expect(trial.count).toBe(1);
    trial.type("undo", "touch A 4M r");
    expect(trial.count).toBe(2);
    trial.type("touch A 4M w");
    expect(trial.count).toBe(4);
    trial.type("goto 3");
    expect(trial.count).toBe(1);
    trial.type("redo");
    expect(trial.count).toBe(2);
    trial.type("goto 0");
    expect(trial.count).toBe(0);
  });

  it("compares how often", () => {
    const held = (op: string, value: number): boolean => new Trial(fault({}, { op, value }), ...HUGE, "touch A 4M w").held().holds;
    expect([held("==", 2), held("==", 3), held("!=", 2), held("<", 2), held("<=", 2), held(">", 2), held(">=", 2)]).toEqual([
      true,
      false,
      false,
      false,
      true,
      false,
      true,
    ]);
  });
});

describe("state", () => {
  const held = (condition: unknown, ...lines: string[]): Held => new Trial(condition, ...HUGE, ...lines).held();
  const size = { path: "smaps[A].Size", op: "==", value: 4096 };

  it("compares", () => {
    expect(held(size)).toEqual({ holds: true, actual: "4096 kB", wanted: "4096 kB" });
    expect(held({ ...size, op: "<" })).toEqual({ holds: false, actual: "4096 kB", wanted: "< 4096 kB" });
    expect(held({ path: "smaps[A].Size", op: "in", value: [4, 4096] }).holds).toBe(true);
    expect(held({ path: "smaps[A].VmFlags", op: "contains", value: ["hg", "rd"] }).holds).toBe(true);
    expect(held({ path: "smaps[A].VmFlags", op: "contains", value: "h" }).holds).toBe(false);
    expect(held({ path: "page[A].mapped", op: "!=", value: "pmd" }).holds).toBe(true);
    expect(held({ path: "smaps[A].Size", op: "exists" }).holds).toBe(true);
  });

  it("holds for nothing where nothing can be read", () => {
    for (const op of ["==", "!=", "<", "<=", ">", ">=", "in", "contains", "exists"])
      expect([op, held({ path: "smaps[Z].Size", op, value: 0 }).holds]).toEqual([op, false]);
    expect(held({ path: "smaps[A].Size", op: "==", value: "4096 kB" }).holds).toBe(false);
  });

  it("compares with the start", () => {
    const since = { path: "vmstat.thp_fault_alloc", op: "==", value: 2, since: "start" };
    expect(held(since, "touch A 4M w").holds).toBe(true);
    expect(held(since, "touch A 2M w")).toMatchObject({ holds: false, actual: "1" });
    expect(held({ ...since, path: "smaps[A].Rss" }, "touch A 4M w").holds).toBe(false);
  });

  it("watches that a number does not go down", () => {
    const condition = { path: "smaps[A].Rss", op: "monotonic" };
    const trial = new Trial(condition, ...HUGE, "touch A w", "touch A+2M w");
    expect(trial.held().holds).toBe(true);
    trial.type("madvise A 2M dontneed", "touch A w");
    expect(trial.held().holds).toBe(false);
    trial.type("goto 4");
    expect(trial.held().holds).toBe(true);
  });

  it("joins", () => {
    const no = { ...size, value: 1 };
    expect([held({ all: [size, no] }), held({ any: [no, size] }), held({ not: no }), held({ not: { all: [size, size] } })].map(({ holds }) => holds)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(held({ all: [size, no] }).wanted).toBe("1 kB");
    expect(
      [held({ prediction: "given", is: "answered" }), held({ prediction: "given", is: "right" }), held({ prediction: "other", is: "answered" })].map(
        ({ holds }) => holds,
      ),
    ).toEqual([true, false, false]);
  });
});
