import type { Message } from "../../kernel/message.ts";
import type { CallError } from "../api/labApi.ts";

/** A call that cannot be answered, with one sentence that says why; nothing has changed. */
export class CallRefusal extends Error {
  override readonly name = "CallRefusal";
  readonly code: CallError["code"];
  readonly said: Message;

  constructor(code: CallError["code"], key: string, args: Message["args"] = {}) {
    super(`${code}: ${key} ${JSON.stringify(args)}`);
    this.code = code;
    this.said = { key, args };
  }
}
