import { FIRST_PROCESS, parseLine } from "./command/parseLine.ts";
import { linesOf, MOST_ERRORS } from "./command/parseScript.ts";
import { shorten } from "./command/tokenCursor.ts";
import { closest } from "./editDistance.ts";
import type { Operation } from "./operation.ts";
import { parseError, type ParseError } from "./parseError.ts";
import { operationText, splitTokens, type Token } from "./tokens.ts";

/** threads of one script: each has a CPU of its own, and interleavings grow with their number */
export const MOST_THREADS = 8;
/** preemptions the explorer may be asked for */
export const MOST_BOUND = 64;

export interface ScriptThread {
  readonly name: string;
  /** counted from 1 */
  readonly line: number;
  readonly operations: readonly Operation[];
}

/** A script for `hugelab explore` (docs/language.md): a set-up carried out once, then threads of process P in every order. */
export interface ThreadedScript {
  /** release to boot, or null for the profile's own */
  readonly release: string | null;
  /** patches switched on or off against the release, in order */
  readonly patches: readonly { readonly id: string; readonly on: boolean; readonly line: number }[];
  /** most preemptions in one interleaving, or null for the explorer's default */
  readonly bound: number | null;
  readonly setup: readonly Operation[];
  readonly threads: readonly ScriptThread[];
}

export interface ParsedThreadedScript {
  readonly script: ThreadedScript;
  /** empty when the script parsed; as ParsedScript.errors */
  readonly errors: readonly ParseError[];
}

const HEADS = ["option", "setup:", "thread", "check:"] as const;

/** Parses a threaded script. Never throws; time linear in the source. */
export function parseThreadedScript(source: string): ParsedThreadedScript {
  const reader = new ThreadedReader();
  let last = 1;
  for (const [line, text] of linesOf(source)) {
    last = line;
    if (!reader.line(text, line)) break;
  }
  return reader.finish(last);
}

type Section = { readonly kind: "none" | "setup" | "check" } | { readonly kind: "thread"; readonly operations: Operation[] };

class ThreadedReader {
  #release: string | null = null;
  #bound: number | null = null;
  #section: Section = { kind: "none" };
  readonly #patches: { id: string; on: boolean; line: number }[] = [];
  readonly #setup: Operation[] = [];
  readonly #threads: { name: string; line: number; operations: Operation[] }[] = [];
  readonly #errors: ParseError[] = [];

