/** What replays of recorded programs tell the front ends, as plain data: types only. Sizes in bytes, times in nanoseconds, addresses as numbers below 2^47. */
import type { Message } from "../kernel/message.ts";

/** A count or size by the size of a folio. */
export interface ByOrder {
  /** log2 of the folio's pages of 4 KiB */
  readonly order: number;
  readonly value: number;
}

/** Faults that got less than a huge page, with the reason that the kernel gives. */
export interface Fallback {
  /** the order that was refused */
  readonly order: number;
  /** key of the rule (session.why.rule.X) */
  readonly rule: string;
  /** the kernel function that refused */
  readonly symbol: string;
  /** faults that were refused this order for this reason, those included that came later into a block that was refused before */
  readonly faults: number;
  /** aligned blocks of a PMD's size that these faults lie in */
  readonly blocks: number;
  /** of the first one */
  readonly address: number;
  /** what the rule says, and the causes in the first case */
  readonly why: readonly Message[];
}

/** What one replay of a program measured. */
export interface SweepMeasures {
  readonly faults: number;
  /** with the files in the page cache, as they are here, there is none */
  readonly majorFaults: number;
  /** folios of anonymous memory that faults took */
  readonly anonymous: readonly ByOrder[];
  /** faults that mapped pages of files, made a page writable or took the zero page */
  readonly otherFaults: number;
  readonly rssPeakBytes: number;
  readonly rssEndBytes: number;
  /** anonymous memory in RSS that was never written, at the peak of RSS and at the end */
  readonly bloatPeakBytes: number;
  readonly bloatEndBytes: number;
  /** written anonymous memory at the peak of RSS, by the size of the folio it lies in; of an order below the PMD's it is mapped by entries of 4 KiB */
  readonly reach: readonly ByOrder[];
  /** of that, what a PMD maps */
  readonly pmdMappedBytes: number;
  readonly pageTablePeakBytes: number;
  readonly zeroedBytes: number;
  readonly copiedBytes: number;
  /** simulated time of faults, copies and flushes (the machine's cost sheet) */
  readonly clockNs: number;
  readonly pmdSplits: number;
  /** aligned blocks in the deferred split queue at the end */
  readonly deferredSplits: number;
  readonly fallbacks: readonly Fallback[];
}

/** What a column of a sweep is of each replay. */
export interface SweepColumn {
  readonly id: string;
  readonly unit: "count" | "bytes" | "ns" | "share";
}

/** A value without and with the pages that the recording hides; alike where it hides none. A share is in thousandths. */
export type SweepValues = readonly [least: number, most: number];

export interface SweepRow {
  readonly label: string;
  readonly profile: string;
  /** kernel files that are written before the program runs */
  readonly files: readonly (readonly [path: string, value: string])[];
  readonly isBaseline: boolean;
  /** why this machine does not take the setting; null: it was replayed */
  readonly refused: Message | null;
  /** the program as it was recorded, and no more */
  readonly least: SweepMeasures | null;
  /** every page of what a recorded fault mapped is used too (null where that is the same, since such pages there are none) */
  readonly most: SweepMeasures | null;
}

export interface SweepTable {
  readonly program: string;
  readonly what: string;
  readonly kernel: string;
  readonly thpEnabled: string;
  readonly faults: number;
  /** pages that recorded huge pages hold besides those that faulted: whether the program used them is not recorded */
  readonly hiddenPages: number;
  readonly rows: readonly SweepRow[];
  /** what cannot be concluded, and what the simulator leaves out */
  readonly notes: readonly Message[];
}

/** A moment of a replay: RSS after an event, as recorded and as replayed. */
export interface RssPoint {
  /** index of the event in the recording */
  readonly event: number;
  readonly anonBytes: number;
  readonly fileBytes: number;
  readonly recordedAnonBytes: number;
  readonly recordedFileBytes: number;
}

/** What faults were about, as the replay's RSS shows it. */
export interface FaultKind {
  readonly id: "anon" | "folio" | "copy" | "file" | "none" | "hit";
  /** of `folio`: its order */
  readonly order: number;
  readonly count: number;
  readonly firstAddress: number;
  readonly firstEvent: number;
}

/** A recorded program replayed once, against its recording. */
export interface ProgramReport {
  readonly name: string;
  readonly what: string;
  readonly kernel: string;
  readonly thpEnabled: string;
  readonly profile: string;
  readonly events: number;
  readonly faults: number;
  readonly faultsAgree: number;
  readonly rss: number;
  readonly rssAgree: number;
  readonly overlapping: number;
  readonly points: readonly RssPoint[];
  readonly kinds: readonly FaultKind[];
  /** differences as sentences, the first ones; `more`: how many were left out */
  readonly differences: readonly { readonly event: number; readonly what: Message; readonly reason: Message }[];
  readonly more: number;
}
