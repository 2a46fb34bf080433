/** One object of a trace (conformance/GRAMMAR.md, "Output"), as a recorder or the simulator prints it. */

export interface TraceHeader {
  readonly hdr: 1;
  readonly profile: string;
  /** release string as uname -r prints it */
  readonly kernel: string;
  readonly slot_base: string;
  readonly slot_size: string;
  readonly [other: string]: unknown;
}

export type FaultRun = string | readonly [at: string, count: number, strideBytes: number];

export interface Faults {
  readonly pf: number;
  readonly min: number;
  readonly maj: number;
  readonly at?: readonly FaultRun[];
}

export interface PageRun {
  readonly at: string;
  readonly n: number;
  readonly f: string;
  readonly k?: string;
  readonly o?: number;
  readonly nf?: number;
  readonly id?: number;
  readonly i?: number;
  readonly mc?: number;
}

/** at, len, perm, off, the non-zero smaps fields in kB, THPeligible, VmFlags, pm */
export interface VmaState {
  readonly at: string;
  readonly len: string;
  readonly perm: string;
  readonly pm: readonly PageRun[];
  readonly [field: string]: unknown;
}

export interface ProcessState {
  readonly VmPTE: number;
  readonly VmSize: number;
  readonly VmLck?: number;
  readonly HugetlbPages?: number;
  readonly VmSwap?: number;
  readonly vmas: readonly VmaState[];
}

/** The result fields (ret, errno, cnt, ok, val, sum, sig, ...) and flt, flt@CHILD stand beside these. */
export interface TraceStep {
  readonly n: number;
  readonly op: string;
  readonly mi?: Readonly<Record<string, number>>;
  readonly dv?: Readonly<Record<string, number>>;
  readonly dm?: Readonly<Record<string, number>>;
  readonly pool?: Readonly<Record<string, readonly number[]>>;
  readonly procs?: Readonly<Record<string, ProcessState>>;
  readonly [field: string]: unknown;
}

export interface Trace {
  readonly script: string;
  readonly source: string;
  readonly header: TraceHeader;
  readonly steps: readonly TraceStep[];
}

/** What runs a script: the simulator's session, or a recorder. A step object is printed for each operation, in order. */
export type ScriptRunner = (profile: string, source: string) => { readonly header: TraceHeader; readonly steps: readonly TraceStep[] };
