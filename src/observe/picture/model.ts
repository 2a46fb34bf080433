/**
 * What a picture of a machine shows, as plain data: types only, so that the front ends share them without the simulator.
 * Every picture is built for a window and costs what is visible; `twin` is the same content as text, built from the same model.
 * Texts are finished sentences. Addresses are hexadecimal strings ("0x7f0000000000"); page numbers fit a double.
 */

/** What a cell of a table or of memory stands for; the legend of the picture names those that occur. */
export type CellState =
  | "none"
  | "table"
  | "page"
  | "huge"
  | "zero"
  | "hugeZero"
  | "swap"
  | "special"
  | "device"
  | "free"
  | "anon"
  | "anonHuge"
  | "pageTable"
  | "reserved"
  | "file"
  | "mixed"
  | "outside";

export interface LegendEntry {
  readonly state: CellState;
  readonly label: string;
}

/** What a learner may ask `why` about: the words behind the command `why`. */
export type WhyTarget = string;

export interface AreaRow {
  readonly start: string;
  readonly end: string;
  /** as the learner named it, or null */
  readonly name: string | null;
  readonly permissions: string;
  readonly label: string;
  readonly sizeKb: number;
  readonly rssKb: number;
  readonly anonHugeKb: number;
  /** VmFlags of smaps */
  readonly vmFlags: readonly string[];
  /** address space between the area before (or address 0) and this one where nothing is mapped, kB */
  readonly gapBeforeKb: number;
  /**
   * How much of each part of the area is mapped (0 to 1), and by what; at most `AddressSpaceRequest.cells`. Cells lie at multiples of
   * their size, so that blocks of 2 MiB show: cell i begins at page (floor(start page / pagesPerCell) + i) * pagesPerCell, and the first
   * and the last may reach beyond the area. `share` is of what lies inside.
   */
  readonly cells: readonly { readonly state: CellState; readonly share: number }[];
  /** a power of two */
  readonly pagesPerCell: number;
  /** false where nothing of it changed since the node before */
  readonly changed: boolean;
  readonly why: WhyTarget;
}

export interface AddressSpaceRequest {
  readonly kind: "addressSpace";
  /** null: the current process */
  readonly process: string | null;
  /** index of the first area that is shown */
  readonly first: number;
  /** areas, 1 to 200 */
  readonly count: number;
  /** cells for each area, 1 to 512 */
  readonly cells: number;
}

export interface AddressSpacePicture {
  readonly kind: "addressSpace";
  readonly title: string;
  readonly process: string;
  readonly processes: readonly string[];
  readonly areaCount: number;
  readonly first: number;
  readonly areas: readonly AreaRow[];
  /** what each VmFlag means that occurs in `areas` */
  readonly vmFlagMeanings: readonly { readonly flag: string; readonly meaning: string }[];
  readonly legend: readonly LegendEntry[];
  readonly twin: readonly string[];
}

export interface BitField {
  /** "63", "12-51" */
  readonly bits: string;
  readonly name: string;
  readonly value: string;
  readonly meaning: string;
  readonly set: boolean;
}

export interface EntryDetail {
  /** "pgd", "p4d", "pud", "pmd", "pte" */
  readonly level: string;
  readonly index: number;
  readonly address: string;
  /** all bits of the entry, hexadecimal */
  readonly raw: string;
  readonly state: CellState;
  readonly summary: string;
  readonly fields: readonly BitField[];
  /** number of the step that last changed it, 0 for never */
  readonly changedBy: number;
  readonly why: WhyTarget;
}

export interface PageTablesRequest {
  readonly kind: "pageTables";
  readonly process: string | null;
  /** an address in the table to be shown, as the learner writes it (`0x...`, `A+2M`); null: the first one that is mapped */
  readonly address: string | null;
  /** 1: the table of PTEs, up to the number of levels; null: the lowest table on the way to the address */
  readonly level: number | null;
}

export interface PageTablesPicture {
  readonly kind: "pageTables";
  readonly title: string;
  readonly process: string;
  readonly address: string;
  readonly level: number;
  /** from the root down to where the walk ends */
  readonly walk: readonly EntryDetail[];
  /** the table at `level`; null when the walk ends above it */
  readonly table: {
    readonly name: string;
    readonly frame: string | null;
    readonly start: string;
    readonly bytesPerEntry: number;
    /** one for each entry; `present`: 4 KiB pages mapped by it or below it; `changed`: it or something below it, by the last step */
    readonly entries: readonly { readonly state: CellState; readonly present: number; readonly changed: boolean }[];
  } | null;
  readonly legend: readonly LegendEntry[];
  readonly twin: readonly string[];
}

export interface PhysicalRequest {
  readonly kind: "physical";
  readonly firstPfn: number;
  /** 1 to 4096 */
  readonly cells: number;
  /** a power of two, 1 (single pages) to 32768 (128 MiB) */
  readonly pagesPerCell: number;
  /** frame whose folio is described; null: none */
  readonly selected: number | null;
}

