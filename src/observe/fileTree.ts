import { DEVICES } from "../kernel/drivers/hugelab.ts";
import { fdget } from "../kernel/fs/fdTable.ts";
import { isDirectory } from "../kernel/fs/namei.ts";
import type { Machine } from "../kernel/machine.ts";
import { failed } from "../kernel/mm/errno.ts";
import { paceWhole } from "../kernel/sched/pace.ts";
import type { Task } from "../kernel/mm/records.ts";
import { kpagecountWord, kpageflagsWord, maxPfn } from "../kernel/proc/pagemap.ts";
import { fdinfoText, fdLinks, filePlaces, isBelowMount } from "./fdText.ts";
import { sysvipcShmText } from "./sysvipcText.ts";
import { buddyinfoText, meminfoText, vmstatText } from "./systemText.ts";
import { mapsText, smapsRollupText, smapsText, statusText } from "./taskText.ts";

/** bytes of a binary file that are read at once; above, one is asked for a part of it */
const MOST_BYTES = 1 << 26;

type Read = { readonly kind: "data"; readonly data: string | Uint8Array } | Refused;
type Refused = { readonly kind: "errno"; readonly errno: string };
/** `link`: where a symbolic link leads */
interface Entry {
  readonly name: string;
  readonly directory: boolean;
  readonly link?: string;
}
type List = { readonly kind: "entries"; readonly entries: readonly Entry[] } | Refused;

const PROCESS_FILES = ["maps", "pagemap", "smaps", "smaps_rollup", "status"] as const;
type ProcessFile = (typeof PROCESS_FILES)[number];
const SHM_FILE = "/proc/sysvipc/shm";
const FD_DIRECTORIES = ["fd", "fdinfo"] as const;
const SYSTEM_FILES = ["buddyinfo", "kpagecount", "kpageflags", "meminfo", "vmstat"] as const;

/** Devices that can be mapped, and nothing else. */
const DEVICE_NODES: readonly string[] = DEVICES.filter(({ regular }) => !regular).map(({ path }) => path);
type FdDirectory = (typeof FD_DIRECTORIES)[number];

type Place =
  | { readonly kind: "process"; readonly task: Task; readonly file: ProcessFile }
  | { readonly kind: "processDirectory" }
  | { readonly kind: "fdDirectory"; readonly task: Task; readonly directory: FdDirectory }
  | { readonly kind: "fd"; readonly task: Task; readonly directory: FdDirectory; readonly fd: number }
  | { readonly kind: "other" };

const refused = (errno: string): Refused => ({ kind: "errno", errno });

/**
 * The kernel files of a machine as a tree of absolute paths: /proc of every process, /proc/self, the files of the whole machine, every
 * tunable, and the devices of our driver. It has the shape of the shell's FileAccess.
 */
export class FileTree {
  /** key of the sentence that says what the last refused write would have taken; null when none was refused or none is known */
  hint: string | null = null;
  readonly #machine: Machine;
  readonly #self: () => Task | undefined;

  /** `self`: the process that /proc/self stands for, undefined when it has ended. */
  constructor(machine: Machine, self: () => Task | undefined) {
    this.#machine = machine;
    this.#self = self;
  }

