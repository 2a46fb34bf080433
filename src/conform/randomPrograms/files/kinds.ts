import { inodeOf } from "../../../kernel/mm/inode.ts";
import type { Kernel } from "../../../kernel/mm/kernel.ts";
import type { Vma } from "../../../kernel/mm/records.ts";
import { VM } from "../../../kernel/mm/vmFlags.ts";

/** What a mapping of a file can be, as far as operations on it differ. */
export const FILE_KINDS = ["sharedAnon", "tmpfsShared", "tmpfsPrivate", "ext4Shared", "ext4Private", "xfsShared", "xfsPrivate"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** Kinds that have a file to name in calls on descriptors. */
export const NAMED_KINDS: readonly FileKind[] = FILE_KINDS.filter((kind) => kind !== "sharedAnon");
export const DISK_KINDS: readonly FileKind[] = FILE_KINDS.filter((kind) => kind.startsWith("ext4") || kind.startsWith("xfs"));
export const isPrivate = (kind: FileKind): boolean => kind.endsWith("Private");
export const isDisk = (kind: FileKind): boolean => DISK_KINDS.includes(kind);

/** undefined: anonymous memory, and the file systems that no program here maps. */
export function kindOfVma(k: Kernel, vma: Vma): FileKind | undefined {
  if (vma.ops === "none") return undefined;
  const inode = inodeOf(k, vma);
  if (inode.path.startsWith("/dev/zero")) return "sharedAnon";
  const name = `${k.mounts.get(inode.mount).fs}${(vma.flags & VM.shared) !== 0 ? "Shared" : "Private"}`;
  return FILE_KINDS.find((kind) => kind === name);
}
