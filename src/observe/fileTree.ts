import { DEVICES } from "../kernel/drivers/hugelab.ts";
import type { Machine } from "../kernel/machine.ts";
import { failed } from "../kernel/mm/errno.ts";
import { paceWhole } from "../kernel/sched/pace.ts";
import type { Task } from "../kernel/mm/records.ts";
import { kpagecountWord, kpageflagsWord, maxPfn } from "../kernel/proc/pagemap.ts";
import { buddyinfoText, meminfoText, vmstatText } from "./systemText.ts";
import { mapsText, smapsRollupText, smapsText, statusText } from "./taskText.ts";

/** bytes of a binary file that are read at once; above, one is asked for a part of it */
const MOST_BYTES = 1 << 26;

type Read = { readonly kind: "data"; readonly data: string | Uint8Array } | Refused;
type Refused = { readonly kind: "errno"; readonly errno: string };
type List = { readonly kind: "entries"; readonly entries: readonly { readonly name: string; readonly directory: boolean }[] } | Refused;

const PROCESS_FILES = ["maps", "pagemap", "smaps", "smaps_rollup", "status"] as const;
type ProcessFile = (typeof PROCESS_FILES)[number];
const SYSTEM_FILES = ["buddyinfo", "kpagecount", "kpageflags", "meminfo", "vmstat"] as const;

/** Devices that can be mapped, and nothing else. */
const DEVICE_NODES: readonly string[] = DEVICES.filter(({ regular }) => !regular).map(({ path }) => path);

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
    const k = this.#machine.kernel;
    switch (path) {
      case "/proc/meminfo":
        return { kind: "data", data: meminfoText(k) };
      case "/proc/vmstat":
        return { kind: "data", data: vmstatText(k) };
      case "/proc/buddyinfo":
        return { kind: "data", data: buddyinfoText(k) };
      case "/proc/kpageflags":
        return this.#words((pfn) => kpageflagsWord(k, pfn));
      case "/proc/kpagecount":
        return this.#words((pfn) => kpagecountWord(k, pfn));
    }
    // the driver has no read
    if (DEVICE_NODES.includes(path)) return refused("EINVAL");
    const text = this.#machine.readFile(path);
    if (!failed(text)) return { kind: "data", data: text };
    return this.list(path).kind === "entries" ? refused("EISDIR") : refused(text.errno);
  }

  /** A write(2) of the whole text. A kernel file has no end to append to: `append` changes nothing. */
  write(path: string, text: string, _append: boolean): string | null {
    const place = this.#place(path);
    if (place.kind === "process") return "EINVAL";
    if (path.startsWith("/proc/") && (SYSTEM_FILES as readonly string[]).includes(path.slice(6))) return "EIO";
    if (this.list(path).kind === "entries") return "EISDIR";
    if (DEVICE_NODES.includes(path)) return "EINVAL";
    const known = this.#machine.filePaths().includes(path);
    if (!known) return path.startsWith("/sys/") ? "EACCES" : path.startsWith("/proc/") ? "ENOENT" : "EROFS";
    const r = this.#machine.run(() => this.#machine.writeFile(path, text));
    if (!failed(r)) return null;
    this.hint = r.hint ?? null;
    return r.errno;
  }

  list(path: string): List {
    if (path === "/proc") {
      const pids = this.#machine.tasks().map((task) => ({ name: String(task.pid), directory: true }));
      const self = this.#self() === undefined ? [] : [{ name: "self", directory: true }];
      return this.#entries([...pids, ...self, ...SYSTEM_FILES.map((name) => ({ name, directory: false })), { name: "sys", directory: true }]);
    }
    const place = this.#place(path);
    if (place.kind === "processDirectory") return this.#entries(PROCESS_FILES.map((name) => ({ name, directory: false })));
    if (place.kind === "process") return refused("ENOTDIR");
    if ((SYSTEM_FILES as readonly string[]).includes(path.slice(6)) && path.startsWith("/proc/")) return refused("ENOTDIR");
    const paths = [...this.#machine.filePaths(), ...DEVICE_NODES];
    if (paths.includes(path)) return refused("ENOTDIR");
    const prefix = path === "/" ? "/" : `${path}/`;
    const below = new Map<string, boolean>();
    for (const file of paths) {
      if (!file.startsWith(prefix)) continue;
      const [name, rest] = file.slice(prefix.length).split("/", 2);
      below.set(name, rest !== undefined);
    }
    if (path === "/") below.set("proc", true);
    return below.size === 0 ? refused("ENOENT") : this.#entries([...below].map(([name, directory]) => ({ name, directory })));
  }

  #entries(entries: { name: string; directory: boolean }[]): List {
    return { kind: "entries", entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  #place(
    path: string,
  ): { readonly kind: "process"; readonly task: Task; readonly file: ProcessFile } | { readonly kind: "processDirectory" } | { readonly kind: "other" } {
    const found = /^\/proc\/(self|[1-9]\d{0,9})(?:\/([a-z_]+))?$/.exec(path);
    if (found === null) return { kind: "other" };
    const task = found[1] === "self" ? this.#self() : this.#machine.tasks().find((t) => t.pid === Number(found[1]));
    if (task === undefined) return { kind: "other" };
    if (found[2] === undefined) return { kind: "processDirectory" };
    const file = PROCESS_FILES.find((name) => name === found[2]);
    return file === undefined ? { kind: "other" } : { kind: "process", task, file };
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
