import { refuseArgument } from "../why/refusal.ts";
import type { Result } from "./errno.ts";
import type { Kernel } from "./kernel.ts";
import type { HugeMount } from "./records.ts";

/** Options of a tmpfs mount (mm/shmem.c, shmem_parse_one). */
export interface TmpfsOptions {
  readonly huge: HugeMount;
  /** pages; 0: no limit */
  readonly maxBlocks: number;
}

const SUFFIXES: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** memparse, with "%" of the machine's memory where a size may have it. */
function parseSize(k: Kernel, text: string, percent: boolean): number | undefined {
  if (percent && /^\d+%$/.test(text)) return Math.floor((k.profile.memoryMiB * 2 ** 20 * Number(text.slice(0, -1))) / 100);
  const parts = /^(0x[0-9a-f]+|\d+)([kmgt]?)$/i.exec(text);
  return parts === null ? undefined : Number(parts[1]) * SUFFIXES[parts[2].toLowerCase()];
}

const HUGE: readonly HugeMount[] = ["never", "always", "within_size", "advise"];
/** options that say nothing about memory */
const OTHER: ReadonlySet<string> = new Set(["mode", "uid", "gid", "nr_inodes", "mpol", "rw", "noswap", "inode32", "inode64"]);

/** shmem_parse_options: without size= half of the machine's memory. */
export function parseTmpfsOptions(k: Kernel, text: string): Result<TmpfsOptions> {
  let huge: HugeMount = "never";
  let maxBlocks = Math.floor((k.profile.memoryMiB * 256) / 2);
  for (const option of text.split(",").filter((o) => o !== "")) {
    const [name, value = ""] = option.split("=", 2);
    const size = name === "size" ? parseSize(k, value, true) : name === "nr_blocks" ? parseSize(k, value, false) : undefined;
    if (size !== undefined) maxBlocks = name === "size" ? Math.ceil(size / 4096) : size;
    else if (name === "huge" && k.geo.thp && HUGE.includes(value as HugeMount)) huge = value as HugeMount;
    else if (!OTHER.has(name)) return refuseArgument(k, 0, "shmem_parse_one", "EINVAL", "refuse.argument", "value", option, "hint.mountOption");
  }
  return { huge, maxBlocks };
}
