import type { LearnerWorld } from "../../session/learnerWorld.ts";
import type { Random } from "../generate/random.ts";
import type { FaultKind } from "./cells.ts";
import type { MemoryKind } from "./memoryKind.ts";

export interface Kitchen {
  readonly world: LearnerWorld;
  readonly random: Random;
  /** name of the slot that the memory is made in */
  readonly name: string;
  /** lines that fork a process */
  readonly fork: (process: string) => string[];
}

/** Lines that make the machine try huge pages where `process` asks for them. */
function thpOn(world: LearnerWorld, process: string): string[] {
  const k = world.machine.kernel;
  const found = world.find(process);
  const pmd = 1 << k.geo.pmdOrder;
  return [
    ...(k.g.enabled === "never" ? ["sys thp enabled madvise"] : []),
    ...(k.era.mthp && ((k.g.ordersInherit | k.g.ordersAlways | k.g.ordersMadvise) & pmd) === 0 ? ["sys mthp 2048kB enabled inherit"] : []),
    ...(found !== undefined && k.mms.get(world.task(found).mm).thpDisable === 1 ? [`@${process} prctl thp_disable 0`] : []),
  ];
}

/** Name of the process that the lines of a fork make. */
const childOf = (fork: readonly string[]): string => fork[fork.length - 1].split(" ").pop() ?? "";

/** Writes the lines for one kind of memory, in the state that leads to the wanted fault. */
class Cook {
  readonly name: string;
  private readonly kitchen: Kitchen;
  private readonly fault: FaultKind;
  private readonly process: string;

  constructor(kitchen: Kitchen, fault: FaultKind) {
    this.kitchen = kitchen;
    this.fault = fault;
    this.name = kitchen.name;
    this.process = kitchen.random.pick(kitchen.world.living()).name;
  }

  get isReadOnly(): boolean {
    return this.fault === "signal" || this.fault === "refused";
  }

  line(text: string): string {
    return `@${this.process} ${text}`;
  }

  map(size: string, prot: string, flags = ""): string {
    return this.line(`mmap ${this.name} ${size} ${prot} private anon${flags}`);
  }

  mapWritable(size: string): string {
    return this.map(size, this.kitchen.random.pick(["rw", "rwx"]));
  }

  advise(range: string, advice: string): string {
    return this.line(`madvise ${this.name}${range} ${advice}`);
  }

  touch(range: string): string {
    return this.line(`touch ${this.name}${range}`);
  }

  fork(): string[] {
    return this.kitchen.fork(this.process);
  }

  small(): string[] {
    return [this.mapWritable("64k"), this.touch(" 64k w")];
  }

  huge(): string[] {
    const step = this.kitchen.random.pick(["4k", "2M"]);
    return [...thpOn(this.kitchen.world, this.process), this.mapWritable("4M"), this.advise(" 4M", "hugepage"), this.touch(` 4M w step=${step}`)];
  }

  /** The huge zero folio, or where it is off a THP. */
  zeroThp(isOff: boolean, prot: string): string[] {
    const on = [...thpOn(this.kitchen.world, this.process), ...(isOff ? ["sys thp use_zero_page 1"] : [])];
    return [...on, this.map("4M", prot), this.advise(" 4M", "hugepage"), this.touch(" 4M r step=2M")];
  }

  /** Folios of a size that everyone gets. */
  sized(): string[] {
    return ["sys mthp 64kB enabled always", this.mapWritable("1M"), this.touch(" 1M w step=64k")];
  }

  some(): string[] {
    return this.fault === "cowCopy" || this.kitchen.random.chance(30) ? this.huge() : this.small();
  }

  /** Write-protected by a fork, though no longer shared. */
  onceShared(lines: string[]): string[] {
    const fork = this.fork();
    return [...lines, ...fork, `@${childOf(fork)} exit`];
  }

  /** What fork leaves: for cowReuse write-protected though no longer shared, for cowCopy a folio of which another process has the rest. */
  shared(lines: string[], half: string): string[] {
    if (this.fault === "cowReuse") return this.onceShared(lines);
    if (this.fault !== "cowCopy") return lines;
    const fork = this.fork();
    return [...lines, ...fork, `@${childOf(fork)} madvise ${this.name} ${half} dontneed`];
  }

