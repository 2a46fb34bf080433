import { bugOn } from "../../kernel/assert.ts";
import { bprmMmInit, copyStrings, execMmap } from "../../kernel/mm/exec.ts";
import type { Kernel } from "../../kernel/mm/kernel.ts";
import type { ThpMode, Vma } from "../../kernel/mm/records.ts";
import { vmaAt } from "../../kernel/mm/vma.ts";
import type { Profile } from "../../kernel/profile/profile.ts";
import { runAlone } from "../../kernel/sched/points.ts";
import { parseScript } from "../../shell/command/parseScript.ts";
import { execute } from "../execute.ts";
import { World } from "../world.ts";

/**
 * The table of cases: one mapping of each kind that the rules tell apart, made by commands on a machine of its own (thp-eligibility-collapse-hugefault.md 1.5).
 */
export interface Case {
  /** the letter that the reference document gives it, and what it is */
  readonly name: string;
  /** commands that make it; the mapping is the one called V */
  readonly script: string;
}

const BLOCK = "4M";

export const CASES: readonly Case[] = [
  { name: "A anonymous, written to", script: `mmap V ${BLOCK} rw private anon\ntouch V w` },
  { name: "B anonymous, untouched", script: `mmap V ${BLOCK} rw private anon` },
  { name: "B2 anonymous, untouched, MADV_HUGEPAGE", script: `mmap V ${BLOCK} rw private anon\nmadvise V ${BLOCK} hugepage` },
  // made by the kernel itself: execStack below
  { name: "C temporary stack of an execve with 4 MiB of arguments", script: "" },
  { name: "D shared memory, shmem_enabled=never", script: `mmap V ${BLOCK} rw shared anon` },
  { name: "D2 file of a tmpfs with huge=always", script: `mount t tmpfs huge=always\nfile f t ${BLOCK}\nmmap V ${BLOCK} rw shared file=f` },
  { name: "E executable file", script: `file f /mnt/ext4 ${BLOCK}\nmmap V ${BLOCK} rx private rofile=f` },
  { name: "E2 executable file, MADV_HUGEPAGE", script: `file f /mnt/ext4 ${BLOCK}\nmmap V ${BLOCK} rx private rofile=f\nmadvise V ${BLOCK} hugepage` },
  { name: "F DAX", script: `mmap V ${BLOCK} rw shared file=/dev/hugelab-dax` },
  { name: "G DAX with VM_MIXEDMAP", script: `mmap V ${BLOCK} rw shared file=/dev/hugelab-daxmixed` },
  { name: "H driver with ->huge_fault, VM_MIXEDMAP, MADV_HUGEPAGE", script: `mmap V ${BLOCK} rw shared file=/dev/hugelab-mixed\nmadvise V ${BLOCK} hugepage` },
  { name: "H2 driver with ->huge_fault, VM_MIXEDMAP", script: `mmap V ${BLOCK} rw shared file=/dev/hugelab-mixed` },
  { name: "H3 as H, the card across blocks", script: `mmap V ${BLOCK} rw shared file=/dev/hugelab-mixed off=4k\nmadvise V ${BLOCK} hugepage` },
  {
    name: "I ->huge_fault without special flags, MADV_HUGEPAGE (a file of xfs)",
    script: `file f /mnt/xfs ${BLOCK}\nmmap V ${BLOCK} rw shared file=f\nmadvise V ${BLOCK} hugepage`,
  },
  {
    name: "J driver without ->huge_fault, VM_MIXEDMAP, MADV_HUGEPAGE",
    script: `mmap V ${BLOCK} rw shared file=/dev/hugelab-small\nmadvise V ${BLOCK} hugepage`,
  },
  {
    name: "K anonymous with VM_DONTEXPAND, MADV_HUGEPAGE",
    script: `mmap V ${BLOCK} rw private file=/dev/hugelab-anon\nmadvise V ${BLOCK} hugepage\ntouch V w`,
  },
  { name: "L executable file of xfs, MADV_HUGEPAGE", script: `file f /mnt/xfs ${BLOCK}\nmmap V ${BLOCK} rx private rofile=f\nmadvise V ${BLOCK} hugepage` },
  {
    name: "L2 as L, open for writing",
    script: `file f /mnt/xfs ${BLOCK}\nmmap W 4k rw shared file=f\nmmap V ${BLOCK} rx private rofile=f\nmadvise V ${BLOCK} hugepage`,
  },
  { name: "M executable file with VM_MIXEDMAP, MADV_HUGEPAGE", script: `mmap V ${BLOCK} rx private rofile=/mnt/cramfs/program\nmadvise V ${BLOCK} hugepage` },
  { name: "N driver as H, MADV_NOHUGEPAGE", script: `mmap V ${BLOCK} rw shared file=/dev/hugelab-mixed\nmadvise V ${BLOCK} nohugepage` },
  { name: "P driver with ->huge_fault, VM_PFNMAP", script: `mmap V ${BLOCK} rw shared file=/dev/hugelab-pfn` },
];

export const ENABLED: readonly ThpMode[] = ["always", "madvise", "never"];

/** A case on a machine that has just been switched on. */
export interface MadeCase {
  readonly world: World;
  readonly k: Kernel;
  readonly vma: Vma;
}

/** The stack of an execve that is under way, big enough for a huge page: the process has its new address space, and setup_arg_pages comes next. */
function execStack(world: World): Vma {
  const k = world.machine.kernel;
  const task = k.tasks.get(world.machine.spawn({ comm: "exec" }));
  const mm = bprmMmInit(k, task);
  runAlone(copyStrings(k, mm, 1024));
  execMmap(k, task, mm);
  const { vmas } = k.mms.get(mm);
  return k.vmas.get(vmas[vmas.length - 1]);
}

/** Makes a case on a machine of its own. Read-only THPs of files are built in: without them half of the cases are alike. */
export function makeCase(each: Case, profile: Profile, patches: readonly string[] = []): MadeCase {
  const world = new World({ ...profile, config: { ...profile.config, readOnlyThpForFs: true } }, { patches });
  const k = world.machine.kernel;
  if (each.script === "") return { world, k, vma: execStack(world) };
  const { operations, errors } = parseScript(each.script);
  bugOn(errors.length > 0, `the script of a case does not parse: ${each.name}`);
  for (const operation of operations) {
    world.machine.beginStep();
    runAlone(execute(world, operation));
  }
  const process = world.find("P");
  const at = Number((world.slots.get("V")?.base ?? 0n) / 4096n);
  const vma = process === undefined ? undefined : vmaAt(k, world.task(process).mm, at);
  bugOn(vma === undefined, `the mapping of a case is not there: ${each.name}`);
  return { world, k, vma: vma as Vma };
}
