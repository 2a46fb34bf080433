import type { Signal } from "./mm/faultSignal.ts";

/** What a loop of accesses came to. */

export interface SignalRun {
  readonly address: number;
  readonly signal: Signal;
  /** address in si_addr */
  readonly faultAddress: number;
  count: number;
}

export interface TouchResult {
  count: number;
  ok: number;
  /** first byte read, -1 when nothing was */
  first: number;
  /** sum of the bytes read, mod 2^32 */
  sum: number;
  readonly signals: SignalRun[];
}

/** Runs of signals that are kept; the rest is counted only. */
const MAX_RUNS = 64;

export function noteSignal(out: TouchResult, at: number, step: number, signal: Signal, faultAddress = at): void {
  const last = out.signals[out.signals.length - 1];
  if (last !== undefined && last.signal.signal === signal.signal && last.signal.code === signal.code && last.address + last.count * step === at) last.count++;
  else if (out.signals.length < MAX_RUNS) out.signals.push({ address: at, signal, faultAddress, count: 1 });
}
