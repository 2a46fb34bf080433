/** Recorded programs: what there is, what is imported, and the replay or sweep that runs. One at a time: it works in the engine's thread, between what learners type. */
import { join } from "node:path";
import { say } from "../../i18n/format.ts";
import type { EventName, Events, ImportView, Methods, ProgramInfo, ProgramView, SweepView } from "../api/labApi.ts";
import type { DescribedProgram, ProgramResults, ProgramTask, ProgramText } from "../engine/protocol.ts";
import { TASK_HANDLES } from "../engine/protocol.ts";
import { CallFailure } from "./callFailure.ts";
import type { EngineThread } from "./engineThread.ts";
import { IMPORTED_MAX, IMPORTED_PREFIX, readPrograms, removeProgram, writeProgram } from "./programFiles.ts";
import type { Supervisor } from "./supervisor.ts";

/** uploads that are under way at once; of more, the oldest is forgotten */
const UPLOADS_MAX = 4;
const UPLOAD_CHARACTERS_MAX = 64 << 20;

export interface ProgramDeskOptions {
  readonly supervisor: Supervisor;
  /** recordings that came with Hugelab */
  readonly shipped: readonly ProgramText[];
  /** null: imported ones are kept for this start only */
  readonly dataFolder: string | null;
  readonly emit: <E extends EventName>(name: E, payload: Events[E]) => void;
}

interface Upload {
  readonly parts: string[];
  characters: number;
}

interface Work {
  readonly handle: number;
  thread: EngineThread | null;
  stopped: boolean;
  /** events of the replay; 0: a sweep, which counts its replays itself */
  readonly events: number;
}

export class ProgramDesk {
  readonly #o: ProgramDeskOptions;
  readonly #folder: string | null;
  readonly #imported: Map<string, ProgramText>;
  readonly #uploads = new Map<string, Upload>();
  #described: Map<string, DescribedProgram> | null = null;
  #work: Work | null = null;
  #lastHandle = TASK_HANDLES;

  constructor(options: ProgramDeskOptions) {
    this.#o = options;
    this.#folder = options.dataFolder === null ? null : join(options.dataFolder, "programs");
    const kept = this.#folder === null ? [] : readPrograms(this.#folder);
    this.#imported = new Map(kept.filter(({ id }) => id.startsWith(IMPORTED_PREFIX)).map((program) => [program.id, program]));
  }

