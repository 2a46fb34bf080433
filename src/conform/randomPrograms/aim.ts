import { vmasIn } from "../../kernel/mm/vma.ts";
import { VM } from "../../kernel/mm/vmFlags.ts";
import type { LearnerWorld } from "../../session/learnerWorld.ts";
import type { Random } from "../generate/random.ts";
import { OPERATIONS, type FaultKind, type OperationName } from "./cells.ts";
import { MEMORY_KINDS, memoryKind, type MemoryKind } from "./memoryKind.ts";
import { faultsOf } from "./reachable.ts";
import { recipe } from "./recipes.ts";

/** A page that some process could be asked about. */
export interface Place {
  readonly process: string;
  readonly vpn: number;
}

/** Pages of every kind that the processes have: a few of each mapping in the slots, and what lies beside. */
export function placesByKind(world: LearnerWorld, random: Random): Map<MemoryKind, Place[]> {
  const out = new Map<MemoryKind, Place[]>();
  const k = world.machine.kernel;
  for (const p of world.living()) {
    const { mm } = world.task(p);
    const add = (vpn: number): void => {
      if (!world.slots.inSlots(vpn * 4096)) return;
      const kind = memoryKind(k, mm, vpn);
      const places = out.get(kind);
      if (places === undefined) out.set(kind, [{ process: p.name, vpn }]);
      else places.push({ process: p.name, vpn });
    };
    for (const vma of vmasIn(k, mm, 0, k.geo.taskSizePages)) {
      const pages = vma.end - vma.start;
      const aligned = Math.ceil(vma.start / 512) * 512;
      for (const vpn of [vma.start, vma.end - 1, vma.start + random.below(pages), vma.start + random.below(pages)]) add(vpn);
      if (aligned < vma.end) add(aligned + 512 * random.below(Math.ceil((vma.end - aligned) / 512)));
      if ((vma.flags & VM.growsDown) !== 0) {
        add(vma.start - random.pick([1, 2, 16, 255, 300]));
        // further than RLIMIT_STACK lets it grow
        add(vma.start - 2100 - random.below(100));
      }
      add(vma.end);
    }
  }
  return out;
}

/** A cell to aim at: an operation on a kind of memory, and how its first access should go. */
interface Aim {
  readonly operation: OperationName;
  readonly kind: MemoryKind;
  readonly fault: FaultKind;
}

/** Every cell that can be reached. */
const AIMS: readonly Aim[] = OPERATIONS.flatMap((operation) =>
  MEMORY_KINDS.flatMap((kind) => faultsOf(operation, kind).map((fault) => ({ operation, kind, fault }))),
);

/** A prime above the number of aims of one kind of operation. */
const STEP = 211;

const LENGTHS = ["4k", "4k", "8k", "64k", "1M", "2M", "4M"] as const;

/**
 * Writes operations that aim at cells of the table one after the other, by looking at the machine: where no page of
 * a kind is there, the lines that make one come first.
 */
export class Aimer {
  private readonly world: LearnerWorld;
  private readonly random: Random;
  private readonly newName: () => string;
  private readonly queue: string[] = [];
  private next: number;
  /** the slot in which a recipe just made what the next aim needs; "": none yet */
  private made = "";
  private forks = 0;

  /** `first`: the aim to begin with; programs that begin at different ones reach all cells together. */
  constructor(world: LearnerWorld, random: Random, first: number, newName: () => string) {
    this.world = world;
    this.random = random;
    this.next = first % AIMS.length;
    this.newName = newName;
  }

  /** The next line. What it aims at may have to wait for lines after it. */
  line(places: ReadonlyMap<MemoryKind, readonly Place[]>): string {
    for (;;) {
      const queued = this.queue.shift();
      if (queued !== undefined) return queued;
      const aim = AIMS[this.next];
      const there = places.get(aim.kind) ?? [];
      const own = there.filter((place) => this.made !== "" && this.slotOf(place) === this.made);
      // what is there anyway is good enough where the outcome does not depend on more than its kind
      const needsOwn = faultsOf(aim.operation, aim.kind).length > 1 && this.made === "";
      const found = own.length > 0 ? own : there;
      if (found.length > 0 && !needsOwn) {
        this.advance();
        return this.text(aim.operation, this.random.pick(found));
      }
      if (this.made !== "") this.advance();
      else {
        this.made = this.newName();
        this.queue.push(...recipe(aim.kind, aim.fault, { world: this.world, random: this.random, name: this.made, fork: (process) => this.fork(process) }));
      }
    }
  }

  private advance(): void {
    // all aims are visited: the step has no factor in common with their number
    this.next = (this.next + STEP) % AIMS.length;
    this.made = "";
  }