  read(path: string): Read {
    const place = this.#place(path);
    if (place.kind === "process") return this.#processFile(place.task, place.file);
    if (place.kind === "fd") {
      const text = place.directory === "fdinfo" ? fdinfoText(this.#machine.kernel, place.task, place.fd) : null;
      return text === null ? refused("ENXIO") : { kind: "data", data: text };
    }
    const k = this.#machine.kernel;
    switch (path) {
      case "/proc/meminfo":
        return { kind: "data", data: meminfoText(k) };
      case "/proc/vmstat":
        return { kind: "data", data: vmstatText(k) };
      case "/proc/buddyinfo":
        return { kind: "data", data: buddyinfoText(k) };
      case SHM_FILE:
        return { kind: "data", data: sysvipcShmText(k) };
      case "/proc/kpageflags":
        return this.#words((pfn) => kpageflagsWord(k, pfn));
      case "/proc/kpagecount":
        return this.#words((pfn) => kpagecountWord(k, pfn));
    }
    // the driver has no read
    if (DEVICE_NODES.includes(path)) return refused("EINVAL");
    const text = this.#machine.readFile(path);
    if (!failed(text)) return { kind: "data", data: text };
    if (this.list(path).kind === "entries") return refused("EISDIR");
    // the tools do not read files of the machine: that would change its page cache
    return refused(filePlaces(this.#machine.kernel).some((place) => place.path === path) ? "EOPNOTSUPP" : text.errno);
  }

  /** A write(2) of the whole text. A kernel file has no end to append to: `append` changes nothing. */
  write(path: string, text: string, _append: boolean): string | null {
    const place = this.#place(path);
    if (place.kind === "process" || place.kind === "fd") return "EINVAL";
    if (path === SHM_FILE || (path.startsWith("/proc/") && (SYSTEM_FILES as readonly string[]).includes(path.slice(6)))) return "EIO";
    if (this.list(path).kind === "entries") return "EISDIR";
    if (DEVICE_NODES.includes(path)) return "EINVAL";
    const known = this.#machine.filePaths().includes(path);
    if (!known)
      return path.startsWith("/sys/") ? "EACCES" : path.startsWith("/proc/") ? "ENOENT" : isBelowMount(this.#machine.kernel, path) ? "EOPNOTSUPP" : "EROFS";
    const r = this.#machine.run(() => this.#machine.writeFile(path, text));
    if (!failed(r)) return null;
    this.hint = r.hint ?? null;
    return r.errno;
  }

  list(path: string): List {
    if (path === "/proc") {
      const pids = this.#machine.tasks().map((task) => ({ name: String(task.pid), directory: true }));
      const self = this.#self() === undefined ? [] : [{ name: "self", directory: true }];
      return this.#entries([
        ...pids,
        ...self,
        ...SYSTEM_FILES.map((name) => ({ name, directory: false })),
        { name: "sys", directory: true },
        { name: "sysvipc", directory: true },
      ]);
    }
    if (path === "/proc/sysvipc") return this.#entries([{ name: "shm", directory: false }]);
    const place = this.#place(path);
    if (place.kind === "processDirectory")
      return this.#entries([...PROCESS_FILES.map((name) => ({ name, directory: false })), ...FD_DIRECTORIES.map((name) => ({ name, directory: true }))]);
    if (place.kind === "fdDirectory") {
      const links = fdLinks(this.#machine.kernel, place.task);
      const entries = links.map(({ fd, target }) => ({ name: String(fd), directory: false, ...(place.directory === "fd" ? { link: target } : {}) }));
      return { kind: "entries", entries };
    }
    if (place.kind === "process" || place.kind === "fd") return refused("ENOTDIR");
    if (path === SHM_FILE || ((SYSTEM_FILES as readonly string[]).includes(path.slice(6)) && path.startsWith("/proc/"))) return refused("ENOTDIR");
    const paths = this.#machine.filePaths();
    if (paths.includes(path)) return refused("ENOTDIR");
    const prefix = path === "/" ? "/" : `${path}/`;
    const below = new Map<string, boolean>();
    const note = (file: string, isDirectory: boolean): void => {
      if (!file.startsWith(prefix)) return;
      const [name, rest] = file.slice(prefix.length).split("/", 2);
      below.set(name, isDirectory || rest !== undefined);
    };
    for (const file of paths) note(file, false);
    for (const place of filePlaces(this.#machine.kernel)) {
      if (place.path === path && !place.isMount) return refused("ENOTDIR");
      note(place.path, place.isMount);
    }
    if (path === "/") below.set("proc", true);
    const exists = below.size > 0 || isDirectory(this.#machine.kernel, path);
    return exists ? this.#entries([...below].map(([name, directory]) => ({ name, directory }))) : refused("ENOENT");
  }

  #entries(entries: Entry[]): List {
    return { kind: "entries", entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  #place(path: string): Place {
    const found = /^\/proc\/(self|[1-9]\d{0,9})(?:\/([a-z_]+)(?:\/(0|[1-9]\d{0,8}))?)?$/.exec(path);
    if (found === null) return { kind: "other" };
    const task = found[1] === "self" ? this.#self() : this.#machine.tasks().find((t) => t.pid === Number(found[1]));
    if (task === undefined) return { kind: "other" };
    if (found[2] === undefined) return { kind: "processDirectory" };
    const directory = FD_DIRECTORIES.find((name) => name === found[2]);
    if (directory !== undefined) {
      if (found[3] === undefined) return { kind: "fdDirectory", task, directory };
      const fd = Number(found[3]);
      return fdget(this.#machine.kernel, task, fd) === undefined ? { kind: "other" } : { kind: "fd", task, directory, fd };
    }
    const file = PROCESS_FILES.find((name) => name === found[2]);
    return file === undefined || found[3] !== undefined ? { kind: "other" } : { kind: "process", task, file };
  }

  #processFile(task: Task, file: ProcessFile): Read {
    const k = this.#machine.kernel;
    switch (file) {
      case "maps":
        return { kind: "data", data: mapsText(k, task) };
      case "smaps":
        return { kind: "data", data: smapsText(k, task) };
      case "smaps_rollup":
        return { kind: "data", data: smapsRollupText(k, task) };
      case "status":
        return { kind: "data", data: statusText(k, task, k.tasks.find(task.parent)?.pid ?? 0) };
      case "pagemap":
        // a word for each page of the address space: 256 GiB
        return refused("EFBIG");
    }
  }

  #words(word: (pfn: number) => bigint): Read {
    const frames = maxPfn(this.#machine.kernel);
    if (frames * 8 > MOST_BYTES) return refused("EFBIG");
    const words = new BigUint64Array(frames);
    for (let pfn = 0; pfn < frames; pfn++) {
      if (pfn % 256 === 0) paceWhole(this.#machine.kernel, 256);
      words[pfn] = word(pfn);
    }
    return { kind: "data", data: new Uint8Array(words.buffer) };
  }
}
