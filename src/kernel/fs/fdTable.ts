import { fail, type Result } from "../mm/errno.ts";
import { getFile, putFile } from "../mm/inode.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { Descriptor, Task } from "../mm/records.ts";
import { refuseArgument } from "../why/refusal.ts";

/** The descriptors of a process (fs/file.c). They are a field of its task, in order of their numbers. */

/** `file` of a descriptor of the terminal, a device whose input and output are not simulated */
export const TERMINAL = 0;

/** What a process of a shell starts with: input, output and errors are the terminal. */
export const STANDARD_DESCRIPTORS: readonly Descriptor[] = [0, 1, 2].map((fd) => ({ fd, file: TERMINAL, closeOnExec: false }));

/** fdget: what a number stands for; undefined where nothing is open. */
export const fdget = (k: Kernel, task: Task, fd: number): Descriptor | undefined => k.tasks.get(task.slot).fds.find((d) => d.fd === fd);

/** alloc_fd: the lowest free number from `start` on, EMFILE when the limit is reached. */
export function unusedFd(k: Kernel, task: Task, start = 0): Result {
  const { fds, rlimitNofile } = k.tasks.get(task.slot);
  let fd = start;
  for (const d of fds) {
    if (d.fd > fd) break;
    if (d.fd === fd) fd++;
  }
  return fd < rlimitNofile ? fd : refuseArgument(k, task.mm, "alloc_fd", "EMFILE", "refuse.argument", "fd", fd, "hint.descriptors");
}

/** fd_install: the number was free; the reference of the file becomes the descriptor's. */
export function fdInstall(k: Kernel, task: Task, d: Descriptor): void {
  const { fds } = k.tasks.get(task.slot);
  k.tasks.update(task.slot, { fds: [...fds.filter((other) => other.fd < d.fd), d, ...fds.filter((other) => other.fd > d.fd)] });
}

/** One more descriptor of the same struct file. */
export function fdDuplicate(k: Kernel, task: Task, from: Descriptor, fd: number, closeOnExec: boolean): void {
  if (from.file !== TERMINAL) getFile(k, from.file);
  fdInstall(k, task, { fd, file: from.file, closeOnExec });
}

/** close_fd */
export function closeFd(k: Kernel, task: Task, fd: number): Result {
  const { fds } = k.tasks.get(task.slot);
  const found = fds.find((d) => d.fd === fd);
  if (found === undefined) return fail("EBADF", "hint.noDescriptor");
  k.tasks.update(task.slot, { fds: fds.filter((d) => d !== found) });
  if (found.file !== TERMINAL) putFile(k, found.file);
  return 0;
}

/** dup_fd of fork: the child's descriptors are the same struct files. */
export function holdDescriptors(k: Kernel, task: Task): void {
  for (const { file } of task.fds) if (file !== TERMINAL) getFile(k, file);
}

/** exit_files */
export function closeAll(k: Kernel, task: Task): void {
  k.tasks.update(task.slot, { fds: [] });
  for (const { file } of task.fds) if (file !== TERMINAL) putFile(k, file);
}
