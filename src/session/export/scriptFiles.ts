import { FALLOC } from "../../kernel/mm/shmemFile.ts";
import { FADVISE_NUMBERS } from "../../shell/command/words.ts";
import { printNumber } from "../../shell/numbers.ts";
import type { CallStep, PathStep } from "./pathSteps.ts";

/**
 * Calls on descriptors as lines of a script, which knows files by name or path and has no descriptors: what a descriptor stands for and
 * where its position is are followed here.
 */

/** An open file of the session (struct file). */
interface Opened {
  /** as a line of the script names it */
  readonly name: string;
  readonly isMemfd: boolean;
  readonly readOnly: boolean;
  readonly appends: boolean;
  position: bigint;
  /** descriptors of all processes */
  users: number;
  /** the name leads to nothing, or to another file */
  isLost: boolean;
}

const CREAT = 0o100n;
const TRUNC = 0o1000n;
const APPEND = 0o2000n;
/** a word of a script takes these */
const WORD = /^[\w./-]{1,159}$/;
const FALLOC_WORDS: Readonly<Record<number, string>> = {
  0: "alloc",
  [FALLOC.keepSize]: "keep",
  [FALLOC.keepSize | FALLOC.punchHole]: "punch",
  [FALLOC.zeroRange]: "zero",
  [FALLOC.collapseRange]: "collapse",
};

/** A line, or null where the grammar has none; "" where nothing has to be said. */
type Line = string | null;

export class ScriptFiles {
  /** descriptors by process and number */
  readonly #fds = new Map<string, Map<bigint, Opened>>();
  #memfds = 0;

  /** The line of a call on files; undefined for another call. Every step has to pass by, in order. */
  line(step: PathStep): Line | undefined {
    if (step.kind === "exit") this.#exit(step.process);
    if (step.kind !== "call") return undefined;
    if (step.call === "fork" && step.child !== null) this.#fork(step.process, step.child);
    return this.#call(step);
  }

  /** `file=a`, for a mapping of what a descriptor stands for; null: a script cannot name it. */
  fileWord(step: CallStep, fd: bigint): string | null {
    const file = this.#of(step.process).get(fd);
    return file === undefined || file.isLost ? null : `${file.readOnly ? "rofile" : "file"}=${file.name}`;
  }

