/** What goes over the WebSocket of the browser host: JSON texts. */
import type { CallError, EventName, Method } from "./labApi.ts";

/** subprotocol of the carrier; the token of the launch stands beside it as `token.<t>` */
export const WEB_PROTOCOL = "hugelab.v1";
/** bytes of one frame; a longer one closes the connection */
export const FRAME_BYTES_MAX = 1 << 20;
/** characters of one line that is submitted */
export const LINE_CHARACTERS_MAX = 1 << 16;

export interface CallFrame {
  readonly t: "call";
  readonly id: number;
  readonly method: Method;
  readonly params: unknown;
}

export type ServerFrame =
  | { readonly t: "ok"; readonly id: number; readonly result: unknown }
  | { readonly t: "error"; readonly id: number; readonly error: CallError }
  | { readonly t: "event"; readonly name: EventName; readonly payload: unknown };
