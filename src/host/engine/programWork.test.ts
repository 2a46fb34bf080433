import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { conformMessagesEn } from "../../conform/messages.en.ts";
import { sessionMessagesEn } from "../../session/messages.en.ts";
import { terminalMessagesEn } from "../../session/messages.enTerminal.ts";
import { shellMessagesEn } from "../../shell/messages.en.ts";
import { renderer } from "../../shell/renderMessage.ts";
import type { Answer, ProgramView, SweepView } from "../api/labApi.ts";
import { makeEngine } from "./engine.ts";
import { FLAG, FLAG_COUNT, TASK_HANDLES, type FromEngine, type ProgramTask } from "./protocol.ts";

const render = renderer({ ...shellMessagesEn, ...sessionMessagesEn, ...terminalMessagesEn, ...conformMessagesEn });
const read = (name: string): string => readFileSync(join(import.meta.dirname, `../../../conformance/programs/${name}.json`), "utf8");
const text = read("c-two-buffers");
const HANDLE = TASK_HANDLES + 1;

/** An engine whose clock stands where it is told to, and that is asked to stop at a look. */
class Bench {
  readonly sent: FromEngine[] = [];
  readonly flags = new Int32Array(FLAG_COUNT);
  /** reports of progress after which the call is to stop */
  stopAfter = Infinity;
  #nowMs = 0;
  #id = 0;
  readonly #engine = makeEngine({
    send: (message) => {
      this.sent.push(message);
      if (message.kind === "progress" && --this.stopAfter <= 0) this.flags[FLAG.cancel] = this.#id;
    },
    flags: this.flags,
    nowMs: () => (this.#nowMs += 200),
    render,
  });

  constructor() {
    const fidelity = { rows: [], deviations: [], measured: "never", twin: [] };
    this.send({ kind: "packs", packs: [], fidelity, programs: [{ id: "c-two-buffers", text }] });
  }

  send(message: Readonly<Record<string, unknown>>): Exclude<FromEngine, { kind: "progress" }> {
    this.#engine.receive({ ...message, id: ++this.#id } as never);
    return this.sent[this.sent.length - 1] as Exclude<FromEngine, { kind: "progress" }>;
  }

  task(task: ProgramTask, handle = HANDLE): unknown {
    const answer = this.send({ kind: "program", handle, task });
    if (answer.kind === "failed") throw new Error(answer.error.sentence);
    return answer.result;
  }

  run(line: string): string {
    const { result } = this.send({ kind: "call", handle: 1, method: "submit", params: { session: 1, line } }) as { result: Answer };
    return result.step.output.map((part) => part.text).join("");
  }
}

