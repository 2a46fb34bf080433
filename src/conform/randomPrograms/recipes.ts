import type { LearnerWorld } from "../../session/learnerWorld.ts";
import type { Random } from "../generate/random.ts";
import type { MemoryKind } from "./memoryKind.ts";

export interface Kitchen {
  readonly world: LearnerWorld;
  readonly random: Random;
  readonly newName: () => string;
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

/** Lines that make memory of a kind; none where it is there anyway or the release has none. */
export function recipe(kind: MemoryKind, kitchen: Kitchen): string[] {
  const { world, random, newName, fork } = kitchen;
  const k = world.machine.kernel;
  const process = random.pick(world.living()).name;
  const at = `@${process} `;
  const n = newName();
  const map = (size: string, prot = "rw", flags = ""): string => `${at}mmap ${n} ${size} ${prot} private anon${flags}`;
  const small = [map("64k"), `${at}touch ${n} 64k w`];
  const huge = [...thpOn(world, process), map("4M"), `${at}madvise ${n} 4M hugepage`, `${at}touch ${n} 4M w step=${random.pick(["4k", "2M"])}`];
  // a size of its own that everyone gets
  const sized = ["sys mthp 64kB enabled always", map("1M"), `${at}touch ${n} 1M w step=64k`];
  switch (kind) {
    case "unmapped":
    case "page4k":
      return small;
    case "belowStack":
      return [map("64k", "rw", ` growsdown at=${n}+16M`)];
    case "guard":
      return k.era.guardRegions === "none" ? [] : [map("128k"), `${at}madvise ${n} 64k guard_install`];
    case "protNone":
      return random.chance(50) ? [map("4M", "none")] : [...small, `${at}mprotect ${n} 64k none`];
    case "locked":
      return random.pick([[map("64k", "rw", " locked")], [map("4M"), `${at}mlock2 ${n} 4M onfault`], [...small, `${at}mlock ${n} 64k`]]);
    case "untouched":
      return [map(random.pick(["64k", "4M"]), random.pick(["rw", "rw", "r", "rwx"]))];
    case "zeroPage":
      return [map("64k", random.pick(["rw", "rw", "r", "rwx"])), `${at}touch ${n} 64k r`];
    case "hugeZero":
      return [
        ...thpOn(world, process),
        ...(k.g.useZeroPage === 0 ? ["sys thp use_zero_page 1"] : []),
        map("4M"),
        `${at}madvise ${n} 4M hugepage`,
        `${at}touch ${n} 4M r step=2M`,
      ];
    case "pinned":
      return [...(random.chance(30) ? huge : small), `${at}gup ${n} w`];
    case "shared4k":
      return [...small, ...fork(process)];
    case "sharedLarge":
      return k.era.mthp ? [...sized, ...fork(process)] : [...huge, `${at}madvise ${n}+64k 4k dontneed`, ...fork(process)];
    case "sharedPmd":
      return [...huge, ...fork(process)];
    case "readOnly":
      return [...(random.chance(30) ? huge : small), `${at}mprotect ${n} 4M r`];
    case "lazyFree":
      return [...(random.chance(30) ? huge : small), `${at}madvise ${n} ${random.pick(["64k", "2M"])} free`];
    case "thpByPmd":
      return huge;
    case "thpByPte":
      return [...huge, `${at}${random.pick([`madvise ${n}+64k 4k dontneed`, `mprotect ${n}+64k 4k r`])}`];
    case "mthp":
      return k.era.mthp ? sized : [];
  }
}
