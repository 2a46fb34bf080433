import type { CallError } from "../api/labApi.ts";

/** A call that is answered with an error: one sentence for the learner. */
export class CallFailure extends Error {
  override readonly name = "CallFailure";
  readonly error: CallError;

  constructor(code: CallError["code"], sentence: string) {
    super(`${code}: ${sentence}`);
    this.error = { code, sentence };
  }
}
