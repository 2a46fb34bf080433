/**
 * Regular expressions of grep, basic and extended, matched by running all alternatives side by side:
 * time is at most pattern length times line length, so no pattern a learner types can hang the app (JavaScript's own engine can).
 */

interface CharacterSet {
  readonly negated: boolean;
  /** pairs of code units, first and last */
  readonly ranges: readonly (readonly [number, number])[];
}

type Node =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly least: number; /** Infinity: no limit */ readonly most: number };

type Instruction =
  | { readonly op: "set"; readonly set: CharacterSet }
  | { readonly op: "start" | "end" | "match" }
  | { readonly op: "split"; readonly first: number; readonly second: number };

export type PatternResult = { readonly kind: "pattern"; readonly test: (line: string) => boolean } | { readonly kind: "error"; readonly key: string };

const MOST_INSTRUCTIONS = 2000;
const MOST_REPEATS = 255;
const DEEPEST = 100;

const CLASSES: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  digit: [[48, 57]],
  lower: [[97, 122]],
  upper: [[65, 90]],
  alpha: [
    [65, 90],
    [97, 122],
  ],
  alnum: [
    [48, 57],
    [65, 90],
    [97, 122],
  ],
  xdigit: [
    [48, 57],
    [65, 70],
    [97, 102],
  ],
  space: [
    [9, 13],
    [32, 32],
  ],
  blank: [
    [9, 9],
    [32, 32],
  ],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
};

/** Compiles a pattern. Without `extended` the special characters ? + { } | ( ) are special only behind `\`, as in grep. */
export function compilePattern(source: string, options: { readonly extended: boolean; readonly ignoreCase: boolean }): PatternResult {
  const reader = new PatternReader(options.ignoreCase ? source.toLowerCase() : source, options.extended);
  const node = reader.readAll();
  if (node === null) return { kind: "error", key: reader.problem };
  const program: Instruction[] = [];
  if (!emit(node, program)) return { kind: "error", key: "shell.pattern.tooBig" };
  program.push({ op: "match" });
  return { kind: "pattern", test: (line) => run(program, options.ignoreCase ? line.toLowerCase() : line) };
}

class PatternReader {
  problem = "shell.pattern.bad";
  #at = 0;
  readonly #source: string;
  readonly #extended: boolean;

  constructor(source: string, extended: boolean) {
    this.#source = source;
    this.#extended = extended;
  }

  /** The whole pattern; null when it is wrong (`problem` says why). */
  readAll(): Node | null {
    const node = this.#choice(0);
    if (node !== null && this.#at < this.#source.length) {
      this.problem = "shell.pattern.bracket";
      return null;
    }
    return node;
  }

