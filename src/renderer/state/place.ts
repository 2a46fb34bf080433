/** Where this tab is, so that a reload comes back to it. Of this tab only; what must not be lost is the host's. */

const KEPT_AS = "hugelab.place";

export interface Place {
  readonly learner: number;
  readonly session: number | null;
}

export function keptPlace(): Place | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(KEPT_AS) ?? "null");
    if (typeof kept !== "object" || kept === null || !("learner" in kept) || typeof kept.learner !== "number") return null;
    return { learner: kept.learner, session: "session" in kept && typeof kept.session === "number" ? kept.session : null };
  } catch {
    return null;
  }
}

export function keepPlace(learner: number, session: number | null): void {
  try {
    sessionStorage.setItem(KEPT_AS, JSON.stringify({ learner, session }));
  } catch {
    // storage may be forbidden: a reload then asks who is there
  }
}

const DRAFT_KEPT_AS = "hugelab.draft";

/** The line that is being typed in a session: a reload, or another address after the host was started again, must not lose it. */
export function keepDraft(session: number, text: string): void {
  try {
    sessionStorage.setItem(DRAFT_KEPT_AS, JSON.stringify({ session, text }));
  } catch {
    // storage may be forbidden: then the line is gone with the page
  }
}

/** The line that was being typed in this session when its page went; empty when there was none. It is given once. */
export function takeDraft(session: number): string {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(DRAFT_KEPT_AS) ?? "null");
    sessionStorage.removeItem(DRAFT_KEPT_AS);
    if (typeof kept !== "object" || kept === null || !("session" in kept) || kept.session !== session) return "";
    return "text" in kept && typeof kept.text === "string" ? kept.text : "";
  } catch {
    return "";
  }
}

export function forgetPlace(): void {
  try {
    sessionStorage.removeItem(KEPT_AS);
  } catch {
    // nothing was kept
  }
}
