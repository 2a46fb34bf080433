/** The plot of RSS over events: numbers to paths of an SVG. */
import type { ProgramView } from "../../host/api/labApi.ts";

export type Point = ProgramView["points"][number];

/** units of the drawing, not pixels: it is stretched */
export const PLOT = { width: 720, height: 220 } as const;

export interface Scale {
  readonly events: number;
  /** a round number above the most that was mapped */
  readonly bytes: number;
  /** values of the lines that stand behind */
  readonly ticks: readonly number[];
}

const MIB = 1 << 20;
const STEPS: readonly number[] = [1, 2, 5];

/** Round numbers of MiB, at most five of them. */
export function scaleOf(points: readonly Point[], events: number): Scale {
  const most = points.reduce((high, p) => Math.max(high, p.anonBytes + p.fileBytes, p.recordedAnonBytes + p.recordedFileBytes), MIB);
  let step = MIB;
  for (let power = 1; step * 5 < most; power *= 10) {
    for (const each of STEPS) {
      step = each * power * MIB;
      if (step * 5 >= most) break;
    }
  }
  const count = Math.ceil(most / step);
  return { events: Math.max(1, events), bytes: count * step, ticks: Array.from({ length: count + 1 }, (_, i) => i * step) };
}

const round = (n: number): number => Math.round(n * 10) / 10;
export const xOf = (scale: Scale, event: number): number => round((event / scale.events) * PLOT.width);
export const yOf = (scale: Scale, bytes: number): number => round(PLOT.height - (bytes / scale.bytes) * PLOT.height);

/** A line in steps: a value stays until the next event. */
export function stepPath(points: readonly Point[], scale: Scale, of: (p: Point) => number): string {
  return points.map((p, at) => (at === 0 ? `M${xOf(scale, p.event)} ${yOf(scale, of(p))}` : `H${xOf(scale, p.event)}V${yOf(scale, of(p))}`)).join("");
}

/** What lies between a line and the bottom. */
export function areaPath(points: readonly Point[], scale: Scale, of: (p: Point) => number): string {
  return points.length === 0 ? "" : `${stepPath(points, scale, of)}V${PLOT.height}H${xOf(scale, points[0].event)}Z`;
}

/** The point that is nearest to an event. */
export function pointAt(points: readonly Point[], event: number): number {
  let best = 0;
  for (const [at, p] of points.entries()) if (Math.abs(p.event - event) < Math.abs(points[best].event - event)) best = at;
  return best;
}