  /** Is the special character `character` next (in the spelling of this syntax)? */
  #special(character: string): boolean {
    return this.#extended ? this.#source[this.#at] === character : this.#source.startsWith(`\\${character}`, this.#at);
  }

  #skipSpecial(): void {
    this.#at += this.#extended ? 1 : 2;
  }

  #choice(depth: number): Node | null {
    if (depth > DEEPEST) return null;
    const parts: Node[] = [];
    for (;;) {
      const part = this.#sequence(depth);
      if (part === null) return null;
      parts.push(part);
      if (!this.#special("|")) break;
      this.#skipSpecial();
    }
    return parts.length === 1 ? parts[0] : { kind: "choice", parts };
  }

  #sequence(depth: number): Node | null {
    const parts: Node[] = [];
    while (this.#at < this.#source.length && !this.#special("|") && !(this.#special(")") && (depth > 0 || !this.#extended))) {
      const part = this.#repeated(depth, parts.length === 0);
      if (part === null) return null;
      parts.push(part);
    }
    return { kind: "sequence", parts };
  }

  #repeated(depth: number, first: boolean): Node | null {
    let part = this.#atom(depth, first);
    while (part !== null && this.#at < this.#source.length) {
      if (this.#source[this.#at] === "*") {
        this.#at++;
        part = { kind: "repeat", part, least: 0, most: Infinity };
      } else if (this.#special("+") || this.#special("?")) {
        const plus = this.#special("+");
        this.#skipSpecial();
        part = { kind: "repeat", part, least: plus ? 1 : 0, most: plus ? Infinity : 1 };
      } else if (this.#special("{")) {
        const bounds = (this.#extended ? /^\{(\d{0,4})(,?)(\d{0,4})\}/ : /^\\\{(\d{0,4})(,?)(\d{0,4})\\\}/).exec(this.#source.slice(this.#at, this.#at + 16));
        if (bounds === null) return null;
        this.#at += bounds[0].length;
        const least = Number(bounds[1]);
        const most = bounds[2] === "" ? least : bounds[3] === "" ? Infinity : Number(bounds[3]);
        if (least > MOST_REPEATS || (most !== Infinity && (most > MOST_REPEATS || most < least))) return null;
        part = { kind: "repeat", part, least, most };
      } else break;
    }
    return part;
  }

  #atom(depth: number, first: boolean): Node | null {
    if (this.#special("(")) {
      this.#skipSpecial();
      const inner = this.#choice(depth + 1);
      if (inner === null) return null;
      if (!this.#special(")")) {
        this.problem = "shell.pattern.bracket";
        return null;
      }
      this.#skipSpecial();
      return inner;
    }
    const character = this.#source[this.#at++];
    switch (character) {
      case ".":
        return { kind: "set", set: { negated: true, ranges: [] } };
      case "[":
        return this.#bracket();
      case "^":
        if (this.#extended || first) return { kind: "start" };
        return literal(character);
      case "$":
        if (this.#extended || this.#at === this.#source.length || this.#special("|") || this.#special(")")) return { kind: "end" };
        return literal(character);
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        // with nothing to repeat it stands for itself in the basic syntax
        if (character === "*" ? !first || this.#extended : this.#extended) return null;
        return literal(character);
      default:
        return literal(character);
    }
  }

  #escape(): Node | null {
    const character = this.#source[this.#at++];
    if (character === undefined) return null;
    if (character === "w" || character === "W") return { kind: "set", set: { negated: character === "W", ranges: [...CLASSES.alnum, [95, 95]] } };
    if (character === "s" || character === "S") return { kind: "set", set: { negated: character === "S", ranges: CLASSES.space } };
    if (/[0-9bB<>]/.test(character)) {
      this.problem = "shell.pattern.notSupported";
      return null;
    }
    return literal(character);
  }

  #bracket(): Node | null {
    this.problem = "shell.pattern.bracket";
    const negated = this.#source[this.#at] === "^";
    if (negated) this.#at++;
    const ranges: (readonly [number, number])[] = [];
    for (let first = true; first || this.#source[this.#at] !== "]"; first = false) {
      if (this.#at >= this.#source.length) return null;
      const named = /^\[:(\w+):\]/.exec(this.#source.slice(this.#at, this.#at + 16));
      if (named !== null) {
        if (!Object.hasOwn(CLASSES, named[1])) return null;
        ranges.push(...CLASSES[named[1]]);
        this.#at += named[0].length;
        continue;
      }
      const low = this.#source.charCodeAt(this.#at++);
      let high = low;
      if (this.#source[this.#at] === "-" && this.#at + 1 < this.#source.length && this.#source[this.#at + 1] !== "]") {
        high = this.#source.charCodeAt(this.#at + 1);
        this.#at += 2;
      }
      if (high < low) return null;
      ranges.push([low, high]);
    }
    this.#at++;
    this.problem = "shell.pattern.bad";
    return { kind: "set", set: { negated, ranges } };
  }
}

function literal(character: string): Node {
  const code = character.charCodeAt(0);
  return { kind: "set", set: { negated: false, ranges: [[code, code]] } };
}

/** Appends the instructions of a node; false when the program would grow too big. */
function emit(node: Node, program: Instruction[]): boolean {
  if (program.length > MOST_INSTRUCTIONS) return false;
  switch (node.kind) {
    case "set":
      program.push({ op: "set", set: node.set });
      return true;
    case "start":
    case "end":
      program.push({ op: node.kind });
      return true;
    case "sequence":
      return node.parts.every((part) => emit(part, program));
    case "choice":
      return emitChoice(node.parts, program);
    case "repeat":
      return emitRepeat(node, program);
  }
}

function emitChoice(parts: readonly Node[], program: Instruction[]): boolean {
  const ends: number[] = [];
  for (const [index, part] of parts.entries()) {
    const split = program.length;
    if (index < parts.length - 1) program.push({ op: "match" });
    if (!emit(part, program)) return false;
    if (index < parts.length - 1) {
      ends.push(program.length);
      program.push({ op: "match" });
      program[split] = { op: "split", first: split + 1, second: program.length };
    }
  }
  for (const end of ends) program[end] = { op: "split", first: program.length, second: program.length };
  return true;
}

function emitRepeat(node: Extract<Node, { kind: "repeat" }>, program: Instruction[]): boolean {
  for (let i = 0; i < node.least; i++) if (!emit(node.part, program)) return false;
  if (node.most === Infinity) {
    const split = program.length;
    program.push({ op: "match" });
    if (!emit(node.part, program)) return false;
    program.push({ op: "split", first: split, second: split });
    program[split] = { op: "split", first: split + 1, second: program.length };
    return true;
  }
  const splits: number[] = [];
  for (let i = node.least; i < node.most; i++) {
    splits.push(program.length);
    program.push({ op: "match" });
    if (!emit(node.part, program)) return false;
  }
  for (const split of splits) program[split] = { op: "split", first: split + 1, second: program.length };
  return true;
}

/** Does the program match anywhere in the line? */
function run(program: readonly Instruction[], line: string): boolean {
  let current: number[] = [];
  const mark = new Int32Array(program.length).fill(-1);
  for (let at = 0; at <= line.length; at++) {
    const stack = [0, ...current];
    const sets: number[] = [];
    while (stack.length > 0) {
      const index = stack.pop() ?? 0;
      if (mark[index] === at) continue;
      mark[index] = at;
      const instruction = program[index];
      if (instruction.op === "match") return true;
      if (instruction.op === "set") sets.push(index);
      else if (instruction.op === "split") stack.push(instruction.second, instruction.first);
      else if (instruction.op === "start" ? at === 0 : at === line.length) stack.push(index + 1);
    }
    const code = line.charCodeAt(at);
    current = [];
    for (const index of sets) {
      const instruction = program[index];
      if (instruction.op === "set" && at < line.length && contains(instruction.set, code)) current.push(index + 1);
    }
  }
  return false;
}

function contains(set: CharacterSet, code: number): boolean {
  for (const [low, high] of set.ranges) if (code >= low && code <= high) return !set.negated;
  return set.negated;
}