export interface FolioDetail {
  readonly pfn: number;
  readonly headPfn: number;
  readonly order: number;
  readonly state: CellState;
  readonly refCount: number;
  readonly mapCount: number;
  readonly flags: readonly string[];
  readonly mappedAt: readonly string[];
  readonly summary: string;
  readonly changedBy: number;
}

export interface PhysicalPicture {
  readonly kind: "physical";
  readonly title: string;
  readonly pageCount: number;
  readonly firstPfn: number;
  readonly pagesPerCell: number;
  /**
   * `used`: pages of the cell that are not free; `state`: what at least 7 of 8 of these are, else mixed; `folioStart`: its first page
   * begins a folio or is a page of its own
   */
  readonly cells: readonly { readonly state: CellState; readonly used: number; readonly changed: boolean; readonly folioStart: boolean }[];
  /** free blocks by order, as /proc/buddyinfo */
  readonly freeByOrder: readonly { readonly zone: string; readonly counts: readonly number[] }[];
  readonly selected: FolioDetail | null;
  readonly legend: readonly LegendEntry[];
  readonly twin: readonly string[];
}

export interface CountersRequest {
  readonly kind: "counters";
  /** only names that contain it */
  readonly filter: string;
  /** only those that the last step changed */
  readonly changedOnly: boolean;
}

export interface CountersPicture {
  readonly kind: "counters";
  readonly title: string;
  readonly groups: readonly {
    readonly title: string;
    readonly rows: readonly { readonly name: string; readonly value: number; readonly unit: string; readonly delta: number; readonly why: WhyTarget | null }[];
  }[];
  readonly twin: readonly string[];
}

/** Who may have a huge page in an area, as every release answers it. */
export interface EligibilityRequest {
  readonly kind: "eligibility";
  readonly process: string | null;
  /** an address in the area, as the learner writes it; null: the first area */
  readonly address: string | null;
}

export interface EligibilityCell {
  /** "none": the release has no such caller */
  readonly answer: "yes" | "no" | "none";
  /** "yes, 2 MiB", "no" */
  readonly text: string;
  /** id of the rule that decided: "R4"; "" where none did */
  readonly rule: string;
  /** why, in a sentence */
  readonly reason: string;
  /** the kernel function that answers */
  readonly symbol: string;
  /** another answer than the release before gives, or than the release that the patch is for */
  readonly differs: boolean;
}

export interface EligibilityPicture {
  readonly kind: "eligibility";
  readonly title: string;
  readonly process: string;
  /** the area; null where there is none */
  readonly area: { readonly start: string; readonly label: string; readonly vmFlags: readonly string[] } | null;
  /** areas to choose from, at most 200: where each starts, and how the learner calls it */
  readonly areas: readonly { readonly start: string; readonly name: string }[];
  /** columns: who asks */
  readonly callers: readonly { readonly title: string; readonly hint: string }[];
  readonly rows: readonly {
    /** "6.2 to 6.6", "6.1+huge-fault-fix-v1" */
    readonly name: string;
    /** what a patch is; "" for releases */
    readonly title: string;
    /** the learner's own machine */
    readonly own: boolean;
    readonly cells: readonly EligibilityCell[];
  }[];
  readonly twin: readonly string[];
}

/** The rules of the check, to be edited, against the table of cases. */
export interface RulesRequest {
  readonly kind: "rules";
  /** the version that is compared with: "6.1", "6.1+huge-fault-fix-v3" */
  readonly against: string;
}

export type RuleAnswer = "yes" | "no" | "shmem" | "next";

export interface RulesPicture {
  readonly kind: "rules";
  readonly title: string;
  /** false: this release has no single list */
  readonly editable: boolean;
  /** other than the rules of the machine's release */
  readonly edited: boolean;
  readonly callers: readonly { readonly id: string; readonly title: string }[];
  readonly rules: readonly { readonly id: string; readonly condition: string; readonly label: string; readonly answers: readonly RuleAnswer[] }[];
  /** conditions that a rule can have */
  readonly conditions: readonly { readonly id: string; readonly label: string }[];
  /** versions that can be compared with, each with the number of cells that differ from it */
  readonly versions: readonly { readonly name: string; readonly differing: number }[];
  readonly against: string;
  /** cells of the table of cases in all */
  readonly cellCount: number;
  /** cases with a cell that differs from `against` */
  readonly cases: readonly {
    readonly name: string;
    /** the commands that make it, one a line */
    readonly script: string;
    readonly cells: readonly {
      readonly caller: string;
      /** transparent_hugepage/enabled */
      readonly enabled: string;
      readonly mine: "yes" | "no";
      readonly theirs: "yes" | "no";
      /** the rules that decided */
      readonly myRule: string;
      readonly theirRule: string;
    }[];
  }[];
  readonly summary: string;
  readonly twin: readonly string[];
}

export type PictureRequest = AddressSpaceRequest | PageTablesRequest | PhysicalRequest | CountersRequest | EligibilityRequest | RulesRequest;
export type Picture = AddressSpacePicture | PageTablesPicture | PhysicalPicture | CountersPicture | EligibilityPicture | RulesPicture;