  async list(): Promise<readonly ProgramInfo[]> {
    if (this.#described === null) {
      const programs = [...this.#o.shipped, ...this.#imported.values()];
      const described = await this.#ask(++this.#lastHandle, { kind: "describe", programs });
      this.#described = new Map(described.map((program) => [program.id, program]));
    }
    return [...this.#described.values()].map((program) => ({ ...program, source: this.#imported.has(program.id) ? "imported" : "shipped" }));
  }

  /** One part of a text; the last one is answered with what it was. */
  async importPart({ upload, name, text, part, isLast }: Methods["importPart"]["params"]): Promise<ImportView | null> {
    const known = this.#uploads.get(upload) ?? { parts: [], characters: 0 };
    if (part !== known.parts.length) {
      this.#uploads.delete(upload);
      throw new CallFailure("refused", say("host.program.lostPart"));
    }
    known.parts.push(text);
    known.characters += text.length;
    this.#uploads.set(upload, known);
    for (const old of [...this.#uploads.keys()].slice(0, Math.max(0, this.#uploads.size - UPLOADS_MAX))) this.#uploads.delete(old);
    if (known.characters > UPLOAD_CHARACTERS_MAX) {
      this.#uploads.delete(upload);
      throw new CallFailure("refused", say("host.program.tooLarge", { most: UPLOAD_CHARACTERS_MAX >> 20 }));
    }
    if (!isLast) return null;
    this.#uploads.delete(upload);
    const found = await this.#ask(++this.#lastHandle, { kind: "import", name, text: known.parts.join("") });
    return found.kind === "script" ? found : this.#keep(found);
  }

  async forget(id: string): Promise<readonly ProgramInfo[]> {
    if (!this.#imported.delete(id)) throw new CallFailure("notFound", say("host.program.none"));
    if (this.#folder !== null) removeProgram(this.#folder, id);
    this.#described?.delete(id);
    return this.list();
  }

  async replay({ program, profile, settings }: Methods["replayProgram"]["params"]): Promise<ProgramView> {
    const text = this.#text(program);
    const info = (await this.list()).find(({ id }) => id === program);
    return this.#working(info?.faults ?? 0, async (work) => {
      const view = await this.#ask(work.handle, { kind: "replay", text, profile, settings }, work);
      if (view === null) throw new CallFailure("refused", say("host.program.stopped"));
      return view;
    });
  }

  async sweep({ program, profile, settings }: Methods["sweepProgram"]["params"]): Promise<SweepView> {
    const text = this.#text(program);
    return this.#working(0, async (work) => {
      const begun = await this.#ask(work.handle, { kind: "sweepBegin", text, profile, settings }, work);
      if (begun === null) throw new CallFailure("refused", say("host.program.stopped"));
      const total = begun.jobs + 1;
      this.#o.emit("work", { done: 1, total });
      for (let job = 0; job < begun.jobs && !work.stopped; job++) {
        if (!(await this.#ask(work.handle, { kind: "sweepRun", job }, work))) break;
        this.#o.emit("work", { done: job + 2, total });
      }
      return this.#ask(work.handle, { kind: "sweepEnd" });
    });
  }

  /** Stops what runs, without waiting for the engine. */
  stop(): void {
    const work = this.#work;
    if (work === null) return;
    work.stopped = true;
    work.thread?.cancel(work.handle);
  }

  /** The engine says how far the replay of a handle has come, in events. */
  progress(handle: number, done: number): void {
    const work = this.#work;
    if (work?.handle === handle && work.events > 0) this.#o.emit("work", { done: Math.min(done, work.events), total: work.events });
  }

  // ---

  #text(id: string): string {
    const found = this.#imported.get(id) ?? this.#o.shipped.find((program) => program.id === id);
    if (found === undefined) throw new CallFailure("notFound", say("host.program.none"));
    return found.text;
  }

  async #working<T>(events: number, run: (work: Work) => Promise<T>): Promise<T> {
    if (this.#work !== null) throw new CallFailure("busy", say("host.program.busy"));
    const work: Work = { handle: ++this.#lastHandle, thread: null, stopped: false, events };
    this.#work = work;
    try {
      return await run(work);
    } finally {
      this.#work = null;
    }
  }

  /** @throws CallFailure with the engine's sentence, or that it died of it */
  async #ask<K extends ProgramTask["kind"]>(handle: number, task: Extract<ProgramTask, { kind: K }>, work?: Work): Promise<ProgramResults[K]> {
    const thread = await this.#o.supervisor.living();
    if (work !== undefined) work.thread = thread;
    if (work?.stopped === true && task.kind !== "sweepEnd") throw new CallFailure("refused", say("host.program.stopped"));
    const reply = await thread.ask({ kind: "program", handle, task });
    if (reply.kind === "answer") {
      this.#o.supervisor.succeeded();
      return reply.result as ProgramResults[K];
    }
    if (reply.kind === "failed") throw new CallFailure(reply.error.code, reply.error.sentence);
    throw new CallFailure("engine", say(reply.why === "closed" ? "host.call.closed" : "host.program.died"));
  }

  #keep({ program, text }: Extract<ProgramResults["import"], { kind: "program" }>): ImportView {
    if (this.#imported.size >= IMPORTED_MAX) throw new CallFailure("refused", say("host.program.tooMany", { most: IMPORTED_MAX }));
    let number = 1;
    while (this.#imported.has(`${IMPORTED_PREFIX}${number}`)) number++;
    const id = `${IMPORTED_PREFIX}${number}`;
    this.#imported.set(id, { id, text });
    this.#described?.set(id, { id, ...program });
    const isKept = this.#folder !== null && writeProgram(this.#folder, { id, text });
    return { kind: "program", program: { id, ...program, source: "imported" }, kept: isKept ? null : say("host.program.notKept") };
  }
}
