import { Worker } from "node:worker_threads";
import { FLAG, FLAG_COUNT, type FromEngine, type ToEngine } from "../engine/protocol.ts";

/** A message to the engine before it has its number. */
export type Request = ToEngine extends infer Message ? (Message extends { readonly id: number } ? Omit<Message, "id"> : never) : never;

/** `died`: the thread ended before it answered; `wasRunning`: this was the call that it was working on. */
export type ThreadReply =
  Extract<FromEngine, { readonly kind: "answer" | "failed" }> | { readonly kind: "died"; readonly wasRunning: boolean; readonly why: string };

export interface ThreadOptions {
  readonly engineUrl: URL;
  readonly onProgress: (handle: number, operationsDone: number) => void;
  /** more than this at a look, and the engine is ended */
  readonly heapMiB: number;
  /** a working engine that counts no heartbeat for so many looks, `lookMs` apart, is dead; looks, not time, so that a machine that slept kills nothing */
  readonly silentLooks: number;
  /** the same for one that has answered nothing yet, since it is loaded and gets its packs: a busy machine may take its time for it */
  readonly startingLooks: number;
  readonly lookMs: number;
}

const MIB = 1 << 20;
/** the limit that V8 is given, for what grows too fast to be noticed before */
const HARD_HEAP_FACTOR = 2;

interface Pending {
  readonly handle: number;
  readonly resolve: (reply: ThreadReply) => void;
}

/** One worker thread with an engine in it, from its start to its end. It works on one call after the other. */
export class EngineThread {
  readonly #worker: Worker;
  readonly #options: ThreadOptions;
  readonly #flags: Int32Array;
  readonly #pending = new Map<number, Pending>();
  /** calls that are to stop */
  readonly #unwanted = new Set<number>();
  #lastId = 0;
  #why = "";
  #watch: NodeJS.Timeout | null = null;
  #heartbeat = 0;
  #silent = 0;
  #answered = false;
  #dead = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
    const flags = new SharedArrayBuffer(FLAG_COUNT * 4);
    this.#flags = new Int32Array(flags);
    this.#worker = new Worker(options.engineUrl, {
      name: "hugelab engine",
      workerData: { flags },
      resourceLimits: { maxOldGenerationSizeMb: options.heapMiB * HARD_HEAP_FACTOR },
    });
    this.#worker.on("message", (message: FromEngine) => {
      this.#receive(message);
    });
    this.#worker.on("error", (error: Error) => {
      this.#why = "code" in error ? `${String(error.code)}: ${error.message}` : (error.stack ?? error.message);
    });
    this.#worker.on("messageerror", (error) => {
      this.#why = `messageerror: ${error.message}`;
      void this.#worker.terminate();
    });
    this.#worker.on("exit", (code) => {
      this.#end(this.#why === "" ? `exit ${code}` : this.#why);
    });
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Never rejects. Calls are answered in the order in which they were asked. */
  ask(request: Request): Promise<ThreadReply> {
    if (this.#dead) return Promise.resolve({ kind: "died", wasRunning: false, why: this.#why });
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#pending.set(id, { handle: "handle" in request ? request.handle : 0, resolve });
      this.#startWatching();
      this.#worker.postMessage({ ...request, id });
    });
  }

  /** Calls that wait for an answer. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** Stops what runs for a session, without waiting for the engine. What does not look up from its work goes on. */
  cancel(handle: number): void {
    for (const [id, call] of this.#pending) if (call.handle === handle) this.#unwanted.add(id);
    this.#publishCancel();
  }

  async close(): Promise<void> {
    this.#why = "closed";
    await this.#worker.terminate();
  }

  /** The engine looks for one number, that of the call it works on; it works in order, so the lowest comes first. */
  #publishCancel(): void {
    const next = this.#unwanted.size === 0 ? 0 : Math.min(...this.#unwanted);
    Atomics.store(this.#flags, FLAG.cancel, next);
  }

  #receive(message: FromEngine): void {
    if (message.kind === "progress") {
      this.#options.onProgress(message.handle, message.operationsDone);
      return;
    }
    this.#answered = true;
    const call = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (this.#unwanted.delete(message.id)) this.#publishCancel();
    if (this.#pending.size === 0) this.#stopWatching();
    call?.resolve(message);
  }

  #startWatching(): void {
    if (this.#watch !== null) return;
    this.#silent = 0;
    this.#heartbeat = Atomics.load(this.#flags, FLAG.heartbeat);
    this.#watch = setInterval(() => {
      this.#look();
    }, this.#options.lookMs);
    this.#watch.unref();
  }

  #stopWatching(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
  }

  #look(): void {
    const heartbeat = Atomics.load(this.#flags, FLAG.heartbeat);
    this.#silent = heartbeat === this.#heartbeat ? this.#silent + 1 : 0;
    this.#heartbeat = heartbeat;
    const { silentLooks, startingLooks, lookMs } = this.#options;
    if (this.#silent >= (this.#answered ? silentLooks : startingLooks)) this.#kill(`silent for ${this.#silent} looks, ${lookMs} ms apart`);
    else void this.#lookAtHeap();
  }

  /**
   * V8 cannot always end a thread at its own limit: it may end the whole process (seen with Node 24.21). So growth is noticed well before.
   * What the simulator holds in typed arrays is not in this heap.
   */
  async #lookAtHeap(): Promise<void> {
    try {
      const { used_heap_size: bytes } = await this.#worker.getHeapStatistics();
      if (bytes > this.#options.heapMiB * MIB) this.#kill(`${Math.round(bytes / MIB)} MiB of heap`);
    } catch {
      // the thread is just ending
    }
  }

  #kill(why: string): void {
    if (this.#dead || this.#why !== "") return;
    this.#stopWatching();
    this.#why = why;
    void this.#worker.terminate();
  }

  #end(why: string): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#why = why;
    this.#stopWatching();
    let first = true;
    for (const { resolve } of this.#pending.values()) {
      resolve({ kind: "died", wasRunning: first, why });
      first = false;
    }
    this.#pending.clear();
  }
}
