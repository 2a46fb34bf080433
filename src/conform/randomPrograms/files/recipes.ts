import type { Random } from "../../generate/random.ts";
import type { FileFault, FileOperation } from "./cells.ts";
import { isDisk, isPrivate, type FileKind } from "./kinds.ts";

/** What a program has made for a mapping: its slot, its file, its process. */
export interface MadeFile {
  readonly slot: string;
  /** null: shared anonymous memory */
  readonly file: string | null;
  readonly process: string;
}

export interface FileKitchen {
  readonly random: Random;
  readonly process: string;
  newSlot(): string;
  newFile(): string;
  /** directory of a tmpfs with some huge= */
  tmpfs(): { readonly name: string; readonly lines: readonly string[] };
  /** line that forks the process; the child's name */
  fork(process: string): { readonly lines: readonly string[]; readonly child: string };
  /** the fault is refused for want of what the access needs */
  readonly needsWrite: boolean;
}

/** Lines that make a mapping of a kind in which the first access of a page at `slot` meets a fault. */
export function fileRecipe(
  kind: FileKind,
  fault: FileFault,
  operation: FileOperation,
  kitchen: FileKitchen,
): { readonly lines: string[]; readonly made: MadeFile } {
  const { random, process } = kitchen;
  const slot = kitchen.newSlot();
  const lines: string[] = [];
  const at = (text: string): string => `@${process} ${text}`;
  const isHuge = random.chance(20);
  const size = isHuge ? "2M" : random.pick(["64k", "64k", "16k", "100k"]);
  const length = fault === "beyondEof" ? "4M" : isHuge ? "2M" : "64k";
  let file: string | null = null;
  if (kind !== "sharedAnon") {
    file = kitchen.newFile();
    if (isDisk(kind)) lines.push(`file ${file} /mnt/${kind.startsWith("ext4") ? "ext4" : "xfs"} ${size}`);
    else if (random.chance(60)) lines.push(`memfd ${file} ${size}`);
    else {
      const mount = kitchen.tmpfs();
      lines.push(...mount.lines, `file ${file} ${mount.name} ${size}`);
    }
  }
  const prot = protOf(kind, fault, operation, kitchen.needsWrite);
  lines.push(...cacheLines(file, fault, isDisk(kind), random));
  const flags = isPrivate(kind) ? "private" : "shared";
  if (file === null) {
    lines.push(at(`mmap ${slot} ${size} ${fault === "beyondEof" ? "rw" : prot} shared anon`));
    // longer than what it was made with: there is no page behind it
    if (fault === "beyondEof") return { lines: [...lines, at(`mremap ${slot} ${size} 4M`)], made: { slot: `${slot}+2M`, file, process } };
  } else lines.push(at(`mmap ${slot} ${length} ${prot} ${flags} file=${file}`));
  if (isHuge && random.chance(40)) lines.push(at(`madvise ${slot} 2M hugepage`));
  lines.push(...mappedLines(slot, fault, file, at, kitchen));
  return { lines, made: { slot: fault === "beyondEof" ? `${slot}+2M` : slot, file, process } };
}

function protOf(kind: FileKind, fault: FileFault, operation: FileOperation, needsWrite: boolean): string {
  // mlock reads what it may not write
  if (operation === "mlock" && isPrivate(kind) && fault.startsWith("read")) return "r";
  if (fault === "refused") return needsWrite ? "r" : "none";
  if (fault === "mkwrite") return "r";
  return "rw";
}

/** What the page cache has before the mapping is made. */
function cacheLines(file: string | null, fault: FileFault, disk: boolean, random: Random): string[] {
  if (file === null) return [];
  if (fault === "readMiss" || fault === "sharedMiss")
    return disk && random.chance(10) ? [`fwrite ${file} 0 8k 3`, `fsync ${file}`, `fadvise ${file} 0 0 dontneed`] : [];
  if (fault === "readHit" || fault === "sharedHit") return [`fwrite ${file} 0 8k 3`];
  return random.chance(8) ? [`fwrite ${file} 0 16k 5`] : [];
}

/** What is done with the mapping before the access that counts. */
function mappedLines(slot: string, fault: FileFault, file: string | null, at: (text: string) => string, kitchen: FileKitchen): string[] {
  switch (fault) {
    case "none":
      return [at(`touch ${slot} w`)];
    case "readHit":
    case "sharedHit":
      // without a file to write to, a page that was unmapped is still cached
      return file === null ? [at(`touch ${slot} w`), at(`madvise ${slot} 4k dontneed`)] : [];
    case "mkwrite":
      return [at(`touch ${slot} r`), at(`mprotect ${slot} 4k rw`)];
    case "cowFile":
      return [at(`touch ${slot} r`)];
    case "cowReuse": {
      const fork = kitchen.fork(kitchen.process);
      return [at(`touch ${slot} w`), ...fork.lines, `@${fork.child} exit`];
    }
    case "cowAnon":
      return [at(`touch ${slot} w`), ...kitchen.fork(kitchen.process).lines];
    default:
      return [];
  }
}
