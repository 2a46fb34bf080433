/** Where the window was, kept in a small file beside the database. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Rectangle } from "electron";
import { z } from "zod";

/** pixels, in the units of Electron's screen module */
export const SMALLEST = { width: 800, height: 500 };
const USUAL = { width: 1440, height: 900 };
/** more than any screen; keeps sums exact */
const FAR = 1 << 20;
/** of the window that must lie on a screen, so that it can be grasped: pixels */
const GRASP = 100;

const whole = z.number().int().min(-FAR).max(FAR);
const schema = z.object({ x: whole, y: whole, width: whole.min(1), height: whole.min(1), maximized: z.boolean() });

/** Place, size and whether it filled the screen; without a place the window system chooses one. */
export interface WindowBounds {
  readonly x?: number;
  readonly y?: number;
  readonly width: number;
  readonly height: number;
  readonly maximized: boolean;
}

/** Length that two stretches share. */
const overlap = (a: number, aLength: number, b: number, bLength: number): number => Math.min(a + aLength, b + bLength) - Math.max(a, b);

/** The saved bounds as they fit the screens there are now; the usual size when nothing usable is saved. Never throws. */
export function boundsFrom(text: string | null, screens: readonly Rectangle[]): WindowBounds {
  const saved = parse(text);
  if (saved === null) return { ...USUAL, maximized: false };
  const { maximized } = saved;
  const home = screens.find((s) => overlap(saved.x, saved.width, s.x, s.width) >= GRASP && overlap(saved.y, saved.height, s.y, s.height) >= GRASP);
  const limit = home ?? screens.at(0) ?? { ...USUAL, x: 0, y: 0 };
  const width = Math.max(SMALLEST.width, Math.min(saved.width, limit.width));
  const height = Math.max(SMALLEST.height, Math.min(saved.height, limit.height));
  // the title bar is at the top: above the screen nobody could take hold of it
  return home === undefined ? { width, height, maximized } : { x: saved.x, y: Math.max(saved.y, home.y), width, height, maximized };
}

function parse(text: string | null): z.infer<typeof schema> | null {
  if (text === null) return null;
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** The text of the file, or null where there is none. */
export function readBoundsFile(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

/** Saves; a window that cannot be remembered is no reason to bother anybody. */
export function saveBounds(path: string, bounds: Rectangle, maximized: boolean): void {
  try {
    const { x, y, width, height } = bounds;
    // a rename is whole or not at all
    writeFileSync(`${path}.new`, JSON.stringify({ x, y, width, height, maximized }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // next time it opens where it opened this time
  }
}
