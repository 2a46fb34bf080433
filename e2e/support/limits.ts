/**
 * Playwright gives up a locator's call after `actionTimeout` and says which one it was, but waits for a key, the mouse and `evaluate` until the
 * whole test is over, and then names nothing. Here these have a limit, too, and say what the page did not answer.
 */
import type { Page } from "@playwright/test";

/** for one call: a busy machine needs a tenth of it */
export const CALL_LIMIT_MS = 20_000;

type Call = (...args: never[]) => Promise<unknown>;

/** `call`, which rejects when it has not ended in time. */
function limited(name: string, call: Call, limitMs: number): Call {
  return async (...args) => {
    const first: unknown = args[0];
    const what = typeof first === "string" || typeof first === "number" ? JSON.stringify(first).slice(0, 60) : "";
    // made here, so that it shows the line of the test
    const error = new Error(`${name}(${what}) had no answer in ${limitMs} ms: the page's main thread is busy, or the page is gone`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, limitMs, error);
    });
    try {
      return await Promise.race([call(...args), late]);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Gives the calls of a page that have none a limit. */
export function nameWhatHangs(page: Page, limitMs = CALL_LIMIT_MS): void {
  const limit = <T extends object>(owner: T, of: string, names: readonly (string & keyof T)[]): void => {
    for (const name of names) Object.assign(owner, { [name]: limited(`${of}.${name}`, (owner[name] as Call).bind(owner), limitMs) });
  };
  limit(page, "page", ["evaluate"]);
  limit(page.keyboard, "page.keyboard", ["press", "type", "down", "up", "insertText"]);
  limit(page.mouse, "page.mouse", ["move", "down", "up", "click", "wheel"]);
}