  /** Takes the permission to write away in the end. */
  protect(lines: string[], isWanted = this.isReadOnly): string[] {
    return isWanted ? [...lines, this.line(`mprotect ${this.name} 4M ${this.kitchen.random.pick(["r", "rx"])}`)] : lines;
  }
}

/** Lines that make memory of a kind in which an access meets `fault`, where it can; none where the kind is there anyway or the release has none. */
export function recipe(kind: MemoryKind, fault: FaultKind, kitchen: Kitchen): string[] {
  const { world, random } = kitchen;
  const { era, g } = world.machine.kernel;
  const c = new Cook(kitchen, fault);
  const n = c.name;
  // a mapping that may only be read is where mlock leaves what is shared alone
  const leaveShared = c.isReadOnly || fault === "none";
  const anyProt = random.pick(leaveShared ? ["r", "rx"] : fault === "cowCopy" || fault === "write" ? ["rw", "rwx"] : ["rw", "rwx", "rx", "r"]);
  switch (kind) {
    case "unmapped":
      return c.small();
    case "page4k":
      return c.shared(c.small(), "4k");
    case "belowStack":
      return [c.map("64k", "rw", ` growsdown at=${n}+16M`)];
    case "guard":
      return era.guardRegions === "none" ? [] : [c.mapWritable("128k"), c.advise(" 64k", "guard_install")];
    case "protNone":
      return random.chance(50) ? [c.map("4M", "none")] : [...c.small(), c.line(`mprotect ${n} 64k none`)];
    case "locked":
      return locked(c, fault, random);
    case "untouched":
      return [c.map(random.pick(["64k", "4M"]), anyProt)];
    case "zeroPage":
      return [c.map("64k", anyProt), c.touch(" 64k r")];
    case "hugeZero":
      return c.zeroThp(g.useZeroPage === 0, anyProt);
    case "pinned":
      return pinned(c, fault);
    case "shared4k":
      return [...c.protect(c.small(), leaveShared), ...c.fork()];
    case "sharedLarge":
      return [...c.protect(era.mthp ? c.sized() : [...c.huge(), c.advise("+64k 4k", "dontneed")], leaveShared), ...c.fork()];
    case "sharedPmd":
      return [...c.protect(c.huge(), leaveShared), ...c.fork()];
    case "readOnly":
      return c.protect(c.shared(c.some(), "1M"), true);
    case "lazyFree":
      return c.shared([...c.some(), c.advise(fault === "cowCopy" ? " 2M" : random.pick([" 64k", " 2M"]), "free")], "1M");
    case "thpByPmd":
      return c.shared(c.huge(), "1M");
    case "thpByPte":
      return [...c.shared(c.huge(), "1M"), random.pick([c.advise("+64k 4k", "dontneed"), c.line(`mprotect ${n}+64k 4k r`)])];
    case "mthp":
      return era.mthp ? c.shared(c.sized(), "32k") : [];
  }
}

function locked(c: Cook, fault: FaultKind, random: Random): string[] {
  const onfault = c.line(`mlock2 ${c.name} 64k onfault`);
  switch (fault) {
    case "none":
      return [c.map("64k", random.pick(["rw", "rwx"]), " locked")];
    case "read":
      return [c.map("64k", random.pick(["r", "rw"])), onfault];
    case "write":
    case "exec":
      return [c.mapWritable("64k"), onfault];
    case "cowReuse":
      return [...c.shared(c.small(), "4k"), onfault];
    case "cowCopy":
      return [...c.small(), ...c.fork(), onfault];
    case "signal":
    case "refused":
      return [c.map("64k", "r"), c.touch(" 32k r"), onfault];
  }
}

function pinned(c: Cook, fault: FaultKind): string[] {
  // one page of each folio is written again and pinned; the others stay write-protected
  if (fault === "cowCopy") return [...c.onceShared(c.sized()), c.line(`gup ${c.name}+4k w`)];
  // unsharing keeps the page and leaves its entry write-protected
  if (fault === "cowReuse") return [...c.shared(c.small(), "4k"), c.line(`gup ${c.name} r`)];
  return c.protect([...c.some(), c.line(`gup ${c.name} w`)]);
}
