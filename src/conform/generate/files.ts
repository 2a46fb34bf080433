/** Operations on files: of tmpfs and of a disk, their mappings, and shared anonymous memory. */
import { HUGE, KB, MB, PAGE } from "./addressModel.ts";
import type { FileModel, Mapping } from "./addressModel.ts";
import { touch } from "./anonAccess.ts";
import { addressText, numberText, roundUp } from "./writer.ts";
import type { ScriptWriter } from "./writer.ts";

/** Where scripts make their files, here and on the kernel that records them. */
export const DISK = "/mnt/ext4";
const MOST_FILES = 4;

// prettier-ignore
const FILE_SIZES = [[0, 8], [PAGE, 6], [5000, 4], [64 * KB, 16], [100 * KB, 8], [MB, 20], [2044 * KB, 10], [HUGE, 50], [HUGE + PAGE, 12], [3 * MB, 20], [4 * MB, 60], [5 * MB, 40], [6 * MB, 20], [8 * MB, 10]] as const;

/** A file of tmpfs: a memfd, or one in a mount with a huge= of its own. */
function newShmemFile(w: ScriptWriter): FileModel {
  const { random, model } = w;
  const size = random.weighted(FILE_SIZES);
  const name = `f${model.files.length + 1}`;
  const file = { name, size, disk: false };
  if (random.chance(45)) w.emit(`memfd ${name} ${numberText(size)}`);
  else {
    if (model.mounts < 2 || random.chance(20)) {
      model.mounts++;
      const huge = random.weighted([["always", 40], ["within_size", 30], ["advise", 24], ["never", 10]] as const); // prettier-ignore
      w.emit(`mount T${model.mounts} tmpfs huge=${huge},size=${random.weighted([["64M", 20], ["8M", 3], ["3M", 2]] as const)}`); // prettier-ignore
    }
    w.emit(`file ${name} T${random.between(1, model.mounts)} ${numberText(size)}`);
  }
  model.files.push(file);
  return file;
}

/** A file of a disk, with data, written back or not. */
function newDiskFile(w: ScriptWriter): FileModel {
  const { random, model } = w;
  const size = random.weighted(FILE_SIZES);
  const name = `f${model.files.length + 1}`;
  const file = { name, size, disk: true };
  w.emit(`file ${name} ${DISK}/hugelab-fuzz-${name} ${numberText(size)}`);
  if (size > 0 && random.chance(70))
    w.emit(`fwrite ${name} 0 ${numberText(random.chance(70) ? size : roundUp(Math.ceil(size / 2), PAGE))} ${random.between(1, 99)}`);
  if (random.chance(70)) w.emit(`fsync ${name}`);
  if (random.chance(40)) w.emit(`fadvise ${name} 0 0 dontneed`);
  model.files.push(file);
  return file;
}

function someFile(w: ScriptWriter, disk: boolean): FileModel {
  const there = w.model.files.filter((file) => file.disk === disk);
  if (there.length === 0 || (there.length < MOST_FILES && w.random.chance(15))) return disk ? newDiskFile(w) : newShmemFile(w);
  return w.random.pick(there);
}

export const shmemMmap = (w: ScriptWriter, process: string = w.process()): void => mapFile(w, process, w.random.chance(35) ? null : someFile(w, false));
export const diskMmap = (w: ScriptWriter, process: string = w.process()): void => mapFile(w, process, someFile(w, true));

/** mmap of a file, or of shared anonymous memory (null), with what usually follows */
function mapFile(w: ScriptWriter, process: string, file: FileModel | null): void {
  const { random, model } = w;
  const prot = random.weighted([["rw", 130], ["r", 40], ["none", 6]] as const); // prettier-ignore
  const size = file !== null && file.size > 0 && random.chance(55) ? roundUp(file.size, PAGE) : w.size();
  const kind = file === null ? "shared anon" : `${random.weighted([["shared", 60], ["private", 40]] as const)} ${random.chance(6) ? "ro" : ""}file=${file.name}`; // prettier-ignore
  const offset = file !== null && random.chance(18) ? random.pick([PAGE, 64 * KB, MB, HUGE, HUGE, HUGE + PAGE]) : 0;
  const extra = random.chance(12) ? ` ${random.pick(["populate", "noreserve", "locked", "populate", "nonblock"])}` : "";
  const reuse = model.nameCount >= 9 || random.chance(15) ? w.mapping(process) : null;
  const name = reuse === null ? model.newName() : reuse.name;
  const taken = model.named(process, name);
  const start = taken.length > 0 ? taken[taken.length - 1].end : random.weighted([[0, 70], [4 * KB, 6], [64 * KB, 6], [MB, 6], [HUGE, 12]] as const); // prettier-ignore
  const at = start === 0 ? "" : ` at=${addressText(name, start)}`;
  w.emit(`mmap ${name} ${numberText(size)} ${prot} ${kind}${extra}${at}${offset === 0 ? "" : ` off=${numberText(offset)}`}`, process);
  const end = start + roundUp(size, PAGE);
  if (!model.isFree(process, name, start, end)) return;
  const mapping: Mapping = { name, start, end, prot, growsDown: false, pristine: false };
  model.add(process, mapping);
  if (random.chance(35)) w.emit(`madvise ${w.all(mapping)} hugepage`, process);
  if (random.chance(60)) touch(w, process, mapping, prot === "rw" && random.chance(60) ? "w" : "r");
}