  /** Reads one line; false when nothing more is to be read. */
  line(text: string, line: number): boolean {
    const found = operationText(text);
    const tokens = splitTokens(found.text.slice(0, 400), found.start);
    const first = tokens[0];
    if (first === undefined) return true;
    if (first.text === "option") this.#option(tokens, line);
    else if (first.text === "setup:" || first.text === "check:") this.#head(tokens, line, first.text);
    else if (first.text === "thread" || first.text === "thread:") this.#thread(tokens, line);
    else if (this.#section.kind === "check") this.#check(tokens, line);
    else return this.#operation(text, line, first);
    return this.#errors.length <= MOST_ERRORS;
  }

  /** What was read; `line` is the last line, for what is missing. */
  finish(line: number): ParsedThreadedScript {
    if (this.#threads.length === 0 && this.#errors.length === 0) this.#errors.push(parseError(line, 1, 1, "shell.threads.none"));
    if (this.#errors.length > MOST_ERRORS) {
      const at = this.#errors[MOST_ERRORS].line;
      this.#errors.splice(MOST_ERRORS, Infinity, parseError(at, 1, 1, "shell.tooManyErrors", { most: MOST_ERRORS }));
    }
    const script = { release: this.#release, patches: this.#patches, bound: this.#bound, setup: this.#setup, threads: this.#threads };
    return { script, errors: this.#errors };
  }

  #fail(token: Token, line: number, key: string, args: Readonly<Record<string, string | number>> = {}, suggestion: string | null = null): void {
    this.#errors.push(parseError(line, token.column, token.text.length, key, args, suggestion));
  }

  /** A word of `option` or of a head that must be there. */
  #word(tokens: readonly Token[], index: number, line: number, what: string, usage: string): Token | null {
    const token = tokens[index];
    if (token !== undefined) return token;
    const last = tokens[tokens.length - 1];
    this.#errors.push(parseError(line, last.column + last.text.length + 1, 1, "shell.missingWord", { what, usage }));
    return null;
  }

  #noMore(tokens: readonly Token[], index: number, line: number, usage: string): boolean {
    const extra = tokens[index];
    if (extra !== undefined) this.#fail(extra, line, "shell.extraWord", { word: shorten(extra.text), usage });
    return extra === undefined;
  }

  #option(tokens: readonly Token[], line: number): void {
    const usage = "option release R | option patch +ID | option patch -ID | option bound N";
    const name = this.#word(tokens, 1, line, "OPTION", usage);
    if (name === null) return;
    const names = ["release", "patch", "bound"];
    if (!names.includes(name.text)) {
      this.#fail(name, line, "shell.notOneOf", { what: "OPTION", word: shorten(name.text), choices: names.join(" ") }, closest(name.text, names));
      return;
    }
    if (this.#section.kind !== "none") return this.#fail(tokens[0], line, "shell.threads.optionLate");
    const value = this.#word(tokens, 2, line, "VALUE", usage);
    if (value === null || !this.#noMore(tokens, 3, line, usage)) return;
    if (name.text === "release") {
      if (/^[\w.-]{1,40}$/.test(value.text)) this.#release = value.text;
      else this.#fail(value, line, "shell.threads.badRelease", { word: shorten(value.text) });
    } else if (name.text === "patch") {
      if (/^[+-][\w.-]{1,60}$/.test(value.text)) this.#patches.push({ id: value.text.slice(1), on: value.text.startsWith("+"), line });
      else this.#fail(value, line, "shell.threads.badPatch", { word: shorten(value.text) });
    } else if (/^\d{1,3}$/.test(value.text) && Number(value.text) <= MOST_BOUND) this.#bound = Number(value.text);
    else this.#fail(value, line, "shell.threads.badBound", { word: shorten(value.text), most: MOST_BOUND });
  }

  #head(tokens: readonly Token[], line: number, head: "setup:" | "check:"): void {
    if (!this.#noMore(tokens, 1, line, head)) return;
    if (head === "setup:" && this.#section.kind !== "none") return this.#fail(tokens[0], line, "shell.threads.setupFirst");
    this.#section = { kind: head === "setup:" ? "setup" : "check" };
  }

  #thread(tokens: readonly Token[], line: number): void {
    const usage = "thread NAME:";
    const operations: Operation[] = [];
    // what follows a mistaken head is still read as a thread, so that one mistake is not twenty
    this.#section = { kind: "thread", operations };
    const token = tokens[0].text === "thread:" ? this.#word(tokens.slice(0, 1), 1, line, "NAME", usage) : this.#word(tokens, 1, line, "NAME", usage);
    if (token === null || !this.#noMore(tokens, 2, line, usage)) return;
    const name = token.text.slice(0, -1);
    if (!token.text.endsWith(":")) this.#fail(token, line, "shell.threads.noColon", { word: shorten(token.text) }, `${token.text}:`);
    else if (!/^[A-Za-z_][\w.]{0,14}$/.test(name)) this.#fail(token, line, "shell.badName", { what: "NAME", word: shorten(name) });
    else if (this.#threads.some((thread) => thread.name === name)) this.#fail(token, line, "shell.threads.twice", { name });
    else if (this.#threads.length === MOST_THREADS) this.#fail(token, line, "shell.threads.tooMany", { most: MOST_THREADS });
    else this.#threads.push({ name, line, operations });
  }

  /** Invariants are always checked, so there is nothing else to say. */
  #check(tokens: readonly Token[], line: number): void {
    if (tokens.length !== 1 || tokens[0].text !== "invariants") this.#fail(tokens[0], line, "shell.threads.check", {}, "invariants");
  }

  #operation(text: string, line: number, first: Token): boolean {
    // a line that ends with a colon is a head, however it is spelled
    const headLike = operationText(text).text.endsWith(":");
    const near = headLike || this.#section.kind === "none" ? closest(first.text, HEADS) : null;
    if (this.#section.kind === "none" || (headLike && near !== null)) {
      this.#fail(first, line, "shell.threads.noSection", { word: shorten(first.text) }, near);
      return this.#errors.length <= MOST_ERRORS;
    }
    const result = parseLine(text, line);
    if (result.kind === "quit") return false;
    if (result.kind === "error") this.#errors.push(result.error);
    else if (result.kind === "operation" && this.#section.kind === "setup") this.#setup.push(result.operation);
    else if (result.kind === "operation" && this.#section.kind === "thread") {
      if (first.text.startsWith("@") || result.operation.process !== FIRST_PROCESS) this.#fail(first, line, "shell.threads.process");
      else if (result.operation.body.op === "exit") this.#fail(first, line, "shell.threads.exit");
      else this.#section.operations.push(result.operation);
    }
    return this.#errors.length <= MOST_ERRORS;
  }
}
