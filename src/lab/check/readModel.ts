import { failed } from "../../kernel/mm/errno.ts";
import type { Task } from "../../kernel/mm/records.ts";
import { vmaAt } from "../../kernel/mm/vma.ts";
import { meminfoText, vmstatText } from "../../observe/systemText.ts";
import { smapsEntry, smapsRollupText, statusText } from "../../observe/taskText.ts";
import type { LearnerWorld } from "../../session/learnerWorld.ts";
import { leafAt, type Leaf } from "../../session/why/readState.ts";
import type { AddressExpr, RangeExpr } from "../../shell/operation.ts";
import type { ReadPath } from "./paths.ts";

/** What was read. `unit` is "kB" or "". */
export interface Value {
  readonly value: number | string | readonly string[];
  readonly unit: string;
}

const PAGE = 4096n;
const MAPPED: Readonly<Record<Leaf["kind"], string>> = {
  notMapped: "not-mapped",
  none: "none",
  guard: "guard",
  other: "marker",
  zero: "zero-page",
  hugeZero: "huge-zero-page",
  pte: "pte",
  pmd: "pmd",
};

/** The value of `name` in a text of lines `Name:   123 kB`, with or without unit. */
function lineValue(text: string, name: string): Value | null {
  for (const line of text.split("\n")) {
    if (!line.startsWith(`${name}:`)) continue;
    const rest = line.slice(name.length + 1).trim();
    const number = /^(\d+)( kB)?$/.exec(rest);
    return number === null ? { value: rest, unit: "" } : { value: Number(number[1]), unit: number[2] === undefined ? "" : "kB" };
  }
  return null;
}

/** Reads a learner's world as commands show it. It changes nothing, and answers null where there is nothing to be read. */
export class ReadModel {
  readonly #world: LearnerWorld;
  /** files that were printed since the world moved: printing smaps walks every page */
  readonly #printed = new Map<string, string>();

  constructor(world: LearnerWorld) {
    this.#world = world;
  }

  /** To be called whenever the world has moved. */
  forget(): void {
    this.#printed.clear();
  }

  #print(file: string, print: () => string): string {
    const known = this.#printed.get(file);
    if (known !== undefined) return known;
    const text = print();
    this.#printed.set(file, text);
    return text;
  }

  read(path: ReadPath, process: string): Value | null {
    const { machine } = this.#world;
    const k = machine.kernel;
    switch (path.kind) {
      case "meminfo":
        return lineValue(
          this.#print("meminfo", () => meminfoText(k)),
          path.field,
        );
      case "vmstat": {
        const found = this.#print("vmstat", () => vmstatText(k))
          .split("\n")
          .find((line) => line.startsWith(`${path.name} `));
        return found === undefined ? null : { value: Number(found.slice(path.name.length + 1)), unit: "" };
      }
      case "mthp":
        return this.#file(`/sys/kernel/mm/transparent_hugepage/hugepages-${path.size}/stats/${path.item}`, true);
      case "setting":
        return this.#file(path.path, false);
      case "result":
        return null;
      default: {
        const task = this.#task(process);
        return task === null ? null : this.#ofTask(path, task);
      }
    }
  }

  #ofTask(path: Exclude<ReadPath, { kind: "meminfo" | "vmstat" | "mthp" | "setting" | "result" }>, task: Task): Value | null {
    const k = this.#world.machine.kernel;
    if (path.kind === "rollup")
      return lineValue(
        this.#print(`rollup ${task.mm}`, () => smapsRollupText(k, task)),
        path.field,
      );
    if (path.kind === "status") return lineValue(statusText(k, task, 0), path.field);
    const vpn = this.page(path.at);
    if (vpn === null) return null;
    if (path.kind === "page") {
      const leaf = leafAt(k, task.mm, vpn);
      if (path.what === "mapped") return { value: MAPPED[leaf.kind], unit: "" };
      if (path.what === "order") return leaf.head < 0 ? null : { value: leaf.order, unit: "" };
      const order = leaf.kind === "pmd" || leaf.kind === "hugeZero" ? k.geo.pmdOrder : 0;
      return { value: leaf.head < 0 ? 0 : 4 * 2 ** order, unit: "kB" };
    }
    const vma = vmaAt(k, task.mm, vpn);
    if (vma === undefined) return null;
    if (path.kind === "vma") {
      if (path.what === "size") return { value: (vma.end - vma.start) * 4, unit: "kB" };
      return { value: this.#world.slots.print((path.what === "start" ? vma.start : vma.end) * 4096), unit: "" };
    }
    const found = lineValue(
      this.#print(`smaps ${task.mm} ${vma.start}`, () => smapsEntry(k, vma)),
      path.field,
    );
    return found !== null && path.field === "VmFlags" ? { value: String(found.value).split(" "), unit: "" } : found;
  }

  #task(process: string): Task | null {
    const found = this.#world.find(process);
    return found === undefined ? null : this.#world.task(found);
  }

  /** A kernel file: the value in brackets, or the first line. */
  #file(path: string, number: boolean): Value | null {
    const text = this.#world.machine.readFile(path);
    if (failed(text)) return null;
    const value = /\[([^\]]*)\]/.exec(text)?.[1] ?? text.split("\n")[0];
    return { value: number ? Number(value) : value, unit: "" };
  }

  /** Page number of an address; null for a name that nobody gave a meaning, and beyond the address space of a process. */
  page(at: AddressExpr): number | null {
    const resolved = this.#resolve(at);
    if (resolved === null) return null;
    const vpn = Number(resolved.address / PAGE);
    return vpn < this.#world.machine.kernel.geo.taskSizePages ? vpn : null;
  }

  /** The pages [from, to) of a range, to the end of what the name ever mapped where it gives no length; null as for `page`. */
  pages(range: RangeExpr): { readonly from: number; readonly to: number } | null {
    const resolved = this.#resolve(range.at);
    if (resolved === null) return null;
    const length = range.lengthBytes ?? resolved.restBytes;
    const from = Number(resolved.address / PAGE);
    const to = Number((resolved.address + length + PAGE - 1n) / PAGE);
    return from < this.#world.machine.kernel.geo.taskSizePages ? { from, to } : null;
  }

  #resolve(at: AddressExpr): { readonly address: bigint; readonly restBytes: bigint } | null {
    const { slots } = this.#world;
    // a name that nobody gave a meaning must not take a slot
    if (at.name !== null && !slots.names().includes(at.name)) return null;
    const resolved = slots.copy().resolve(at);
    if (resolved === undefined) return null;
    return { address: resolved.address, restBytes: slots.defaultLength(resolved.address, resolved.slot) };
  }
}
