import { printProt } from "../../shell/command/printOperation.ts";
import { ADVICE_NUMBERS } from "../../shell/command/words.ts";
import { printNumber } from "../../shell/numbers.ts";
import { SLOT_BASE, SLOT_BYTES } from "../slots.ts";
import { ScriptFiles } from "./scriptFiles.ts";
import { shmLine } from "./shmSteps.ts";
import type { ExportMachine } from "./exportPath.ts";
import type { AccessStep, CallStep, PathStep } from "./pathSteps.ts";

/**
 * The session as a script of conformance/GRAMMAR.md: `hugelab run` gives the same observations. Addresses that the kernel chose are moved into
 * the 16 GiB of one more name, all by the same distance, a multiple of 1 GiB: alignment and neighbours stay what they were.
 */

type Say = (key: string, args?: Readonly<Record<string, string | number>>) => string;

const MMAP_BITS: readonly (readonly [bit: bigint, word: string])[] = [
  [0x20n, "anon"],
  [0x100n, "growsdown"],
  [0x2000n, "locked"],
  [0x4000n, "noreserve"],
  [0x8000n, "populate"],
  [0x10000n, "nonblock"],
  [0x20000n, "stack"],
];
const MMAP_TYPES: Readonly<Record<string, string>> = { "1": "shared", "2": "private", "3": "shared_validate", "8": "droppable" };
const ANONYMOUS = 0x20n;
const FIXED = 0x10n;
const FIXED_NOREPLACE = 0x100000n;

export function scriptText(steps: readonly PathStep[], heading: readonly string[], machine: ExportMachine, say: Say): string {
  const writer = new ScriptWriter(steps, machine.names);
  const lines = steps.flatMap((step): string[] => {
    if (step.kind === "call" && step.script === "") return [];
    return [lineOf(step)];
  });
  function lineOf(step: PathStep): string {
    if (step.isStopped) return `# ${say("session.export.stopped", { command: step.command })}`;
    const body = writer.body(step);
    if (body === null) return `# ${say(step.kind === "call" ? "session.export.notHere" : "session.export.tool", { command: step.command })}`;
    if (body === "") return `# ${step.command}`;
    const whose = step.process === "P" || body.startsWith("sys ") ? "" : `@${step.process} `;
    return body
      .split("\n")
      .map((line) => whose + line)
      .join("\n");
  }
  const settings = machine.config.map(([path, value]) => `sys set ${path} ${value}`);
  return [...heading.map((line) => `# ${line}`), ...settings, ...lines, ""].join("\n");
}

class ScriptWriter {
  /** names of the session in order of their slots */
  readonly #names: readonly string[];
  /** name of the memory that had none */
  readonly #kernelName: string;
  readonly #files = new ScriptFiles();
  /** where the memory that has no name begins */
  readonly #base: bigint | null;

  constructor(steps: readonly PathStep[], names: readonly string[]) {
    this.#names = names;
    let free = "K";
    while (names.includes(free)) free += "K";
    this.#kernelName = free;
    const chosen: bigint[] = [];
    const note = (address: bigint): void => {
      if (this.#slotOf(address) === null) chosen.push(address);
    };
    for (const step of steps) {
      if (step.kind === "access") note(step.address);
      if (step.kind !== "call") continue;
      if ((step.call === "mmap" || step.call === "shmat") && step.result !== null) note(step.result);
      else if (["munmap", "mprotect", "madvise", "mlock", "munlock", "mlock2", "mincore", "msync", "mseal", "mremap"].includes(step.call)) note(step.args[0]);
      if (step.call === "mremap" && step.result !== null) note(step.result);
    }
    const top = chosen.reduce((most, address) => (address > most && address < 1n << 47n ? address : most), 0n);
    this.#base = top === 0n ? null : ((top >> 30n) + 1n - 16n) << 30n;
  }

  /** The line without the name of its process; null when the grammar has none. */
  body(step: PathStep): string | null {
    const onFile = this.#files.line(step);
    if (onFile !== undefined && !(step.kind === "call" && step.script !== null)) return onFile;
    switch (step.kind) {
      case "call":
        return this.#call(step);
      case "access":
        return this.#access(step);
      case "exit":
        return "exit";
      case "other":
        if (step.set !== null) return `sys set ${step.set.path} ${step.set.value}`;
        if (step.script !== null) return step.script;
        return settingOf(step.command);
    }
  }

  #slotOf(address: bigint): number | null {
    const slot = Number((address - SLOT_BASE) / SLOT_BYTES);
    return address >= SLOT_BASE && slot < this.#names.length ? slot : null;
  }

