import { programExtension, type ProgramSource } from "../../conform/program/programTools.ts";
import { ReplayStopped } from "../../session/pacer.ts";
import type { SessionExtension } from "../../session/shellSession.ts";
import type { CallError } from "../api/labApi.ts";
import { CallRefusal } from "./callRefusal.ts";
import type { Engine, EnginePlace } from "./enginePort.ts";
import { EngineSession, type Answered } from "./engineSession.ts";
import { fidelityExtension } from "./fidelityTool.ts";
import { ProgramWork } from "./programWork.ts";
import { PackShelf } from "./packShelf.ts";
import type { FromEngine, ProgramText, ToEngine } from "./protocol.ts";
import { WorkWatch } from "./workWatch.ts";

/** characters of an exception's stack that a report keeps */
const REPORT_CHARACTERS = 16_384;

/** The engine: sessions by number, each call answered once and in order. It keeps no more than can be made again from what was saved. */
export function makeEngine(place: EnginePlace): Engine {
  return new SessionEngine(place);
}

class SessionEngine implements Engine {
  readonly #place: EnginePlace;
  readonly #watch: WorkWatch;
  readonly #shelf: PackShelf;
  readonly #sessions = new Map<number, EngineSession>();
  readonly #programs: ProgramWork;
  #extra: readonly SessionExtension[] = [];

  constructor(place: EnginePlace) {
    this.#place = place;
    this.#watch = new WorkWatch(
      place.flags,
      () => place.nowMs(),
      (handle, operationsDone) => {
        place.send({ kind: "progress", handle, operationsDone });
      },
    );
    this.#shelf = new PackShelf(place.render);
    this.#programs = new ProgramWork(place.render, this.#watch);
  }

  receive(message: ToEngine): void {
    const handle = "handle" in message ? message.handle : 0;
    this.#watch.begin(message.id, handle);
    let answer: FromEngine;
    try {
      const { result, step, report } = this.#answer(message);
      answer = { kind: "answer", id: message.id, result, step, report };
    } catch (error) {
      answer = { kind: "failed", id: message.id, ...this.#failure(error, handle) };
    }
    this.#watch.begin(0, 0);
    this.#place.send(answer);
  }

  #answer(message: ToEngine): Answered {
    switch (message.kind) {
      case "packs":
        this.#extra = [fidelityExtension(message.fidelity), programExtension(sourceOf(message.programs), this.#place.render)];
        return { result: this.#shelf.fill(message.packs), step: null, report: null };
      case "open": {
        const { handle, plan, saved } = message;
        const lab = plan.lab === null ? null : this.#shelf.lab(plan.lab);
        const { session, opened } = EngineSession.open(plan, lab, saved, { render: this.#place.render, watch: this.#watch, extra: this.#extra });
        this.#sessions.set(handle, session);
        return { result: opened, step: null, report: null };
      }
      case "view":
        return { result: this.#session(message.handle).view(), step: null, report: null };
      case "markFailed":
        return this.#session(message.handle).markFailed(message.line, message.sentence);
      case "call":
        return this.#session(message.handle).call(message.method, message.params);
      case "program":
        return { result: this.#programs.do(message.handle, message.task), step: null, report: null };
      case "close":
        this.#sessions.delete(message.handle);
        return { result: null, step: null, report: null };
    }
  }

  #session(handle: number): EngineSession {
    const session = this.#sessions.get(handle);
    if (session === undefined) throw new CallRefusal("notFound", "host.call.noSession");
    return session;
  }

  #failure(error: unknown, handle: number): { readonly error: CallError; readonly report: string | null } {
    const { render } = this.#place;
    if (error instanceof CallRefusal) return { error: { code: error.code, sentence: render(error.said) }, report: null };
    if (error instanceof ReplayStopped) return { error: { code: "refused", sentence: render({ key: "host.call.stopped", args: {} }) }, report: null };
    // what broke in the middle is not trusted any more; the service opens the session again from what was saved
    this.#sessions.delete(handle);
    const what = error instanceof Error ? error.message.split("\n")[0].slice(0, 200) : String(error);
    return { error: { code: "engine", sentence: render({ key: "host.engine.failed", args: { what } }) }, report: stackOf(error) };
  }
}

function sourceOf(programs: readonly ProgramText[]): ProgramSource {
  const texts = new Map(programs.map(({ id, text }) => [id, text]));
  return { names: [...texts.keys()], text: (name) => texts.get(name) ?? null };
}

function stackOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.slice(0, REPORT_CHARACTERS);
}
