import { CARD_PAGES } from "./card.ts";
import { addInode, addMount, inodeOf } from "../mm/inode.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { DeviceKind, Inode, Vma } from "../mm/records.ts";
import { VM } from "../mm/vmFlags.ts";

/**
 * A card with memory of its own, and the driver for it, which is not part of Linux: each of its devices maps the same memory in another way, as
 * drivers do that are the subject of the patches. The memory lies behind that of the machine and has no struct pages.
 */
export interface DeviceModel {
  readonly kind: DeviceKind;
  readonly path: string;
  /** VM_* bits that its ->mmap sets, and those that it clears */
  readonly sets: number;
  readonly clears: number;
  /** its vm_ops have ->huge_fault */
  readonly hugeFault: boolean;
  /** its inode has S_DAX */
  readonly dax: boolean;
  /** S_ISREG: a file, not a device */
  readonly regular: boolean;
  /** how it may be mapped; "anonymous": its ->mmap leaves vm_ops empty, as that of /dev/zero does for MAP_PRIVATE */
  readonly maps: "shared" | "readOnly" | "anonymous";
}

const device = (kind: DeviceKind, path: string, fields: Partial<DeviceModel>): DeviceModel => ({
  kind,
  path,
  sets: 0,
  clears: 0,
  hugeFault: false,
  dax: false,
  regular: false,
  maps: "shared",
  ...fields,
});

export const DEVICES: readonly DeviceModel[] = [
  // what the reporter of the regression had
  device("mixed", "/dev/hugelab-mixed", { sets: VM.mixedMap, hugeFault: true }),
  // as vfio-pci maps the memory of a PCI device
  device("pfn", "/dev/hugelab-pfn", { sets: VM.io | VM.pfnmap | VM.dontExpand | VM.dontDump, hugeFault: true }),
  device("small", "/dev/hugelab-small", { sets: VM.mixedMap }),
  device("anon", "/dev/hugelab-anon", { sets: VM.dontExpand, maps: "anonymous" }),
  // as device DAX does it
  device("dax", "/dev/hugelab-dax", { sets: VM.hugePage, hugeFault: true, dax: true }),
  // as virtiofs does it for its DAX files
  device("daxMixed", "/dev/hugelab-daxmixed", { sets: VM.hugePage | VM.mixedMap, hugeFault: true, dax: true }),
  // as cramfs maps programs that lie uncompressed in flash memory
  device("xip", "/mnt/cramfs/program", { sets: VM.mixedMap, clears: VM.mayWrite, regular: true, maps: "readOnly" }),
];

const BY_KIND = Object.fromEntries(DEVICES.map((each) => [each.kind, each])) as Readonly<Record<DeviceKind, DeviceModel>>;

/** The device that a VMA maps; only for those of our driver. */
export const deviceOf = (k: Kernel, vma: Vma): DeviceModel => BY_KIND[inodeOf(k, vma).device as DeviceKind];

/** What an inode is a device of; undefined for a file. */
export const deviceOfInode = (inode: Inode): DeviceModel | undefined => (inode.device === null ? undefined : BY_KIND[inode.device]);

/** Makes the device nodes, at boot. */
export function addDevices(k: Kernel): void {
  const dev = addMount(k, "devtmpfs", "/dev", "never", 0);
  const flash = addMount(k, "cramfs", "/mnt/cramfs", "never", 0);
  for (const { kind, path, regular } of DEVICES) {
    const sizeBytes = regular ? CARD_PAGES * 4096 : 0;
    addInode(k, { mount: regular ? flash : dev, path, sizeBytes, nlink: 1, noReserve: false, largeFolios: false, mode: regular ? 0o755 : 0o666, device: kind });
  }
}
