import { NO_PFN } from "../units.ts";
import { isShmem, shmemFallocend, sizePages } from "../mm/inode.ts";
import { INC, INODE_COUNTERS, MISC, type Kernel } from "../mm/kernel.ts";
import { filemapFolio } from "../mm/pageCache.ts";
import { PG } from "../mm/pageFlags.ts";
import type { Inode } from "../mm/records.ts";
import { xaWalk } from "../mm/xarray.ts";
import { badStamp } from "./contents.ts";
import type { Survey } from "./survey.ts";

/** Files: the page cache against the folios, what inodes and open files count, the VMAs that they list, room in mounts. */
export function checkFiles(s: Survey): void {
  const { k } = s;
  const nodes = new Set<number>();
  const blocks = new Map<number, number>();
  let cached = 0;
  for (const [slot, inode] of k.inodes.entries()) {
    const pages = checkCache(s, slot, nodes);
    cached += pages;
    if (isShmem(k, inode)) blocks.set(inode.mount, (blocks.get(inode.mount) ?? 0) + pages);
    checkDisk(s, slot, nodes);
    checkBlocks(s, slot, nodes);
    checkUsers(s, inode);
  }
  // each entry is the page of a folio that knows it, so that as many folios' pages as entries means that none is lost
  if (cached !== s.filePages) s.report.add("kernel.check.notCached", { is: s.filePages, should: cached });
  for (const [slot, mount] of k.mounts.entries()) {
    const is = k.usedBlocks.get(slot);
    const should = blocks.get(slot) ?? 0;
    for (const inode of mount.shrinklist) if (k.inodes.find(inode)?.mount !== slot) s.report.add("kernel.check.shrinklist", { mount: slot, inode });
    if (is !== should || (mount.maxBlocks > 0 && is > mount.maxBlocks)) s.report.add("kernel.check.mountBlocks", { mount: slot, is, should });
  }
  checkNodes(s, nodes);
  checkVmaFiles(s);
}

function countNode(s: Survey, nodes: Set<number>, node: number): void {
  if (nodes.has(node)) s.report.add("kernel.check.cacheNode", { node });
  nodes.add(node);
}

/** Entries of the page cache are the pages of folios that know where they stand. Returns how many. */
function checkCache(s: Survey, inode: number, nodes: Set<number>): number {
  const { k, report } = s;
  let pages = 0;
  for (const [index, entry] of xaWalk(k, inode, "cache", (node) => countNode(s, nodes, node))) {
    pages++;
    const pfn = entry - 1;
    const flags = s.isUsed(pfn) ? k.pageFlags.get(pfn) : PG.buddy;
    const head = (flags & PG.tail) !== 0 ? k.mapping.get(pfn) : pfn;
    if (endOfPages(k, inode) <= k.pageIndex.get(head)) report.add("kernel.check.cachedBeyondEof", { inode, index, pfn });
    const isRight =
      (flags & (PG.buddy | PG.table)) === 0 &&
      (k.pageFlags.get(head) & PG.file) !== 0 &&
      k.mapping.get(head) === inode &&
      k.pageIndex.get(head) + (pfn - head) === index;
    if (!isRight) report.add("kernel.check.cacheEntry", { inode, index, pfn });
  }
  const is = k.inodeCounters.get(inode * INODE_COUNTERS + INC.nrPages);
  if (is !== pages) report.add("kernel.check.nrPages", { inode, is, should: pages });
  return pages;
}

/** Where pages of a file end: its size, and for tmpfs what fallocate promised behind it. A folio may reach over it, but not begin there. */
function endOfPages(k: Kernel, slot: number): number {
  const inode = k.inodes.get(slot);
  return isShmem(k, inode) ? shmemFallocend(inode, sizePages(inode)) : sizePages(inode);
}

/** What the disk holds are contents. */
function checkDisk(s: Survey, inode: number, nodes: Set<number>): void {
  for (const [index, stamp] of xaWalk(s.k, inode, "disk", (node) => countNode(s, nodes, node)))
    if (badStamp(s.k, stamp)) s.report.add("kernel.check.diskStamp", { inode, index, stamp });
}

