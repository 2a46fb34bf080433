import { AddressModel, HUGE, KB, MB, PAGE } from "./addressModel.ts";
import type { Mapping } from "./addressModel.ts";
import type { Random } from "./random.ts";

/** A length or distance as a person would write it. */
export function numberText(bytes: number): string {
  if (bytes !== 0 && bytes % MB === 0) return `${bytes / MB}M`;
  if (bytes !== 0 && bytes % KB === 0) return `${bytes / KB}k`;
  return bytes < PAGE ? String(bytes) : `0x${bytes.toString(16)}`;
}

/** `A`, `A+4M+64k`, `A-4k` */
export function addressText(name: string, offset: number): string {
  if (offset === 0) return name;
  if (offset < 0) return `${name}-${numberText(-offset)}`;
  const rest = offset % MB;
  const whole = offset >= MB ? `+${Math.floor(offset / MB)}M` : "";
  return name + whole + (rest === 0 ? "" : `+${numberText(rest)}`);
}

export function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

export function roundDown(bytes: number, unit: number): number {
  return Math.floor(bytes / unit) * unit;
}

export interface Range {
  readonly start: number;
  readonly length: number;
}

export interface WrittenRange extends Range {
  readonly text: string;
}

/** What all generators share: the lines so far, the model of what they did, and random choices about both. */
export class ScriptWriter {
  readonly lines: string[] = [];
  readonly model = new AddressModel();
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  emit(operation: string, process = "P"): void {
    this.lines.push(process === "P" ? operation : `@${process} ${operation}`);
  }

  /** P, or one of its descendants */
  process(): string {
    const children = this.model.children;
    return children.length > 0 && this.random.chance(45) ? this.random.pick(children) : "P";
  }

  /** one of a process's mappings that fits, or null */
  mapping(process: string, fits: (mapping: Mapping) => boolean = () => true): Mapping | null {
    const list = this.model.mappings(process).filter(fits);
    return list.length > 0 ? this.random.pick(list) : null;
  }

  /** a page of a mapping, as a distance from the start of the slot */
  pageOf(mapping: Mapping): number {
    return mapping.start + this.random.below(Math.floor((mapping.end - mapping.start) / PAGE)) * PAGE;
  }

  /** sizes around the folio orders, the 2 MiB page and its neighbours */
  size(): number {
    // prettier-ignore
    return this.random.weighted([
      [4 * KB, 20], [8 * KB, 10], [16 * KB, 12], [32 * KB, 6], [60 * KB, 8], [64 * KB, 20], [100 * KB, 14], [128 * KB, 10], [256 * KB, 10],
      [512 * KB, 10], [1020 * KB, 8], [MB, 26], [2044 * KB, 18], [HUGE, 120], [HUGE + 4 * KB, 20], [3 * MB, 40], [4 * MB, 160],
      [4 * MB + 4 * KB, 10], [5 * MB, 30], [6 * MB, 70], [8 * MB, 60], [9 * MB, 20], [16 * MB, 4], [5000, 3],
    ]);
  }

  /** A range that has something to do with a mapping; `errors` is the weight of ranges that are wrong on purpose. */
  span(mapping: Mapping, errors = 8): Range {
    const { start, end } = mapping;
    const whole = { start, length: end - start };
    const pages = Math.max(1, Math.floor(whole.length / PAGE));
    const random = this.random;
    // prettier-ignore
    const kind = random.weighted([
      ["whole", 300], ["pmd", 500], ["page", 400], ["block", 300], ["pages", 400], ["head", 200], ["tail", 200], ["half", 100], ["cross", 90],
      ["over", errors * 6], ["misaligned", errors * 4], ["empty", (errors * 3) >> 1], ["oddLength", errors * 3], ["below", errors],
    ] as const);
    switch (kind) {
      case "whole":
        return whole;
      case "pmd": {
        const first = roundUp(start, HUGE);
        const count = Math.floor((end - first) / HUGE);
        if (count < 1) return whole;
        const index = random.below(count);
        return { start: first + index * HUGE, length: HUGE * random.between(1, Math.min(2, count - index)) };
      }
      case "page":
        return { start: this.pageOf(mapping), length: PAGE };
      case "block":
        return this.#block(mapping) ?? whole;
      case "pages": {
        const index = random.below(pages);
        return { start: start + index * PAGE, length: random.between(1, pages - index) * PAGE };
      }
      case "head":
        return { start, length: random.between(1, pages) * PAGE };
      case "tail": {
        const length = random.between(1, pages) * PAGE;
        return { start: end - length, length };
      }
      case "half":
        return { start: start + roundDown(whole.length / 2, PAGE), length: Math.max(PAGE, roundDown(whole.length / 2, PAGE)) };
      case "cross": {
        const edge = roundDown(start + HUGE, HUGE);
        if (edge >= end) return whole;
        return { start: edge - MB >= start ? edge - random.pick([PAGE, 64 * KB, MB]) : start, length: Math.min(2 * MB, whole.length) };
      }
      case "over":
        return { start: this.pageOf(mapping), length: whole.length + random.pick([PAGE, MB, HUGE]) };
      case "misaligned":
        return { start: this.pageOf(mapping) + random.pick([1, 0x800]), length: PAGE * random.between(1, 4) };
      case "empty":
        return { start, length: 0 };
      case "oddLength":
        return { start, length: Math.max(1, whole.length - random.pick([1, 0x800, 100])) };
      case "below":
        return { start: Math.max(0, start - random.pick([PAGE, 64 * KB, MB])), length: whole.length };
    }
  }

  #block(mapping: Mapping): Range | null {
    const length = this.random.pick([8 * KB, 16 * KB, 32 * KB, 64 * KB, 128 * KB, 512 * KB, MB]);
    const room = mapping.end - mapping.start - length;
    if (room <= 0) return null;
    const start = mapping.start + this.random.below(Math.floor(room / PAGE) + 1) * PAGE;
    const aligned = roundDown(start, length);
    return { start: this.random.chance(60) && aligned >= mapping.start ? aligned : start, length };
  }

  /** A range written as address and length; sometimes the length is left out and means "to the end of what the name ever mapped". */
  range(mapping: Mapping, errors = 8, mayLeaveOut = true): WrittenRange {
    const { start, length } = this.span(mapping, errors);
    const at = addressText(mapping.name, start);
    if (mayLeaveOut && this.random.chance(12) && start % PAGE === 0) {
      return { text: at, start, length: Math.max(0, this.model.everEnd(mapping.name) - start) };
    }
    return { text: `${at} ${numberText(length)}`, start, length };
  }

  /** the whole mapping, written out */
  all(mapping: Mapping): string {
    return `${addressText(mapping.name, mapping.start)} ${numberText(mapping.end - mapping.start)}`;
  }
}
