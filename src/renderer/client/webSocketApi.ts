/** `LabApi` over the WebSocket of the browser host. Calls never reject: what fails is a value with one sentence. */
import { FRAME_BYTES_MAX, WEB_PROTOCOL, type ServerFrame } from "../../host/api/frames.ts";
import type { CallError, EventName, Events, LabApi, Method, Reply } from "../../host/api/labApi.ts";
import { isEvent } from "../../host/api/names.ts";
import { say } from "../../i18n/format.ts";

/** The part of a WebSocket that is used. */
export interface Socket {
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((message: { readonly data: unknown }) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Carrier {
  open(protocols: readonly string[]): Socket;
  /** does a host answer at this address, whatever it thinks of the token? Never rejects. */
  isThere(): Promise<boolean>;
  /** calls back after some time; returns how to call it off */
  later(run: () => void, delayMs: number): () => void;
}

/** waits between attempts to reach the host again, in milliseconds; the last one is repeated */
const RETRY_MS = [100, 250, 500, 1000, 2000] as const;

type Listener = (payload: never) => void;
type Answered = (reply: Reply<Method>) => void;

const failed = (code: CallError["code"], sentence: string): Reply<never> => ({ ok: false, error: { code, sentence } });

function parseFrame(data: unknown): ServerFrame | null {
  if (typeof data !== "string") return null;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === "object" && frame !== null && "t" in frame ? (frame as ServerFrame) : null;
  } catch {
    return null;
  }
}

export class WebSocketApi implements LabApi {
  readonly host = "browser";
  readonly #carrier: Carrier;
  readonly #token: string | null;
  readonly #listeners = new Map<EventName, Set<Listener>>();
  readonly #waiting = new Map<number, { readonly text: string; readonly answered: Answered; sent: boolean }>();
  #socket: Socket | null = null;
  #state: "connecting" | "open" | "lost" = "connecting";
  #attempts = 0;
  #lastId = 0;
  #stopRetry: (() => void) | null = null;

  constructor(carrier: Carrier, token: string | null) {
    this.#carrier = carrier;
    this.#token = token;
    if (token === null) this.#state = "lost";
    else this.#connect(token);
  }

  invoke<M extends Method>(method: M, params: unknown): Promise<Reply<M>> {
    if (this.#token === null) return Promise.resolve(failed("gone", say("renderer.client.noToken")));
    if (this.#state === "lost") return Promise.resolve(failed("gone", say("renderer.client.gone")));
    const id = ++this.#lastId;
    const text = JSON.stringify({ t: "call", id, method, params });
    // a character of JSON text is at most three bytes in UTF-8: exact only where it matters
    if (text.length * 3 > FRAME_BYTES_MAX && new TextEncoder().encode(text).length > FRAME_BYTES_MAX) {
      return Promise.resolve(failed("badCall", say("renderer.client.tooLong")));
    }
    return new Promise((resolve) => {
      const call = { text, answered: resolve as Answered, sent: false };
      this.#waiting.set(id, call);
      if (this.#state === "open") this.#send(call);
    });
  }

  on<E extends EventName>(event: E, listener: (payload: Events[E]) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Tries at once, for a learner who does not want to wait for the next attempt. */
  reconnectNow(): void {
    if (this.#token === null || this.#state !== "lost") return;
    this.#stopRetry?.();
    this.#connect(this.#token);
  }

  #send(call: { readonly text: string; sent: boolean }): void {
    call.sent = true;
    this.#socket?.send(call.text);
  }

  #connect(token: string): void {
    this.#stopRetry = null;
    const socket = this.#carrier.open([WEB_PROTOCOL, `token.${token}`]);
    this.#socket = socket;
    socket.onopen = () => {
      const back = this.#state === "lost";
      this.#state = "open";
      this.#attempts = 0;
      for (const call of this.#waiting.values()) if (!call.sent) this.#send(call);
      if (back) this.#tell("disconnected", { sentence: null });
    };
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#receive(data);
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#lost(token);
    };
  }

  #lost(token: string): void {
    const wasOpen = this.#state === "open";
    const first = this.#state === "connecting";
    this.#state = "lost";
    const sentence = say(first ? "renderer.client.refused" : "renderer.client.gone");
    for (const { answered } of this.#waiting.values()) answered(failed("gone", sentence));
    this.#waiting.clear();
    if (wasOpen) this.#tell("disconnected", { sentence });
    else if (!first) void this.#lookWhy();
    const delayMs = RETRY_MS[Math.min(this.#attempts, RETRY_MS.length - 1)];
    this.#attempts++;
    this.#stopRetry = this.#carrier.later(() => {
      this.#connect(token);
    }, delayMs);
  }

  /** A host that is there and takes no connection has another token: waiting does not help. */
  async #lookWhy(): Promise<void> {
    const isThere = await this.#carrier.isThere();
    if (isThere && this.#state === "lost") this.#tell("disconnected", { sentence: say("renderer.client.refused") });
  }

  #receive(data: unknown): void {
    const frame = parseFrame(data);
    if (frame === null) return;
    if (frame.t === "event") {
      if (isEvent(frame.name)) this.#tell(frame.name, frame.payload as never);
      return;
    }
    const call = this.#waiting.get(frame.id);
    if (call === undefined) return;
    this.#waiting.delete(frame.id);
    call.answered(frame.t === "ok" ? { ok: true, result: frame.result as never } : { ok: false, error: frame.error });
  }

  #tell<E extends EventName>(event: E, payload: Events[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) (listener as (payload: Events[E]) => void)(payload);
  }
}
