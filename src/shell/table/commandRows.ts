import {
  FADVISE_NAMES,
  FALLOC_MODES,
  ADVICE_NAMES,
  FILE_SYSTEMS,
  MMAP_FLAGS,
  MMAP_OPTIONS,
  SHMAT_FLAGS,
  SHMGET_FLAGS,
  UFFD_FEATURES,
  UFFD_MODES,
} from "../command/words.ts";
import type { ArgumentSpec, CommandSpec } from "./commandSpec.ts";
import { PAGE_FACTS } from "./pageFacts.ts";
import { arg, optional, repeated, row, words } from "./rowHelpers.ts";

const ADDRESS = arg("ADDRESS", "address");
const LEN = optional(arg("LEN", "number"));
const RANGE: readonly ArgumentSpec[] = [ADDRESS, LEN];
const FILE = arg("FILE", "file");
const NAME = arg("NAME", "newName");
const PROT = words("PROT", ["none", "r", "rw", "rx", "rwx"]);
const VALUE = arg("VALUE", "text");
const SIZE_KEY = words("SIZE", ["16kB", "32kB", "64kB", "128kB", "256kB", "512kB", "1024kB", "2048kB"]);
const POOL_SIZE = words("SIZE", ["2048kB", "1048576kB"]);
const PAGE_FLAGS = optional(repeated(words("FLAG", ["wp", "dontwake", "allow_holes", "badmode", "src="], "flags")));

const MEMORY: readonly CommandSpec[] = [
  row("command", "mmap", [NAME, arg("LEN", "number"), PROT, repeated(words("FLAG", [...MMAP_FLAGS, ...MMAP_OPTIONS], "flags"))], PAGE_FACTS.mmap),
  row("command", "munmap", RANGE, PAGE_FACTS.munmap),
  row("command", "mprotect", [...RANGE, PROT], PAGE_FACTS.mprotect),
  row(
    "command",
    "mremap",
    [ADDRESS, arg("OLD", "number"), arg("NEW", "number"), optional(repeated(words("FLAG", ["maymove", "fixed=", "dontunmap"], "flags")))],
    PAGE_FACTS.mremap,
  ),
  row("command", "madvise", [...RANGE, words("ADVICE", ADVICE_NAMES)], PAGE_FACTS.madvise),
  row("command", "mlock", RANGE, PAGE_FACTS.mlock),
  row("command", "mlock2", [...RANGE, optional(words("onfault", ["onfault"]))], PAGE_FACTS.mlock2),
  row("command", "munlock", RANGE, PAGE_FACTS.munlock),
  row("command", "mlockall", [optional(repeated(words("current|future|onfault", ["current", "future", "onfault"], "flags")))], PAGE_FACTS.mlockall),
  row("command", "munlockall", [], PAGE_FACTS.munlockall),
  row("command", "mincore", RANGE, PAGE_FACTS.mincore),
  row("command", "msync", RANGE, PAGE_FACTS.msync),
  row("command", "mseal", RANGE, PAGE_FACTS.mseal),
  row("command", "touch", [...RANGE, optional(repeated(words("r|w|x|step=N|v=BYTE|all", ["r", "w", "x", "step=", "v=", "all"], "flags")))], {
    seeAlso: ["mmap", "kread", "kwrite"],
  }),
  row("command", "kread", RANGE, { seeAlso: ["touch", "kwrite"], errnos: ["EFAULT"] }),
  row("command", "kwrite", RANGE, { seeAlso: ["touch", "kread"], errnos: ["EFAULT"] }),
  row("command", "gup", [...RANGE, optional(repeated(words("r|w|fast", ["r", "w", "fast"], "flags")))], { seeAlso: ["touch", "madvise"], errnos: ["EFAULT"] }),
];

