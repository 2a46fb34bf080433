import type { AddressExpr } from "../shell/operation.ts";

/** Each name of a script owns 16 GiB of address space, in order of first mention (conformance/GRAMMAR.md). */
export const SLOT_BASE = 0x1000000000n;
export const SLOT_BYTES = 0x400000000n;
export const MAX_SLOTS = 64;

/** Where the named slots lie. */
export interface SlotLayout {
  readonly base: bigint;
  readonly bytes: bigint;
}

/** The layout of an address space of so many pages: that of the recorder, or one that fits into 2 GiB. */
export function slotLayout(taskSizePages: number): SlotLayout {
  return taskSizePages > 2 ** 32 ? { base: SLOT_BASE, bytes: SLOT_BYTES } : { base: 0x10000000n, bytes: 0x1000000n };
}

export interface Slot {
  readonly name: string;
  readonly base: bigint;
  /** bytes from the base to the end of what the name ever mapped */
  lengthBytes: bigint;
}

const MASK64 = (1n << 64n) - 1n;

/** The table of names. Part of the session's world: `copy` gives each history node its own. */
export class SlotTable {
  readonly layout: SlotLayout;
  private readonly slots: Slot[];

  constructor(layout: SlotLayout, slots: readonly Slot[] = []) {
    this.layout = layout;
    this.slots = slots.map((s) => ({ ...s }));
  }

  copy(): SlotTable {
    return new SlotTable(this.layout, this.slots);
  }

  all(): readonly Slot[] {
    return this.slots;
  }

  /** The slot of a name, made if need be; undefined when all are taken. Names count to 15 characters. */
  get(nameIn: string): Slot | undefined {
    const name = nameIn.slice(0, 15);
    const found = this.slots.find((s) => s.name === name);
    if (found !== undefined) return found;
    if (this.slots.length >= MAX_SLOTS) return undefined;
    const slot: Slot = { name, base: this.layout.base + this.layout.bytes * BigInt(this.slots.length), lengthBytes: 0n };
    this.slots.push(slot);
    return slot;
  }

  /** Address of an expression (mod 2^64) and the slot it names. */
  resolve(e: AddressExpr): { address: bigint; slot: Slot | undefined } | undefined {
    if (e.name === null) return { address: e.offsetBytes & MASK64, slot: undefined };
    const slot = this.get(e.name);
    return slot === undefined ? undefined : { address: (slot.base + e.offsetBytes) & MASK64, slot };
  }

  /** Length of a range that gives none: to the end of what the name ever mapped (mod 2^64, as the recorder computes it). */
  defaultLength(address: bigint, slot: Slot | undefined): bigint {
    return slot === undefined ? 0n : (slot.lengthBytes - (address - slot.base)) & MASK64;
  }

  inSlots(address: number): boolean {
    const { base, bytes } = this.layout;
    return address >= Number(base) && address < Number(base + bytes * BigInt(MAX_SLOTS));
  }

  /** Text of an address: NAME+0x..., "0" or "other". */
  print(address: number): string {
    if (this.inSlots(address)) {
      const i = Math.floor((address - Number(this.layout.base)) / Number(this.layout.bytes));
      const slot = this.slots[i];
      if (slot !== undefined) return `${slot.name}+0x${(address - Number(slot.base)).toString(16)}`;
    }
    return address === 0 ? "0" : "other";
  }
}
