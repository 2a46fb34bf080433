/**
 * Makes a script that shows a difference as small as it gets: delta debugging over its lines, then over the words and
 * numbers of each line. What counts as "still shows it" is the caller's.
 */
import { HUGE, KB, PAGE } from "./generate/addressModel.ts";
import { numberText } from "./generate/writer.ts";

export type StillDiffers = (source: string) => Promise<boolean>;

/** The caller's question, asked once for each text and not more often than the limit. */
class Oracle {
  readonly #known = new Map<string, boolean>();
  readonly #stillDiffers: StillDiffers;
  #left: number;

  constructor(stillDiffers: StillDiffers, limit: number) {
    this.#stillDiffers = stillDiffers;
    this.#left = limit;
  }

  async ask(lines: readonly string[]): Promise<boolean> {
    const source = lines.join("\n") + "\n";
    const known = this.#known.get(source);
    if (known !== undefined) return known;
    if (this.#left-- <= 0 || lines.length === 0) return false;
    const answer = await this.#stillDiffers(source);
    this.#known.set(source, answer);
    return answer;
  }
}

/** A minimal script: no line, word or length of it can be taken away (within `limit` questions). The source must differ to begin with. */
export async function shrink(source: string, stillDiffers: StillDiffers, limit = 400): Promise<string> {
  const oracle = new Oracle(stillDiffers, limit);
  let lines = source.split("\n").filter((line) => line.trim() !== "" && !line.trim().startsWith("#"));
  lines = await shrinkLines(lines, oracle);
  lines = await withoutProcesses(lines, oracle);
  for (;;) {
    const simpler = await shrinkWords(lines, oracle);
    if (simpler === lines) return lines.join("\n") + "\n";
    // a smaller length can make a line needless
    lines = await shrinkLines(simpler, oracle);
  }
}

/** ddmin over complements: takes away ever smaller pieces until no single line can go. */
async function shrinkLines(all: readonly string[], oracle: Oracle): Promise<string[]> {
  let lines = [...all];
  let pieces = 2;
  while (lines.length > 1) {
    const size = Math.ceil(lines.length / pieces);
    let found = false;
    // from the end: later lines depend on earlier ones, not the other way round
    for (let from = Math.floor((lines.length - 1) / size) * size; from >= 0; from -= size) {
      const rest = [...lines.slice(0, from), ...lines.slice(from + size)];
      if (rest.length === 0 || !(await oracle.ask(rest))) continue;
      lines = rest;
      found = true;
    }
    if (!found && size === 1) return lines;
    if (!found) pieces = Math.min(lines.length, pieces * 2);
    else pieces = Math.max(2, Math.min(pieces, lines.length));
  }
  return lines;
}

/** What a child did may differ in P as well: then the child is not needed. */
async function withoutProcesses(all: string[], oracle: Oracle): Promise<string[]> {
  let lines = all;
  for (const prefix of new Set(all.filter((line) => line.startsWith("@")).map((line) => `${line.split(" ")[0]} `))) {
    const changed = lines
      .map((line) => (line.startsWith(prefix) ? line.slice(prefix.length) : line))
      .filter((line) => line !== `fork ${prefix.slice(1, -1)}` && line !== "exit");
    if (await oracle.ask(changed)) lines = changed;
  }
  return lines;
}

/** One pass over all lines; the same array when nothing could be made simpler. */
async function shrinkWords(all: string[], oracle: Oracle): Promise<string[]> {
  let lines = all;
  for (let i = 0; i < lines.length; i++) {
    for (let again = true; again;) {
      again = false;
      for (const candidate of simplerLines(lines[i])) {
        const changed = lines.with(i, candidate);
        if (!(await oracle.ask(changed))) continue;
        lines = changed;
        again = true;
        break;
      }
    }
  }
  return lines;
}

/** Lines that say less: a word left out, a number made smaller, a distance left out. */
export function simplerLines(line: string): string[] {
  const words = line.split(" ");
  const first = words[0].startsWith("@") ? 2 : 1;
  const result: string[] = [];
  for (let i = words.length - 1; i >= first; i--) {
    if (i > first) result.push([...words.slice(0, i), ...words.slice(i + 1)].join(" "));
    for (const word of simplerWords(words[i])) result.push(words.with(i, word).join(" "));
  }
  return result;
}

function simplerWords(word: string): string[] {
  const result: string[] = [];
  // A+4M+64k: without a distance, or with a smaller one
  for (const match of word.matchAll(/[+](0x[0-9a-f]+|\d+)([kMGp]?)/gi)) {
    const before = word.slice(0, match.index);
    const after = word.slice(match.index + match[0].length);
    result.push(before + after, ...smallerNumbers(match[1], match[2]).map((text) => `${before}+${text}${after}`));
  }
  const whole = /^(0x[0-9a-f]+|\d+)([kMGp]?)$/i.exec(word);
  if (whole) result.push(...smallerNumbers(whole[1], whole[2]));
  return result;
}

function smallerNumbers(digits: string, suffix: string): string[] {
  const unit = { k: KB, K: KB, M: KB * KB, G: KB * KB * KB, p: PAGE }[suffix] ?? 1;
  const value = Number(digits) * unit;
  // counts and small settings are not lengths
  if (value <= PAGE) return [];
  const half = Math.floor(value / 2 / PAGE) * PAGE;
  return [...new Set([PAGE, 64 * KB, HUGE, 2 * HUGE, half, Math.floor(value / PAGE) * PAGE])]
    .filter((smaller) => smaller > 0 && smaller < value)
    .sort((a, b) => a - b)
    .map(numberText);
}