  #of(process: string): Map<bigint, Opened> {
    const known = this.#fds.get(process);
    if (known !== undefined) return known;
    const made = new Map<bigint, Opened>();
    this.#fds.set(process, made);
    return made;
  }

  #fork(parent: string, child: string): void {
    const copy = new Map(this.#of(parent));
    for (const file of copy.values()) file.users++;
    this.#fds.set(child, copy);
  }

  #exit(process: string): void {
    for (const file of this.#of(process).values()) file.users--;
    this.#fds.delete(process);
  }

  #install(process: string, fd: bigint, file: Opened): void {
    this.#close(process, fd);
    file.users++;
    this.#of(process).set(fd, file);
  }

  #close(process: string, fd: bigint): Opened | undefined {
    const file = this.#of(process).get(fd);
    if (file === undefined) return undefined;
    file.users--;
    this.#of(process).delete(fd);
    return file;
  }

  #call(step: CallStep): Line | undefined {
    const { call, args, texts, result, errno, process } = step;
    const file = this.#of(process).get(args[0]);
    const on = (text: (name: string) => string): Line => (file === undefined || file.isLost ? null : text(file.name));
    switch (call) {
      case "open":
        return this.#open(step, texts[0], args[1]);
      case "openat":
        return this.#open(step, texts[1], args[2]);
      case "creat":
        return this.#open(step, texts[0], CREAT | TRUNC | 1n);
      case "memfd_create":
        return this.#memfd(step);
      case "dup":
      case "dup2":
      case "dup3":
        if (result !== null && file !== undefined && result !== args[0]) this.#install(process, result, file);
        return errno === null ? "" : null;
      case "close": {
        const closed = this.#close(process, args[0]);
        if (errno !== null) return null;
        return closed !== undefined && closed.isMemfd && closed.users === 0 ? `memfd_close ${closed.name}` : "";
      }
      case "ftruncate":
        return on((name) => `truncate ${name} ${printNumber(BigInt.asUintN(64, args[1]))}`);
      case "truncate":
        return word(texts[0], (name) => `truncate ${name} ${printNumber(BigInt.asUintN(64, args[1]))}`);
      case "fallocate": {
        const mode = FALLOC_WORDS[Number(args[1])];
        if (mode === undefined || args[2] < 0n || args[3] < 0n) return null;
        return on((name) => `falloc ${name} ${mode} ${printNumber(args[2])} ${printNumber(args[3])}`);
      }
      case "posix_fadvise":
      case "fadvise64": {
        const advice = Object.entries(FADVISE_NUMBERS).find(([, number]) => BigInt(number) === args[3])?.[0];
        if (advice === undefined || args[1] < 0n || args[2] < 0n) return null;
        return on((name) => `fadvise ${name} ${printNumber(args[1])} ${printNumber(args[2])} ${advice}`);
      }
      case "fsync":
      case "fdatasync":
        return on((name) => `fsync ${name}`);
      case "fstat":
        return errno === null ? "" : null;
      case "lseek":
        if (file !== undefined && result !== null) file.position = result;
        return errno === null ? "" : null;
      case "unlink":
        return this.#unlink(step);
      case "read":
      case "pread":
      case "pread64":
      case "write":
      case "pwrite":
      case "pwrite64":
        return this.#transfer(step, file);
      default:
        return undefined;
    }
  }

  #open(step: CallStep, path: string | null | undefined, flags: bigint): Line {
    if (step.result === null || path === null || path === undefined) return null;
    const file: Opened = {
      name: path,
      isMemfd: false,
      readOnly: (flags & 3n) === 0n,
      appends: (flags & APPEND) !== 0n,
      position: 0n,
      users: 0,
      isLost: !WORD.test(path),
    };
    this.#install(step.process, step.result, file);
    if (file.isLost) return null;
    const base = path.slice(path.lastIndexOf("/") + 1).slice(0, 15);
    const lines = [flags & CREAT ? `file ${base} ${path}` : "", flags & TRUNC ? `truncate ${path} 0` : ""];
    return lines.filter((line) => line !== "").join("\n");
  }

  #memfd(step: CallStep): Line {
    if (step.result === null) return null;
    const name = `memfd${++this.#memfds}`;
    this.#install(step.process, step.result, { name, isMemfd: true, readOnly: false, appends: false, position: 0n, users: 0, isLost: false });
    return `memfd ${name} 0`;
  }

  /** Who has the file open keeps it; a script, which opens it anew each time, does not. */
  #unlink({ texts, errno }: CallStep): Line {
    if (errno === null) for (const fds of this.#fds.values()) for (const file of fds.values()) if (file.name === texts[0]) file.isLost = true;
    return word(texts[0], (name) => `unlink ${name}`);
  }

  #transfer({ call, args, texts, result }: CallStep, file: Opened | undefined): Line {
    if (file === undefined) return null;
    const isAt = call.startsWith("p");
    const at = isAt ? args[3] : file.position;
    if (!isAt && result !== null) file.position += result;
    if (file.isLost || at < 0n || args[2] < 0n) return null;
    if (call.includes("read")) return `fread ${file.name} ${printNumber(at)} ${printNumber(args[2])}`;
    // a script writes one byte over and over, and does not append
    const text = texts[1];
    if (text === null || text === undefined || text === "" || file.appends || [...text].some((c) => c !== text[0])) return null;
    return `fwrite ${file.name} ${printNumber(at)} ${printNumber(args[2])} ${text.charCodeAt(0)}`;
  }
}

const word = (text: string | null | undefined, line: (word: string) => string): Line =>
  text !== null && text !== undefined && WORD.test(text) ? line(text) : null;
