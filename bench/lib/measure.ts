/**
 * Measuring for bench/: cases of one process run in turns, so that a slow moment of the machine falls on all of them, and what
 * is told of each is the median. A calibration loop that touches no memory runs among them: its spread is the machine's own noise.
 */

/** Something to time. `run` returns what keeps its work from being optimised away. */
export interface Case {
  readonly name: string;
  /** pieces of work in one run: times are told for one piece */
  readonly pieces: number;
  /** not timed, before each run */
  readonly prepare?: () => void;
  readonly run: () => number;
}

export interface Timing {
  readonly name: string;
  /** nanoseconds for one piece, one number a round, in order of rounds */
  readonly samplesNs: readonly number[];
}

/** A line of the table. Ratio bars fail the run, since they hold on any machine; bars in time or bytes are for the machine they name. */
export interface Row {
  readonly name: string;
  readonly measured: string;
  readonly range: string;
  readonly bar: string;
  readonly verdict: "ok" | "over" | "-";
  readonly failing: boolean;
}

/** The value that `share` of the samples do not exceed (nearest rank). */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

const CALIBRATION_STEPS = 2_000_000;

/** Integer arithmetic in registers: takes the same number of cycles whenever nobody else uses the core. */
function calibrationLoop(): number {
  let x = 1;
  for (let i = 0; i < CALIBRATION_STEPS; i++) x = Math.imul(x ^ i, 0x01000193) ^ (x >>> 15);
  return x;
}

const calibration: Case = { name: "calibration", pieces: CALIBRATION_STEPS, run: calibrationLoop };

export interface Measured {
  readonly timings: readonly Timing[];
  /** spread of the calibration loop: 90th over 10th percentile, 1 on an idle machine */
  readonly noise: number;
}

/** Runs every case once a round, first `warmUp` rounds that do not count. The order turns by one each round. */
export function interleave(cases: readonly Case[], rounds: number, warmUp: number): Measured {
  const all = [...cases, calibration];
  const samples = all.map((): number[] => []);
  let sink = 0;
  for (let round = -warmUp; round < rounds; round++) {
    for (let n = 0; n < all.length; n++) {
      const at = (n + round + warmUp) % all.length;
      const one = all[at];
      one.prepare?.();
      const start = process.hrtime.bigint();
      sink ^= one.run();
      const ns = Number(process.hrtime.bigint() - start);
      if (round >= 0) samples[at].push(ns / one.pieces);
    }
  }
  if (sink === 0.5) throw new Error("unreachable: integers only");
  const noise = quantile(samples[cases.length], 0.9) / quantile(samples[cases.length], 0.1);
  return { timings: cases.map((c, i) => ({ name: c.name, samplesNs: samples[i] })), noise };
}

/** Three significant digits, whole numbers from 100 on. */
const digits = (n: number): string => (Math.abs(n) >= 100 ? n.toFixed(0) : n.toPrecision(3));

/** Nanoseconds in the unit a person would choose. */
export const timeText = (ns: number): string => (ns < 1e3 ? `${digits(ns)} ns` : ns < 1e6 ? `${digits(ns / 1e3)} us` : `${digits(ns / 1e6)} ms`);

const rangeText = (samples: readonly number[], text: (n: number) => string): string => `${text(quantile(samples, 0.1))} .. ${text(quantile(samples, 0.9))}`;

/** A bar on the time of one piece. Without a bar the row is for information. */
export function timeRow(timing: Timing, barNs?: number): Row {
  const value = median(timing.samplesNs);
  return {
    name: timing.name,
    measured: timeText(value),
    range: rangeText(timing.samplesNs, timeText),
    bar: barNs === undefined ? "-" : `< ${timeText(barNs)}`,
    verdict: barNs === undefined ? "-" : value < barNs ? "ok" : "over",
    failing: false,
  };
}

/** A bar on a ratio: median of the ratios of each round, both sides measured in it. */
export function ratioRow(name: string, timing: Timing, floor: Timing, bar: number): Row {
  const ratios = timing.samplesNs.map((ns, round) => ns / floor.samplesNs[round]);
  const value = median(ratios);
  const text = (n: number): string => n.toFixed(1);
  const ok = value <= bar;
  return { name, measured: text(value), range: rangeText(ratios, text), bar: `<= ${bar}`, verdict: ok ? "ok" : "over", failing: !ok };
}

/** A ratio for information. */
export const noteRatio = (name: string, timing: Timing, floor: Timing): Row => ({ ...ratioRow(name, timing, floor, Infinity), bar: "-", verdict: "-" });

/** A bar on an amount that does not vary from run to run. */
export function amountRow(name: string, value: number, bar: number, unit: string): Row {
  return { name, measured: `${digits(value)} ${unit}`, range: "", bar: `<= ${bar} ${unit}`, verdict: value <= bar ? "ok" : "over", failing: false };
}

export const noteRow = (name: string, measured: string): Row => ({ name, measured, range: "", bar: "-", verdict: "-", failing: false });

/** Prints the rows and the noise they were measured in. A ratio that is over makes the process fail. */
export function report(rows: readonly Row[], noise: number | null, head: readonly string[] = ["", "median", "10% .. 90%", "bar", ""]): void {
  const cells = [head, ...rows.map((r) => [r.name, r.measured, r.range, r.bar, r.verdict])];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  for (const row of cells) process.stdout.write(`${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ")}\n`);
  if (noise !== null) process.stdout.write(`noise of the machine (calibration loop, 90% over 10%): ${noise.toFixed(2)}\n`);
  if (rows.some((r) => r.failing)) process.exitCode = 1;
}