  private slotOf(place: Place): string {
    return this.world.slots.print(place.vpn * 4096).split("+")[0];
  }

  /** A line that forks; one process ends first when there are many. */
  private fork(process: string): string[] {
    const living = this.world.living().map((p) => p.name);
    const children = living.filter((n) => n !== "P" && n !== process);
    const lines = living.length >= 5 && children.length > 0 ? [`@${this.random.pick(children)} exit`] : [];
    const child = `D${++this.forks}`;
    return [...lines, `@${process} fork ${child}`];
  }

  private text(operation: OperationName, place: Place): string {
    const { random } = this;
    const at = this.world.slots.print(place.vpn * 4096);
    const length = random.pick(LENGTHS);
    return whole(operation, place.process, random, this.world, (p) => this.fork(p)) ?? `@${place.process} ${this.rangeText(operation, at, length)}`;
  }

  private rangeText(operation: OperationName, at: string, length: string): string {
    const { random } = this;
    const value = random.chance(40) ? ` v=${random.below(256)}` : "";
    switch (operation) {
      case "touch r":
      case "touch w":
        return `touch ${at} ${length} ${operation.slice(-1)}${random.chance(30) ? " step=64k" : ""}${operation === "touch w" ? value : ""}`;
      case "touch x":
        return `touch ${at} x`;
      case "kread":
      case "kwrite":
        return `${operation} ${at} ${random.pick(["1", "4k", "4k", "8k"])}`;
      case "gup r":
      case "gup w":
        return `gup ${at} ${operation.slice(-1)}${random.chance(50) ? " fast" : ""}`;
      case "mlock":
        return `${random.pick(["mlock", "mlock2"])} ${at} ${random.chance(80) ? "4k" : length}`;
      case "mlock onfault":
        return `mlock2 ${at} ${length} onfault`;
      case "mmap":
        return `mmap ${this.newName()} ${length} ${random.pick(["rw", "rw", "r", "none", "rwx"])} private anon${random.pick([" fixed", " fixed", ""])} at=${at}`;
      case "mprotect":
        return `mprotect ${at} ${length} ${random.pick(["r", "rw", "rw", "none", "rx", "rwx"])}`;
      case "mremap move":
        return `mremap ${at} ${length} ${random.pick([length, length, "4k", "4M"])} maymove fixed=${this.newName()}${random.pick(["", "", "+4k", "+2M"])}`;
      case "mremap dontunmap":
        return `mremap ${at} ${length} ${length} maymove dontunmap fixed=${this.newName()}`;
      case "mremap resize":
        return `mremap ${at} ${length} ${random.pick(LENGTHS)}`;
      case "madvise other":
        return `madvise ${at} ${length} ${random.pick(["willneed", "normal", "random", "sequential", "dofork", "keeponfork", "dontdump", "dodump", "remove"])}`;
      case "madvise populate_read":
      case "madvise populate_write":
        return `${operation.replace("madvise ", `madvise ${at} ${random.chance(80) ? "4k" : length} `)}`;
      case "madvise guard_install":
        return `madvise ${at} ${random.pick(["4k", "64k"])} guard_install`;
      case "madvise collapse":
        return `madvise ${at} ${random.pick(["2M", "4M"])} collapse`;
      default: {
        const [call, advice = ""] = operation.split(" ");
        return `${call} ${at} ${length} ${advice}`.trim();
      }
    }
  }
}

/** An operation on a whole process or machine; undefined for the others. */
function whole(operation: OperationName, process: string, random: Random, world: LearnerWorld, fork: (process: string) => string[]): string | undefined {
  const children = world.living().filter((p) => p.name !== "P");
  switch (operation) {
    case "fork":
      return fork(process)[0];
    case "exit":
      return children.length > 0 ? `@${random.pick(children).name} exit` : fork(process)[0];
    case "mlockall":
      return `@${process} ${random.pick(["mlockall current", "munlockall", "munlockall", "mlockall future", "mlockall current onfault"])}`;
    case "prctl":
      return `@${process} prctl thp_disable ${random.pick(["0", "0", "1", "except"])}`;
    case "brk":
      return `@${process} brk ${random.pick(["64k", "2M", "-64k", "-4k"])}`;
    case "khugepaged":
      return "khugepaged scan 1";
    case "sys":
      return random.pick([
        "sys thp enabled always",
        "sys thp enabled madvise",
        "sys mthp 64kB enabled always",
        "sys mthp 64kB enabled never",
        "sys khp max_ptes_shared 511",
        "sys khp max_ptes_none 0",
        "sys khp max_ptes_none 511",
        // a pass that ends inside a process leaves the cursor there
        "sys khp pages_to_scan 600",
        "sys khp pages_to_scan 100000",
      ]);
    default:
      return undefined;
  }
}