const PROCESS: readonly CommandSpec[] = [
  row("command", "prctl", [words("OPTION", ["thp_disable", "get_thp_disable", "memory_merge"]), words("VALUE", ["0", "1", "except"])], PAGE_FACTS.prctl),
  row("command", "rlimit", [words("RESOURCE", ["memlock", "as", "data"]), arg("BYTES", "number")], { ...PAGE_FACTS.setrlimit, section: 1, page: "setrlimit" }),
  row("command", "brk", [arg("DELTA", "number")], PAGE_FACTS.brk),
  row("command", "fork", [NAME], PAGE_FACTS.fork),
  row("command", "shmget", [NAME, arg("SIZE", "number"), optional(repeated(words("FLAG", [...SHMGET_FLAGS, "key="], "flags")))], PAGE_FACTS.shmget),
  row("command", "shmat", [NAME, arg("SEGMENT", "file"), optional(repeated(words("FLAG", [...SHMAT_FLAGS, "at="], "flags")))], PAGE_FACTS.shmat),
  row("command", "shmdt", [ADDRESS], PAGE_FACTS.shmdt),
  row("command", "shmctl", [arg("SEGMENT", "file"), words("COMMAND", ["rmid", "stat"])], PAGE_FACTS.shmctl),
  row("command", "exit", [], { seeAlso: ["fork", "kill"] }),
  row("command", "resume", [], { seeAlso: ["uffd", "kill"] }),
  row("command", "kill", [], { seeAlso: ["uffd", "exit"] }),
];

const UPROBE = { seeAlso: ["mmap", "madvise", "khugepaged"], errnos: ["EEXIST", "EINVAL", "ENOENT", "ENOMEM", "ENOTSUPP"] };

const FILES: readonly CommandSpec[] = [
  row("command", "falloc", [FILE, words("MODE", FALLOC_MODES), arg("OFFSET", "number"), arg("LEN", "number")], PAGE_FACTS.falloc),
  row("command", "truncate", [FILE, arg("SIZE", "number")], { seeAlso: ["falloc", "file"], errnos: ["EFBIG", "EINVAL", "EPERM"] }),
  row("command", "fwrite", [FILE, arg("OFFSET", "number"), arg("LEN", "number"), optional(arg("BYTE", "number"))], {
    seeAlso: ["fread", "touch"],
    errnos: ["EINVAL", "ENOSPC"],
  }),
  row("command", "fread", [FILE, arg("OFFSET", "number"), arg("LEN", "number")], { seeAlso: ["fwrite"], errnos: ["EIO"] }),
  row("command", "fadvise", [FILE, arg("OFFSET", "number"), arg("LEN", "number"), words("ADVICE", FADVISE_NAMES)], PAGE_FACTS.fadvise),
  row("command", "fsync", [FILE], PAGE_FACTS.fsync),
  row("command", "mount", [NAME, words("TYPE", FILE_SYSTEMS), optional(arg("DEVICE", "path")), optional(arg("OPTIONS", "text"))], {
    seeAlso: ["umount", "file"],
    errnos: ["EINVAL", "ENODEV", "ENOMEM"],
  }),
  row("command", "umount", [FILE], { seeAlso: ["mount"], errnos: ["EBUSY", "EINVAL"] }),
  row("command", "file", [NAME, arg("DIR", "file"), optional(arg("SIZE", "number"))], {
    seeAlso: ["mount", "unlink", "memfd"],
    errnos: ["EINVAL", "ENOENT", "ENOSPC"],
  }),
  row("command", "unlink", [FILE], PAGE_FACTS.unlink),
  row("command", "memfd", [NAME, arg("SIZE", "number"), optional(words("FLAG", ["hugetlb2M", "hugetlb1G"]))], PAGE_FACTS.memfd),
  row("command", "memfd_close", [FILE], { seeAlso: ["memfd"], errnos: ["EBADF"] }),
  row("command", "uprobe set", [FILE, arg("OFFSET", "number")], UPROBE),
  row("command", "uprobe clear", [FILE, arg("OFFSET", "number")], UPROBE),
];