/** Blocks are noted of pages in the cache that are not up to date, and of no others. */
function checkBlocks(s: Survey, inode: number, nodes: Set<number>): void {
  for (const [index, bits] of xaWalk(s.k, inode, "blocks", (node) => countNode(s, nodes, node))) {
    const head = filemapFolio(s.k, inode, index);
    if (head === NO_PFN || (s.k.pageFlags.get(head) & PG.uptodate) !== 0 || bits >>> 4 !== 0) s.report.add("kernel.check.fileBlocks", { inode, index, bits });
  }
}

/** An inode is there because of a name or a user, and counts its users. */
function checkUsers(s: Survey, inode: Inode): void {
  const files = [...s.k.files.entries()].map(([, f]) => f).filter((f) => f.inode === inode.slot);
  const writers = files.filter((f) => f.writable).length;
  if (inode.refs !== files.length || inode.writers !== writers || (inode.refs === 0 && inode.nlink === 0) || s.k.mounts.find(inode.mount) === undefined)
    s.report.add("kernel.check.inodeUsers", { inode: inode.slot, is: inode.refs, should: files.length });
}

/** Every node belongs to one tree or to the free list, and counts its entries. */
function checkNodes(s: Survey, nodes: Set<number>): void {
  const { k, report } = s;
  for (const node of nodes) {
    let used = 0;
    for (let i = 0; i < 512; i++) if (k.cacheEntry.get(node * 512 + i) !== 0) used++;
    if (k.cacheUsed.get(node) !== used || used === 0) report.add("kernel.check.cacheUsed", { node, is: k.cacheUsed.get(node), should: used });
  }
  let free = 0;
  for (let node = k.misc.get(MISC.cacheNodeFree); node !== 0 && free <= k.misc.get(MISC.cacheNodeEnd); node = k.cacheEntry.get(node * 512)) {
    free++;
    if (nodes.has(node)) report.add("kernel.check.cacheNode", { node });
  }
  const should = k.misc.get(MISC.cacheNodeEnd) - 1;
  if (nodes.size + free !== should) report.add("kernel.check.cacheNodes", { is: nodes.size + free, should });
}

/** VMAs, descriptors and their files: each holds a reference, and is on the list of its inode once. */
function checkVmaFiles(s: Survey): void {
  const { k, report } = s;
  const users = new Map<number, number>();
  for (const [slot, vma] of k.vmas.entries()) {
    // anonymous memory has a file only where a device made it
    const isAnonDevice = vma.file !== 0 && vma.ops === "none" && k.inodes.find(k.files.find(vma.file)?.inode ?? 0)?.device === "anon";
    if ((vma.file === 0) !== (vma.ops === "none") && !isAnonDevice) report.add("kernel.check.vmaFile", { vma: slot, file: vma.file });
    if (vma.file === 0) continue;
    users.set(vma.file, (users.get(vma.file) ?? 0) + 1);
    if (listed(k, vma.file, slot) !== 1) report.add("kernel.check.vmaFile", { vma: slot, file: vma.file });
  }
  for (const [slot, task] of k.tasks.entries()) {
    task.fds.forEach(({ fd, file }, i) => {
      if ((file !== 0 && k.files.find(file) === undefined) || fd < 0 || (i > 0 && task.fds[i - 1].fd >= fd))
        report.add("kernel.check.descriptor", { task: slot, fd });
      if (file !== 0) users.set(file, (users.get(file) ?? 0) + 1);
    });
  }
  for (const [slot, { file, isRemoved }] of k.shms.entries()) {
    const inode = k.inodes.find(k.files.find(file)?.inode ?? 0);
    users.set(file, (users.get(file) ?? 0) + 1);
    if (inode?.shm !== slot || (isRemoved && inode.vmas.length === 0)) report.add("kernel.check.shm", { segment: slot });
  }
  // the files that a session holds for a script have references too
  for (const [slot, file] of k.files.entries())
    if (file.refs < Math.max(1, users.get(slot) ?? 0)) report.add("kernel.check.fileRefs", { file: slot, is: file.refs, should: users.get(slot) ?? 0 });
  for (const [slot, inode] of k.inodes.entries())
    for (const vma of inode.vmas) if (k.files.find(k.vmas.find(vma)?.file ?? 0)?.inode !== slot) report.add("kernel.check.vmaFile", { vma, file: 0 });
}

function listed(k: Kernel, file: number, vma: number): number {
  const inode = k.inodes.find(k.files.find(file)?.inode ?? 0);
  return inode === undefined ? 0 : inode.vmas.filter((v) => v === vma).length;
}
