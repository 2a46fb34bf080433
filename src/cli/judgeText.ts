import { conformMessagesEn } from "../conform/messages.en.ts";
import type { ConformKey } from "../conform/messages.en.ts";
import { renderer } from "../shell/renderMessage.ts";

const LONGEST_VALUE = 160;

/** A sentence of conform, fuzz-kernel and verify. */
export function tell(key: ConformKey, args: Readonly<Record<string, string | number>> = {}): string {
  return renderer(conformMessagesEn)({ key, args });
}

/** A recorded value in one short line, with nothing that could move a terminal's cursor. */
export function shortValue(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  const safe = text.replace(/[^\x20-\x7e]/g, "?");
  return safe.length > LONGEST_VALUE ? `${safe.slice(0, LONGEST_VALUE - 3)}...` : safe;
}

export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : error instanceof Error ? error.message : String(error);
}