/** A range of a file: around its end, its huge pages, single pages, odd bytes. */
function span(w: ScriptWriter, file: FileModel): { readonly offset: number; readonly length: number } {
  const { random } = w;
  const pages = Math.max(1, Math.ceil(file.size / PAGE));
  // prettier-ignore
  const kind = random.weighted([["page", 30], ["pages", 40], ["pmd", 40], ["whole", 20], ["end", 20], ["odd", 14], ["wrong", 3]] as const);
  switch (kind) {
    case "page":
      return { offset: random.below(pages) * PAGE, length: PAGE };
    case "pages": {
      const first = random.below(pages);
      return { offset: first * PAGE, length: random.between(1, pages - first) * PAGE };
    }
    case "pmd":
      return { offset: random.below(Math.ceil(file.size / HUGE) + 1) * HUGE, length: random.pick([HUGE, HUGE, MB, 2 * HUGE]) };
    case "whole":
      return { offset: 0, length: Math.max(PAGE, file.size) };
    case "end":
      return { offset: Math.max(0, file.size - random.pick([PAGE, 64 * KB, MB])), length: random.pick([PAGE, 64 * KB, MB, HUGE]) };
    case "odd":
      return { offset: random.below(pages) * PAGE + random.pick([0, 1, 100, 0x800]), length: random.pick([1, 100, 5000, 10000]) };
    case "wrong":
      return { offset: 0, length: 0 };
  }
}

function fileCall(w: ScriptWriter, disk: boolean): void {
  const { random } = w;
  const file = someFile(w, disk);
  const { offset, length } = span(w, file);
  const range = `${numberText(offset)} ${numberText(length)}`;
  // prettier-ignore
  const kind = random.weighted([["truncate", 40], ["punch", 50], ["alloc", 16], ["keep", 6], ["other", 4], ["fwrite", 50], ["fread", 20], ["fsync", disk ? 24 : 3], ["fadvise", disk ? 20 : 4]] as const);
  switch (kind) {
    case "truncate": {
      const size = random.chance(50) ? random.weighted(FILE_SIZES) : Math.max(0, offset);
      w.emit(`truncate ${file.name} ${numberText(size)}`);
      file.size = size;
      return;
    }
    case "punch":
    case "alloc":
    case "keep":
      w.emit(`falloc ${file.name} ${kind} ${range}`);
      if (kind === "alloc") file.size = Math.max(file.size, offset + length);
      return;
    case "other":
      return w.emit(`falloc ${file.name} ${disk ? "zero" : random.pick(["zero", "collapse"])} ${range}`);
    case "fwrite":
      w.emit(`fwrite ${file.name} ${range} ${random.between(1, 99)}`);
      file.size = Math.max(file.size, offset + length);
      return;
    case "fread":
      return w.emit(`fread ${file.name} ${range}`);
    case "fsync":
      return w.emit(`fsync ${file.name}`);
    case "fadvise":
      return w.emit(`fadvise ${file.name} ${range} ${random.pick(["dontneed", "dontneed", "willneed"])}`);
  }
}

export const shmemCall = (w: ScriptWriter): void => fileCall(w, false);
export const diskCall = (w: ScriptWriter): void => fileCall(w, true);

/** what the settings say about tmpfs */
export function shmemSetting(w: ScriptWriter): void {
  const { random } = w;
  if (random.chance(50)) {
    w.emit(`sys thp shmem_enabled ${random.weighted([["always", 30], ["within_size", 24], ["advise", 24], ["never", 12], ["force", 8], ["deny", 6]] as const)}`); // prettier-ignore
    return;
  }
  const size = random.weighted([["16kB", 10], ["32kB", 6], ["64kB", 30], ["128kB", 8], ["512kB", 8], ["1024kB", 6], ["2048kB", 24]] as const); // prettier-ignore
  w.emit(`sys mthp ${size} shmem_enabled ${random.weighted([["always", 30], ["inherit", 20], ["within_size", 20], ["advise", 20], ["never", 10]] as const)}`); // prettier-ignore
}

/** takes away the files that a script left on the disk */
export function removeFiles(w: ScriptWriter): void {
  for (const file of w.model.files) if (file.disk) w.emit(`unlink ${file.name}`);
}
