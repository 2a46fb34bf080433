import { fdget, TERMINAL } from "../kernel/fs/fdTable.ts";
import { O } from "../kernel/fs/namei.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import type { Task } from "../kernel/mm/records.ts";

/** What /proc/PID/fd and /proc/PID/fdinfo show (fs/proc/fd.c), and where files are. */

const TERMINAL_PATH = "/dev/pts/0";

/** The descriptors of a process and where they lead. */
export const fdLinks = (k: Kernel, task: Task): { readonly fd: number; readonly target: string }[] =>
  k.tasks.get(task.slot).fds.map(({ fd, file }) => ({ fd, target: file === TERMINAL ? TERMINAL_PATH : k.inodes.get(k.files.get(file).inode).path }));

/** seq_show of fdinfo; null for the terminal, of which nothing is simulated. */
export function fdinfoText(k: Kernel, task: Task, fd: number): string | null {
  const d = fdget(k, task, fd);
  if (d === undefined || d.file === TERMINAL) return null;
  const file = k.files.get(d.file);
  const inode = k.inodes.get(file.inode);
  const flags = file.flags | (d.closeOnExec ? O.cloExec : 0);
  return `pos:\t${file.posBytes}\nflags:\t0${flags.toString(8)}\nmnt_id:\t${inode.mount}\nino:\t${inode.slot}\n`;
}

/** Every mount, and every file that has a name. */
export function filePlaces(k: Kernel): { readonly path: string; readonly isMount: boolean }[] {
  const mounts = [...k.mounts.entries()].filter(([, { path }]) => path !== "").map(([, { path }]) => ({ path, isMount: true }));
  const files = [...k.inodes.entries()].filter(([, { nlink }]) => nlink > 0).map(([, { path }]) => ({ path, isMount: false }));
  return [...mounts, ...files];
}

export const isBelowMount = (k: Kernel, path: string): boolean =>
  [...k.mounts.entries()].some(([, mount]) => mount.path !== "" && path.startsWith(`${mount.path}/`));
