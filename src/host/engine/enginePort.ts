import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { FromEngine, ToEngine } from "./protocol.ts";

/** All that the engine has of the world outside: host/service gives it, tests give their own. */
export interface EnginePlace {
  send(message: FromEngine): void;
  /** `FLAG_COUNT` numbers that both threads see */
  readonly flags: Int32Array;
  /** milliseconds of a clock that only goes forward; for progress reports, never for what is simulated */
  nowMs(): number;
  readonly render: RenderMessage;
}

export interface Engine {
  /** Answers one message. Never throws. */
  receive(message: ToEngine): void;
}