const UFFD: readonly CommandSpec[] = [
  row("command", "uffd open", [optional(repeated(words("FEATURE", UFFD_FEATURES, "flags")))], PAGE_FACTS.uffd),
  row("command", "uffd close", [], PAGE_FACTS.uffd),
  row("command", "uffd poll", [], PAGE_FACTS.uffd),
  row(
    "command",
    "uffd register",
    [...RANGE, words("MODE", ["missing", "wp", "minor", "missing,wp", "missing,minor", "wp,minor", ...UFFD_MODES.slice(3)])],
    PAGE_FACTS.uffd,
  ),
  row("command", "uffd unregister", RANGE, PAGE_FACTS.uffd),
  row("command", "uffd wake", RANGE, PAGE_FACTS.uffd),
  ...["copy", "zeropage", "continue", "poison", "writeprotect", "move"].map((call) => row("command", `uffd ${call}`, [...RANGE, PAGE_FLAGS], PAGE_FACTS.uffd)),
];

const SYS_OPTIONS = { seeAlso: ["khugepaged", "ksm", "cat", "echo"], errnos: ["EACCES", "EINVAL", "ENOENT"] };
const THP_KEYS = ["enabled", "defrag", "shmem_enabled", "use_zero_page", "shrink_underused"];
const KHP_KEYS = ["max_ptes_none", "max_ptes_shared", "max_ptes_swap", "pages_to_scan", "scan_sleep_millisecs", "alloc_sleep_millisecs", "defrag"];

const SYSTEM: readonly CommandSpec[] = [
  row("command", "sys set", [arg("PATH", "kernelPath"), VALUE], SYS_OPTIONS),
  row("command", "sys get", [arg("PATH", "kernelPath")], SYS_OPTIONS),
  row("command", "sys thp", [words("KEY", THP_KEYS), words("VALUE", ["always", "madvise", "never", "0", "1"])], SYS_OPTIONS),
  row(
    "command",
    "sys mthp",
    [SIZE_KEY, words("KEY", ["enabled", "shmem_enabled"]), words("VALUE", ["always", "inherit", "madvise", "never", "advise", "within_size"])],
    SYS_OPTIONS,
  ),
  row("command", "sys khp", [words("KEY", KHP_KEYS), VALUE], SYS_OPTIONS),
  row("command", "sys nr_hugepages", [POOL_SIZE, arg("COUNT", "number")], SYS_OPTIONS),
  row("command", "sys nr_overcommit", [POOL_SIZE, arg("COUNT", "number")], SYS_OPTIONS),
  row("command", "sys vm", [arg("KEY", "text"), VALUE], SYS_OPTIONS),
  row("command", "sys ksm", [words("KEY", ["run", "pages_to_scan", "sleep_millisecs", "use_zero_pages", "max_page_sharing"]), VALUE], SYS_OPTIONS),
  row("command", "khugepaged scan", [optional(arg("PASSES", "number"))], { seeAlso: ["madvise", "sys"] }),
  row("command", "ksm scan", [optional(arg("PASSES", "number"))], { seeAlso: ["madvise", "sys"] }),
  row("command", "ksm unmerge", [], { seeAlso: ["madvise", "sys"] }),
  row("command", "zram on", [arg("SIZE", "number")], { seeAlso: ["madvise"], errnos: ["EBUSY", "EINVAL"] }),
  row("command", "zram off", [], { seeAlso: ["madvise"], errnos: ["EINVAL", "ENOMEM"] }),
  row("command", "memcg new", [arg("BYTES", "number"), arg("PROCESS", "process")], { seeAlso: ["setrlimit"], errnos: ["EBUSY", "EINVAL"] }),
  row("command", "memcg limit", [arg("BYTES", "number")], { seeAlso: ["setrlimit"], errnos: ["EBUSY", "EINVAL"] }),
  row("command", "drop_caches", [optional(words("VALUE", ["1", "2", "3"]))], { seeAlso: ["fadvise", "sys"], errnos: ["EINVAL"] }),
  row("command", "compact", [], { seeAlso: ["sys"] }),
  row("command", "sleep", [arg("MS", "number")], { seeAlso: ["khugepaged"] }),
];

/** Rows of the command form: every operation of conformance/GRAMMAR.md, and `brk`, `gup` and `uprobe`, which are ours. */
export const COMMAND_ROWS: readonly CommandSpec[] = [...MEMORY, ...PROCESS, ...FILES, ...UFFD, ...SYSTEM];
