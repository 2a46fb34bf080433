import { say } from "../../i18n/format.ts";
import type { FidelityView } from "../api/labApi.ts";
import type { ShelfContent } from "../engine/packShelf.ts";
import type { PackSource, ProgramText } from "../engine/protocol.ts";
import { EngineThread, type ThreadOptions } from "./engineThread.ts";
import { CallFailure } from "./callFailure.ts";

/** deaths in a row, without an answer in between, after which no further thread is started */
export const DEATHS_MAX = 5;

export interface SupervisorOptions extends ThreadOptions {
  /** for the tool of that name */
  readonly fidelity: FidelityView;
  /** recordings that came with Hugelab, for the tools `program` and `sweep` */
  readonly programs: readonly ProgramText[];
}

/** Keeps one living engine: when it dies the next call gets a new one. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #packs: readonly PackSource[] = [];
  #thread: EngineThread | null = null;
  #ready: Promise<ShelfContent> | null = null;
  #deaths = 0;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Starts an engine with these packs. @throws CallFailure when it cannot be started */
  async start(packs: readonly PackSource[]): Promise<ShelfContent> {
    this.#packs = packs;
    await this.living();
    return this.#ready ?? { packs: [], bad: [] };
  }

  /** A thread that has its packs. @throws CallFailure when it died too often, or cannot be started */
  async living(): Promise<EngineThread> {
    if (this.#closed) throw new CallFailure("gone", say("host.call.closed"));
    if (this.#thread?.dead === true) {
      this.#thread = null;
      this.#ready = null;
      this.#deaths++;
    }
    if (this.#thread === null) {
      if (this.#deaths >= DEATHS_MAX) throw new CallFailure("engine", say("host.engine.again", { count: this.#deaths }));
      this.#thread = new EngineThread(this.#options);
      this.#ready = this.#giveThePacks(this.#thread);
    }
    const thread = this.#thread;
    await this.#ready;
    return thread;
  }

  /** An answer came: the engine is sound. */
  succeeded(): void {
    this.#deaths = 0;
  }

  /** Calls that wait for an answer. */
  get waiting(): number {
    return this.#thread?.waiting ?? 0;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.close();
  }

  async #giveThePacks(thread: EngineThread): Promise<ShelfContent> {
    const reply = await thread.ask({ kind: "packs", packs: this.#packs, fidelity: this.#options.fidelity, programs: this.#options.programs });
    if (reply.kind === "answer") return reply.result as ShelfContent;
    const what = reply.kind === "failed" ? reply.error.sentence : reply.why.split("\n")[0];
    throw new CallFailure("engine", say("host.engine.notStarted", { what }));
  }
}
