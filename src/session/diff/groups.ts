import type { DiffRow, DiffView } from "../model.ts";

/** rows of one group that a learner is shown; the rest is counted */
export const MOST_ROWS = 40;

/** A group of differences: so many rows, and how many more there are. */
export class RowGroup {
  readonly title: string;
  readonly rows: DiffRow[] = [];
  more = 0;
  readonly #most: number;

  constructor(title: string, most: number) {
    this.title = title;
    this.#most = most;
  }

  /** `make` is called only for a row that is shown. */
  add(make: () => DiffRow): void {
    if (this.rows.length < this.#most) this.rows.push(make());
    else this.more++;
  }
}

/** Neighbours with the same difference are one row: numbers that follow each other, with what they were and are. */
export class Runs {
  readonly #end: (first: number, count: number) => void;
  #first = 0;
  #count = 0;
  #before = NaN;
  #after = NaN;

  /** `end`: told of each run when it is complete. */
  constructor(end: (first: number, count: number) => void) {
    this.#end = end;
  }

  /** `count` numbers from `at` on: what they were and what they are, each as one number. */
  add(at: number, count: number, before: number, after: number): void {
    if (this.#count > 0 && at === this.#first + this.#count && before === this.#before && after === this.#after) {
      this.#count += count;
      return;
    }
    this.flush();
    this.#first = at;
    this.#count = count;
    this.#before = before;
    this.#after = after;
  }

  flush(): void {
    if (this.#count > 0) this.#end(this.#first, this.#count);
    this.#count = 0;
  }
}

export type ViewGroups = DiffView["groups"];

/** The groups that have something, as a front end gets them. */
export const filled = (groups: readonly RowGroup[]): ViewGroups =>
  groups.filter((group) => group.rows.length > 0).map(({ title, rows, more }) => ({ title, rows, more }));
