import type { Message } from "../../kernel/message.ts";
import type { labProblemsEn } from "../messages.en.ts";

/** What can be wrong with a pack: each has a sentence that says what it is and one that says how to put it right. */
export type ProblemName = keyof typeof labProblemsEn;

/** Something that is wrong with a pack, as a value: which file, where in it, and what. */
export interface PackProblem {
  /** path in the pack; "" for the pack as a whole */
  readonly file: string;
  /** "line 3", "checks[0].require.path"; "" for the file as a whole */
  readonly place: string;
  readonly name: ProblemName;
  readonly args: Readonly<Record<string, string | number>>;
}

/** What is wrong, and how to put it right. */
export function problemMessages({ name, args }: PackProblem): { readonly what: Message; readonly fix: Message } {
  return { what: { key: `lab.problem.${name}`, args }, fix: { key: `lab.fix.${name}`, args } };
}

/** characters of something an author wrote that are shown */
const SHOWN = 60;

/** A text of the pack as it may stand in a sentence: short, and without control characters. */
export function shownText(text: string): string {
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  const clean = text.slice(0, SHOWN + 1).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/g, "?");
  return text.length > SHOWN ? `${clean.slice(0, SHOWN)}...` : clean;
}

/** Collects problems; beyond a number they are only counted, so that a hostile pack costs a bounded time and answer. */
export class ProblemList {
  readonly #most: number;
  readonly #problems: PackProblem[] = [];
  #more = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#problems.length + this.#more;
  }

  add(file: string, place: string, name: ProblemName, args: Readonly<Record<string, string | number>> = {}): void {
    if (this.#problems.length >= this.#most) {
      this.#more++;
      return;
    }
    const clean = Object.entries(args).map(([key, value]) => [key, typeof value === "string" ? shownText(value) : value] as const);
    this.#problems.push({ file: shownText(file), place: shownText(place), name, args: Object.fromEntries(clean) });
  }

  all(): readonly PackProblem[] {
    if (this.#more === 0) return this.#problems;
    return [...this.#problems, { file: "", place: "", name: "more", args: { count: this.#more } }];
  }
}
