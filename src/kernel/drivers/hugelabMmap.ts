import { fail, type Result } from "../mm/errno.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { VmOps } from "../mm/records.ts";
import { VM } from "../mm/vmFlags.ts";
import { CARD_PAGES } from "./card.ts";
import { deviceOfInode } from "./hugelab.ts";

/** What the driver's ->mmap makes of a mapping. */
export interface DeviceMapping {
  readonly flags: number;
  readonly ops: VmOps;
}

/** ->mmap of a device: the flags and vm_ops that the VMA gets. Undefined: the file is none of our driver's. */
export function hugelabMmap(k: Kernel, file: number, pgoff: number, pages: number, flags: number): Result<DeviceMapping | undefined> {
  const model = file === 0 ? undefined : deviceOfInode(k.inodes.get(k.files.get(file).inode));
  if (model === undefined) return undefined;
  const isShared = (flags & VM.mayShare) !== 0;
  if (model.maps === "anonymous") {
    if (isShared) return fail("EINVAL", "hint.deviceNeedsPrivate");
  } else {
    if (pgoff + pages > CARD_PAGES) return fail("EINVAL", "hint.deviceTooLong");
    // pages that are written to a private mapping would be copies, which this memory is not made for
    if (model.maps === "shared" && !isShared) return fail("EINVAL", "hint.deviceNeedsShared");
    if (model.maps === "readOnly" && (flags & VM.write) !== 0) return fail("EACCES", "hint.deviceReadOnly");
  }
  return { flags: (flags | model.sets) & ~model.clears, ops: model.maps === "anonymous" ? "none" : "device" };
}