describe("tasks", () => {
  it("describes recordings, and leaves out what is none", () => {
    const described = new Bench().task({
      kind: "describe",
      programs: [
        { id: "a", text },
        { id: "b", text: "{}" },
      ],
    });
    expect(described).toEqual([expect.objectContaining({ id: "a", name: "c-two-buffers", thpEnabled: "madvise", faults: 67 })]);
  });

  it("replays, with progress, under a setting too", () => {
    const bench = new Bench();
    const view = bench.task({ kind: "replay", text, profile: null, settings: "" }) as ProgramView;
    expect(view).toMatchObject({ faults: 67, faultsAgree: 67, rssAgree: 73, profile: "vm-6.18.44", differences: [], more: 0 });
    expect(view.points.at(-1)?.anonBytes).toBe(view.points.at(-1)?.recordedAnonBytes);
    expect(view.kinds.reduce((sum, { count }) => sum + count, 0)).toBe(67);
    expect(view.twin.join("\n")).not.toMatch(/(conform|host)\./);
    const never = bench.task({ kind: "replay", text, profile: "debian-6.18.15", settings: "enabled=never" }) as ProgramView;
    expect(never.rssAgree).toBeLessThan(73);
    expect(never.differences.length).toBeGreaterThan(0);
  });

  it("sweeps replay by replay, and keeps what was done when it is stopped", () => {
    const bench = new Bench();
    expect(bench.task({ kind: "sweepBegin", text, profile: null, settings: ["enabled=never", "64k=always"] })).toEqual({ jobs: 5 });
    for (const job of [0, 1, 2]) expect(bench.task({ kind: "sweepRun", job })).toBe(true);
    const view = bench.task({ kind: "sweepEnd" }) as SweepView;
    expect(view.rows.map(({ label, isBaseline, values }) => [label, isBaseline, values[0]?.[0] ?? null])).toEqual([
      ["as recorded", true, 67],
      ["enabled=never", false, 67],
      ["64k=always", false, null],
    ]);
    expect(view.missing).toBe(1);
    expect(view.rows[1].fallbacks[0].example).toContain("enabled is never");
    expect(view.columns.every(({ title }) => !title.includes("."))).toBe(true);
    expect(() => bench.task({ kind: "sweepEnd" })).toThrow("noSweep");
  });

  it("stops a replay and the beginning of a sweep where it is asked to", () => {
    const long = read("scripting-language");
    const bench = new Bench();
    bench.stopAfter = 2;
    expect(bench.task({ kind: "replay", text: long, profile: null, settings: "" })).toBeNull();
    bench.stopAfter = 2;
    expect(bench.task({ kind: "sweepBegin", text: long, profile: null, settings: [] })).toBeNull();
    expect(bench.sent.filter(({ kind }) => kind === "progress").length).toBeLessThan(8);
  });

  it.each([
    [{ kind: "replay", text: "{}", profile: null, settings: "" }, "notARecording"],
    [{ kind: "replay", text, profile: "mine", settings: "" }, "noProfile"],
    [{ kind: "replay", text, profile: null, settings: "enabled" }, "NAME=VALUE is wanted"],
    [{ kind: "replay", text, profile: null, settings: "enabled=perhaps" }, "does not take perhaps (EINVAL)"],
    [{ kind: "sweepRun", job: 0 }, "noSweep"],
    [{ kind: "import", name: "x", text: "hello" }, "badLine"],
    [{ kind: "import", name: "x", text: "{" }, "notImported"],
  ] as const)("refuses %j", (task, says) => {
    expect(() => new Bench().task(task as ProgramTask)).toThrow(says);
  });

  it("imports a recording as it is kept, and mappings as commands", () => {
    const bench = new Bench();
    expect(bench.task({ kind: "import", name: "x", text })).toMatchObject({ kind: "program", program: { faults: 67 }, text });
    const maps = "7ffff0000000-7ffff0400000 rw-p 00000000 00:00 0\n";
    expect(bench.task({ kind: "import", name: "x", text: maps })).toMatchObject({
      kind: "script",
      form: "maps",
      mappings: 1,
      lines: [expect.stringMatching(/^mmap /)],
    });
  });
});

describe("in the terminal", () => {
  const bench = new Bench();
  bench.send({ kind: "open", handle: 1, plan: { profile: "debian-6.18.15", patches: [], config: [], lab: null }, saved: null });

  it("program lists, replays, and says what is wrong", () => {
    expect(bench.run("program")).toContain("c-two-buffers  a C program");
    expect(bench.run("program c-two-buffers")).toContain("67 of 67 faults agree");
    expect(bench.run("program c-two-buffers enabled=never | grep -c differences")).toBe("1\n");
    expect(bench.run("program nobody")).toContain("there is no recorded program nobody");
    expect(bench.run("program c-two-buffers enabled")).toContain("NAME=VALUE is wanted");
    expect(bench.run("program c-two-buffers enabled=perhaps")).toContain("does not take perhaps");
  });

  it("sweep prints the table", () => {
    expect(bench.run("sweep c-two-buffers enabled=never 64k=always")).toMatch(/\n\* as recorded .*\n {2}enabled=never .*\n {2}64k=always /);
    expect(bench.run("sweep")).toContain("a PROGRAM is needed");
  });

  it("import makes a script of mappings, from a pipe too", () => {
    bench.run("mmap A 8M rw private anon");
    bench.run("touch A w");
    const script = bench.run("cat /proc/self/smaps | import");
    expect(script).toMatch(/\nmmap V 8192k rw private anon fixed at=0x1000000000\n/);
    expect(script).toContain("touch 0x1000000000 4k w");
    expect(bench.run("import /proc/self/maps")).toContain("mmap V 8192k");
    expect(bench.run("echo hello | import")).toContain("import: -, line 1: ");
  });

  it("they have pages and are completed", () => {
    for (const name of ["program", "sweep", "import"]) expect(bench.run(`man ${name}`)).toContain("DESCRIPTION");
    const { result } = bench.send({ kind: "call", handle: 1, method: "complete", params: { session: 1, text: "sweep c-t", cursor: 9 } }) as {
      result: { candidates: { text: string }[] };
    };
    expect(result.candidates.map((each) => each.text)).toEqual(["c-two-buffers"]);
  });
});