  #place(address: bigint): string {
    const slot = this.#slotOf(address);
    const base = slot === null ? this.#base : SLOT_BASE + SLOT_BYTES * BigInt(slot);
    if (base === null || address < base || address - base >= SLOT_BYTES) return `0x${address.toString(16)}`;
    const name = slot === null ? this.#kernelName : this.#names[slot];
    return address === base ? name : `${name}+${printNumber(address - base)}`;
  }

  #access({ how, mode, address, lengthBytes, stepBytes, value }: AccessStep): string {
    const at = `${this.#place(address)} ${printNumber(lengthBytes)}`;
    if (how !== "touch") return `${how} ${at}`;
    return `touch ${at} ${mode}${stepBytes === 4096n ? "" : ` step=${printNumber(stepBytes)}`}${mode === "w" ? ` v=${value}` : ""}`;
  }

  #call(step: CallStep): string | null {
    if (step.script !== null) return step.script;
    const { call, args } = step;
    const onSegment = shmLine(step, (address) => this.#place(address), this.#kernelName);
    if (onSegment !== undefined) return onSegment;
    const range = (): string => `${this.#place(args[0])} ${printNumber(BigInt.asUintN(64, args[1]))}`;
    switch (call) {
      case "mmap":
        return this.#mmap(step);
      case "munmap":
      case "mlock":
      case "munlock":
      case "mincore":
        return `${call} ${range()}`;
      case "msync":
        return args[2] === 4n ? `msync ${range()}` : null;
      case "mseal":
        return args[2] === undefined || args[2] === 0n ? `mseal ${range()}` : null;
      case "mlock2":
        return args[2] > 1n ? null : `mlock2 ${range()}${args[2] === 1n ? " onfault" : ""}`;
      case "mprotect":
        return args[2] > 7n ? null : protectLine(range(), args[2]);
      case "madvise": {
        const name = Object.entries(ADVICE_NUMBERS).find(([, number]) => BigInt(number) === args[2])?.[0];
        return name === undefined ? null : `madvise ${range()} ${name}`;
      }
      case "mremap":
        return this.#mremap(step);
      case "mlockall":
        return args[0] > 7n ? null : `mlockall${["current", "future", "onfault"].map((word, i) => ((args[0] >> BigInt(i)) & 1n ? ` ${word}` : "")).join("")}`;
      case "munlockall":
        return call;
      case "sbrk":
        return `brk ${BigInt.asIntN(64, args[0])}`;
      case "fork":
        return step.child === null ? null : `fork ${step.child}`;
      case "prctl":
        return prctlLine(args);
      case "setrlimit": {
        const resource = { "2": "data", "8": "memlock", "9": "as" }[String(args[0])];
        return resource === undefined || step.limits === null ? null : `rlimit ${resource} ${step.limits[0]}`;
      }
      default:
        return null;
    }
  }

  #mmap(step: CallStep): string | null {
    const { args, result } = step;
    const [address, length, prot, flags, fd, offset] = args;
    const words = MMAP_BITS.filter(([bit]) => (flags & bit) !== 0n).map(([, word]) => word);
    const type = MMAP_TYPES[String(flags & 0xfn)];
    const known = MMAP_BITS.reduce((bits, [bit]) => bits | bit, 0xfn | FIXED | FIXED_NOREPLACE);
    if (type === undefined || (flags & ~known) !== 0n || prot > 7n) return null;
    const file = (flags & ANONYMOUS) !== 0n || fd < 0n ? "" : this.#files.fileWord(step, fd);
    // of anonymous memory only an offset of 0 means nothing
    if (file === null || (file === "" && offset !== 0n)) return null;
    // what the kernel placed goes to the same place; what it refused is refused there too
    const isFixed = (flags & (FIXED | FIXED_NOREPLACE)) !== 0n;
    if (!isFixed && result === null && address === 0n) words.push("noaddr");
    const at = words.includes("noaddr") ? this.#kernelName : this.#place((flags & (FIXED | FIXED_NOREPLACE)) === 0n && result !== null ? result : address);
    if (at.startsWith("0x")) return null;
    const name = /^\w+/.exec(at)?.[0] ?? this.#kernelName;
    const where = at === name ? "" : ` at=${at}`;
    const fixed = (flags & FIXED_NOREPLACE) === 0n && (flags & FIXED) !== 0n ? " fixed" : "";
    return `mmap ${name} ${printNumber(BigInt.asUintN(64, length))} ${printProt(Number(prot))} ${[type, ...words].join(" ")}${fixed}${where}${file === "" ? "" : ` ${file}`}${offset === 0n ? "" : ` off=${printNumber(BigInt.asUintN(64, offset))}`}`;
  }

  #mremap({ args, result }: CallStep): string | null {
    const [address, oldBytes, newBytes, flags, target] = args;
    if (flags > 7n) return null;
    // a place that the kernel chose is said, so that it is the same one
    const moved = (flags & 2n) === 0n && result !== null && result !== address;
    const fixed = (flags & 2n) !== 0n ? target : moved ? result : null;
    const words = [flags & 1n ? " maymove" : "", fixed === null ? "" : ` fixed=${this.#place(fixed)}`, flags & 4n ? " dontunmap" : ""];
    return `mremap ${this.#place(address)} ${printNumber(oldBytes)} ${printNumber(newBytes)}${words.join("")}`;
  }
}

const protectLine = (range: string, prot: bigint): string => `mprotect ${range} ${printProt(Number(prot))}`;

function prctlLine(args: readonly bigint[]): string | null {
  if (args[0] === 42n) return args.slice(1).every((each) => each === 0n) ? "prctl get_thp_disable" : null;
  if (args[0] !== 41n || args[3] !== 0n || args[4] !== 0n) return null;
  if (args[2] === 0n && args[1] >= 0n && args[1] < 256n) return `prctl thp_disable ${args[1]}`;
  return args[1] === 1n && args[2] === 2n ? "prctl thp_disable except" : null;
}

/** `echo VALUE > /sys/..`, alone on its line, as a setting. */
function settingOf(command: string): string | null {
  const found = /^\s*(?:sudo\s+)?echo\s+([\w.,-]+)\s*>\s*(\/(?:sys|proc\/sys)\/[\w./-]+)\s*$/.exec(command);
  return found === null ? null : `sys set ${found[2]} ${found[1]}`;
}
