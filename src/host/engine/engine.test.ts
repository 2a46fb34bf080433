import { describe, expect, it } from "vitest";
import { sessionMessagesEn } from "../../session/messages.en.ts";
import { terminalMessagesEn } from "../../session/messages.enTerminal.ts";
import { shellMessagesEn } from "../../shell/messages.en.ts";
import { renderer } from "../../shell/renderMessage.ts";
import type { Answer, FidelityView } from "../api/labApi.ts";
import { makeEngine } from "./engine.ts";
import type { Engine } from "./enginePort.ts";
import { FLAG, FLAG_COUNT, type EngineMethod, type FromEngine, type Opened, type SavedSession, type SessionPlan, type Step } from "./protocol.ts";

// keys of other layers print as they are
const render = renderer({ ...shellMessagesEn, ...sessionMessagesEn, ...terminalMessagesEn });
const plan: SessionPlan = { profile: "debian-6.18.15", patches: [], config: [], lab: null };
const fidelity: FidelityView = { rows: [], deviations: [], measured: "never", twin: ["nothing measured"] };

/** An engine with its place: what it sends is kept, its clock goes on by `tickMs` at each look. */
class Bench {
  readonly engine: Engine;
  readonly sent: FromEngine[] = [];
  readonly flags = new Int32Array(FLAG_COUNT);
  onLook: (looks: number) => void = () => undefined;
  tickMs = 1;
  #nowMs = 0;
  #id = 0;
  #looks = 0;

