/**
 * A rough model of what a script has mapped so far: enough that most generated operations hit something.
 * It is not a simulator; where an operation might fail it guesses, and a wrong guess costs only an operation that hits nothing.
 */

export const KB = 1024;
export const MB = 1024 * 1024;
export const PAGE = 4 * KB;
export const HUGE = 2 * MB;

/** One mapping of one process: bytes from the start of the slot of `name`. */
export interface Mapping {
  readonly name: string;
  start: number;
  end: number;
  prot: string;
  readonly growsDown: boolean;
  /** never writable since it was mapped: its pages are zeros, so that executing them has a known end */
  pristine: boolean;
}

/** A file that the script made; its size as far as the script knows. */
export interface FileModel {
  readonly name: string;
  size: number;
  readonly disk: boolean;
}

export class AddressModel {
  readonly files: FileModel[] = [];
  /** mounts of tmpfs made so far: T1, T2 ... */
  mounts = 0;
  /** mappings of each living process */
  readonly processes = new Map<string, Mapping[]>([["P", []]]);
  readonly dead: string[] = [];
  readonly #everEnd = new Map<string, number>();
  #names = 0;
  #forks = 0;

  /** how many names were given out */
  get nameCount(): number {
    return this.#names;
  }

  get children(): string[] {
    return [...this.processes.keys()].filter((name) => name !== "P");
  }

  newName(): string {
    // U is left free: it stands for what was never mapped; C and P name processes
    const letters = "ABDEFGHIJKLMNOQRSTWXYZ";
    const round = Math.floor(this.#names / letters.length);
    const name = letters[this.#names % letters.length] + (round === 0 ? "" : String(round));
    this.#names++;
    return name;
  }

  mappings(process: string): Mapping[] {
    return this.processes.get(process) ?? [];
  }

  namesOf(process: string): string[] {
    return [...new Set(this.mappings(process).map((mapping) => mapping.name))].sort();
  }

  /** mappings of one name, lowest first */
  named(process: string, name: string): Mapping[] {
    return this.mappings(process)
      .filter((mapping) => mapping.name === name)
      .sort((a, b) => a.start - b.start);
  }

  isFree(process: string, name: string, start: number, end: number): boolean {
    return !this.mappings(process).some((mapping) => mapping.name === name && mapping.start < end && mapping.end > start);
  }

  add(process: string, mapping: Mapping): void {
    this.mappings(process).push(mapping);
    this.grew(mapping.name, mapping.end);
  }

  grew(name: string, end: number): void {
    this.#everEnd.set(name, Math.max(this.everEnd(name), end));
  }

  /** where a length that is left out ends */
  everEnd(name: string): number {
    return this.#everEnd.get(name) ?? 0;
  }

  /** the mappings within a range, after splitting those that reach over its ends */
  inside(process: string, name: string, start: number, end: number): Mapping[] {
    this.#split(process, name, start);
    this.#split(process, name, end);
    return this.mappings(process).filter((mapping) => mapping.name === name && mapping.start >= start && mapping.end <= end && mapping.start < mapping.end);
  }

  remove(process: string, name: string, start: number, end: number): Mapping[] {
    const gone = new Set(this.inside(process, name, start, end));
    this.processes.set(
      process,
      this.mappings(process).filter((mapping) => !gone.has(mapping)),
    );
    return [...gone];
  }

  #split(process: string, name: string, at: number): void {
    for (const mapping of [...this.mappings(process)]) {
      if (mapping.name !== name || mapping.start >= at || mapping.end <= at) continue;
      this.mappings(process).push({ ...mapping, start: at });
      mapping.end = at;
    }
  }

  /** null when there have been enough processes; the recorder has room for eight */
  fork(parent: string): string | null {
    if (this.#forks >= 5 || this.processes.size >= 4) return null;
    const child = `C${++this.#forks}`;
    this.processes.set(
      child,
      this.mappings(parent).map((mapping) => ({ ...mapping })),
    );
    return child;
  }

  exit(process: string): void {
    this.processes.delete(process);
    this.dead.push(process);
  }
}
