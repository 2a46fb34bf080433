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

export function forgetPlace(): void {
  try {
    sessionStorage.removeItem(KEPT_AS);
  } catch {
    // nothing was kept
  }
}