  constructor() {
    this.engine = makeEngine({
      send: (message) => this.sent.push(message),
      flags: this.flags,
      nowMs: () => {
        this.onLook(++this.#looks);
        return (this.#nowMs += this.tickMs);
      },
      render,
    });
    this.ask({ kind: "packs", packs: [], fidelity, programs: [] });
  }

  get lastId(): number {
    return this.#id;
  }

  ask(message: Readonly<Record<string, unknown>>): Exclude<FromEngine, { kind: "progress" }> {
    this.engine.receive({ ...message, id: ++this.#id } as never);
    const answer = this.sent[this.sent.length - 1];
    if (answer.kind === "progress") throw new Error("no answer");
    expect(answer.id).toBe(this.#id);
    return answer;
  }

  answer(message: Readonly<Record<string, unknown>>): { readonly result: unknown; readonly step: Step | null } {
    const answer = this.ask(message);
    if (answer.kind !== "answer") throw new Error(answer.error.sentence);
    return answer;
  }

  open(saved: SavedSession | null = null, handle = 1): Opened {
    return this.answer({ kind: "open", handle, plan, saved }).result as Opened;
  }

  call(method: EngineMethod, params: unknown, handle = 1): { readonly result: unknown; readonly step: Step | null } {
    return this.answer({ kind: "call", handle, method, params });
  }

  submit(line: string, handle = 1): { readonly answer: Answer; readonly step: Step | null } {
    const { result, step } = this.call("submit", { line }, handle);
    return { answer: result as Answer, step };
  }
}

describe("a line", () => {
  it("comes back with all that has to be saved", () => {
    const bench = new Bench();
    expect(bench.open().root).toMatchObject({ node: 0, parent: null, command: "" });
    const { answer, step } = bench.submit("mmap A 8M rw private anon");
    expect(answer).toMatchObject({ step: { current: 1, made: 1, mark: "done" }, lab: null, solvedNow: false, notSaved: null });
    expect(step).toMatchObject({ node: { node: 1, parent: 0, command: "mmap A 8M rw private anon", operationsDone: null }, events: [] });
    expect(step?.lines).toEqual([
      { kind: "input", text: "mmap A 8M rw private anon" },
      { kind: "note", text: "= A\n" },
    ]);
  });

  it("that only looks makes no node, but its output is saved", () => {
    const bench = new Bench();
    bench.open();
    const { answer, step } = bench.submit("fidelity");
    expect(answer.step.output).toEqual([{ stream: "out", text: "nothing measured\n" }]);
    expect(step).toMatchObject({ node: 0, lines: [{ kind: "input" }, { kind: "output", text: "nothing measured\n" }] });
  });

  it("that goes back says where it stands, and a session that was saved comes back to the same place", () => {
    const bench = new Bench();
    const nodes = [bench.open().root];
    for (const line of ["mmap A 8M rw private anon", "touch A w"]) {
      const { step } = bench.submit(line);
      if (typeof step?.node === "object") nodes.push(step.node);
    }
    const moved = bench.call("move", { to: "back" });
    expect(moved.step).toMatchObject({ node: 1, lines: [{ kind: "note" }] });
    const here = (moved.result as Answer).step.stateHash;
    const again = new Bench();
    expect(again.open({ nodes, current: 1, events: [] }, 7)).toMatchObject({ differences: [], steps: [], notice: null });
    expect((again.answer({ kind: "view", handle: 7 }).result as Answer).timeline).toMatchObject({ current: 1, count: 3, forward: null });
    expect(nodes[1].stateHash).toBe(here);
    expect(again.submit("touch A w", 7).answer.step.stateHash).toBe(nodes[2].stateHash);
  });
});

describe("while a command runs", () => {
  it("progress is told at most ten times a second", () => {
    const bench = new Bench();
    bench.open();
    bench.submit("mmap A 2G rw private anon");
    bench.tickMs = 30;
    let looks = 0;
    bench.onLook = () => looks++;
    bench.submit("touch A+1G 800M w");
    const told = bench.sent.filter(({ kind }) => kind === "progress");
    expect(told.length).toBeGreaterThan(5);
    expect(told.length).toBeLessThanOrEqual((looks * bench.tickMs) / 100);
    expect(told[0]).toMatchObject({ handle: 1, operationsDone: 4 });
  });

  it("it stops at the flag of its own call, and at no other's", () => {
    const bench = new Bench();
    bench.open();
    bench.submit("mmap A 2G rw private anon");
    bench.flags[FLAG.cancel] = bench.lastId;
    expect(bench.submit("touch A 800M w").answer.step.mark).toBe("done");
    bench.onLook = () => {
      bench.flags[FLAG.cancel] = bench.lastId;
    };
    const { answer, step } = bench.submit("touch A+1G 800M w");
    expect(answer.step.mark).toBe("cancelled");
    expect(answer.step.operationsDone).toBeGreaterThan(0);
    expect(step).toMatchObject({ node: { operationsDone: answer.step.operationsDone } });
  });

  it("the heartbeat goes on", () => {
    const bench = new Bench();
    bench.open();
    bench.submit("mmap A 2G rw private anon");
    const before = bench.flags[FLAG.heartbeat];
    bench.submit("touch A 800M w");
    expect(bench.flags[FLAG.heartbeat] - before).toBeGreaterThan(40);
  });
});

describe("what goes wrong", () => {
  it("in a call is told in one sentence and kept as a report; the session is made again from what was saved", () => {
    const bench = new Bench();
    bench.open();
    bench.submit("mmap A 8M rw private anon");
    const failed = bench.ask({ kind: "call", handle: 1, method: "picture", params: { request: { kind: "nothing" } } });
    expect(failed).toMatchObject({ kind: "failed", error: { code: "engine" } });
    expect(failed.kind === "failed" && failed.report).toContain("engineSession.ts");
    expect(bench.ask({ kind: "view", handle: 1 })).toMatchObject({ kind: "failed", error: { code: "notFound" }, report: null });
    bench.open();
    expect(bench.submit("ps").answer.step.mark).toBe("done");
  });

  it("before: the line that the worker died in is marked and not done again", () => {
    const bench = new Bench();
    const { root } = bench.open();
    const { result, step } = bench.answer({ kind: "markFailed", handle: 1, line: "touch A w", sentence: "It broke." });
    expect(result).toMatchObject({ step: { mark: "bug", current: 1, made: 1, output: [{ stream: "error", text: "It broke.\n" }] } });
    expect(step).toMatchObject({ node: { node: 1, command: "touch A w", operationsDone: 0, stateHash: root.stateHash } });
    const idle = bench.answer({ kind: "markFailed", handle: 1, line: null, sentence: "It broke." });
    expect(idle).toMatchObject({ result: { step: { made: null, current: 1 } }, step: { node: 1 } });
  });

  it("a machine, a session and a lab that are not there are refused", () => {
    const bench = new Bench();
    expect(bench.ask({ kind: "open", handle: 1, plan: { ...plan, profile: "none" }, saved: null })).toMatchObject({ error: { code: "notFound" } });
    expect(bench.ask({ kind: "call", handle: 9, method: "submit", params: { line: "ps" } })).toMatchObject({ error: { code: "notFound" } });
    const lab = { packHash: "0".repeat(64), packId: "x", labId: "y" };
    expect(bench.ask({ kind: "open", handle: 1, plan: { ...plan, lab }, saved: null })).toMatchObject({ error: { code: "notFound" } });
    bench.open();
    expect(bench.ask({ kind: "call", handle: 1, method: "hint", params: { check: "x" } })).toMatchObject({ error: { code: "refused" } });
  });

  it("a pack that is none is named with its first problem, and one that is there twice is used once", () => {
    const bench = new Bench();
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const { result } = bench.answer({
      kind: "packs",
      fidelity,
      programs: [],
      packs: [
        { hash: "1".repeat(64), place: "/packs/a", files: [["pack.json", bytes("{")]] },
        { hash: "2".repeat(64), place: "/packs/b", files: [] },
      ],
    });
    expect(result).toMatchObject({ packs: [], bad: [{ place: "/packs/a" }, { place: "/packs/b" }] });
    for (const { sentence: why } of (result as { bad: { sentence: string }[] }).bad) expect(why).toMatch(/^\S.{10,}/);
  });
});
