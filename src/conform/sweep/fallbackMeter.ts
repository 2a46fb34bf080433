import type { Message } from "../../kernel/message.ts";
import type { Decision, Tracer } from "../../kernel/why/tracer.ts";
import { causeMessage, type PlaceNames } from "../../session/why/explanation.ts";
import type { Fallback } from "../model.ts";

interface Group {
  readonly order: number;
  readonly rule: string;
  readonly symbol: string;
  readonly address: number;
  readonly why: readonly Message[];
  faults: number;
  readonly blocks: Set<number>;
}

const NAMES: PlaceNames = { address: (vpn) => `0x${(vpn * 4096).toString(16)}`, file: (inode) => `inode ${inode}` };

/** Looks on while faults run, and groups what was refused them by order and rule. */
export class FallbackMeter implements Tracer {
  readonly #pmdOrder: number;
  readonly #groups = new Map<string, Group>();
  /** by aligned block, why its first fault got no huge page: later ones find the page table that this left */
  readonly #first = new Map<number, Group>();

  constructor(pmdOrder: number) {
    this.#pmdOrder = pmdOrder;
  }

  decide(d: Decision): void {
    if (!d.rule.startsWith("thp.") || d.rule === "thp.allowed" || d.rule === "thp.hugeZero" || d.rule === "thp.noHugeZero") return;
    const smaller = /^not order (\d+)$/.exec(d.outcome);
    const order = smaller === null ? this.#pmdOrder : Number(smaller[1]);
    // that a size is switched off needs no reason
    if (order !== this.#pmdOrder && (d.rule === "thp.sizeNever" || d.rule === "thp.settingNever")) return;
    const block = Math.floor(d.vpn / 2 ** this.#pmdOrder);
    const isPmd = order === this.#pmdOrder;
    const group = (isPmd && d.rule === "thp.tableThere" ? this.#first.get(block) : undefined) ?? this.#groupOf(d, order);
    group.faults++;
    group.blocks.add(block);
    if (isPmd && d.rule !== "thp.tableThere") this.#first.set(block, group);
  }

  /** What was refused so far, the most first. */
  result(): readonly Fallback[] {
    const groups = [...this.#groups.values()].sort((a, b) => b.order - a.order || b.faults - a.faults);
    return groups.map(({ order, rule, symbol, address, why, faults, blocks }) => ({ order, rule, symbol, faults, blocks: blocks.size, address, why }));
  }

  #groupOf(d: Decision, order: number): Group {
    const key = `${order} ${d.symbol} ${d.rule}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const rule: Message = { key: `session.why.rule.${d.rule}`, args: { symbol: d.symbol, outcome: d.outcome } };
    const why = [rule, ...d.causes.map((cause) => causeMessage(NAMES, cause))];
    const group: Group = { order, rule: d.rule, symbol: d.symbol, address: d.vpn * 4096, why, faults: 0, blocks: new Set() };
    this.#groups.set(key, group);
    return group;
  }
}
