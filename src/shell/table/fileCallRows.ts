import { familyNames } from "../call/constants.ts";
import type { ArgumentSpec, CommandSpec } from "./commandSpec.ts";
import { PAGE_FACTS } from "./pageFacts.ts";
import { arg, optional, row, words } from "./rowHelpers.ts";

const FD = arg("fd", "descriptor");
const PATH = arg("pathname", "quotedPath");
const LENGTH = arg("length", "number");
const OFFSET = arg("offset", "number");
const COUNT = arg("count", "number");
const BUF = arg("buf", "address");
const MODE = optional(arg("mode", "number"));
const OPEN_FLAGS = words("flags", familyNames("O"), "flags");
const ADVICE: readonly ArgumentSpec[] = [FD, OFFSET, LENGTH, words("advice", familyNames("FADV"))];

/** A row whose words are on the page of another call. */
const onPage = (page: keyof typeof PAGE_FACTS, name: string, args: readonly ArgumentSpec[]): CommandSpec =>
  row("call", name, args, { ...PAGE_FACTS[page], page });

/** Rows of the C form on files and descriptors. */
export const FILE_ROWS: readonly CommandSpec[] = [
  row("call", "open", [PATH, OPEN_FLAGS, MODE], PAGE_FACTS.open),
  onPage("open", "openat", [words("dirfd", familyNames("AT")), PATH, OPEN_FLAGS, MODE]),
  onPage("open", "creat", [PATH, arg("mode", "number")]),
  row("call", "memfd_create", [arg("name", "text"), words("flags", familyNames("MFD"), "flags")], PAGE_FACTS.memfd_create),
  row("call", "close", [FD], PAGE_FACTS.close),
  row("call", "dup", [FD], PAGE_FACTS.dup),
  onPage("dup", "dup2", [FD, arg("newfd", "number")]),
  onPage("dup", "dup3", [FD, arg("newfd", "number"), words("flags", ["O_CLOEXEC", "0"], "flags")]),
  row("call", "ftruncate", [FD, LENGTH], PAGE_FACTS.ftruncate),
  onPage("ftruncate", "truncate", [PATH, LENGTH]),
  row("call", "fallocate", [FD, words("mode", ["0", ...familyNames("FALLOC")], "flags"), OFFSET, LENGTH], PAGE_FACTS.fallocate),
  row("call", "posix_fadvise", ADVICE, PAGE_FACTS.posix_fadvise),
  onPage("posix_fadvise", "fadvise64", ADVICE),
  row("call", "read", [FD, BUF, COUNT], PAGE_FACTS.read),
  onPage("read", "pread", [FD, BUF, COUNT, OFFSET]),
  onPage("read", "pread64", [FD, BUF, COUNT, OFFSET]),
  row("call", "write", [FD, BUF, COUNT], PAGE_FACTS.write),
  onPage("write", "pwrite", [FD, BUF, COUNT, OFFSET]),
  onPage("write", "pwrite64", [FD, BUF, COUNT, OFFSET]),
  row("call", "lseek", [FD, OFFSET, words("whence", familyNames("SEEK"))], PAGE_FACTS.lseek),
  row("call", "fsync", [FD], PAGE_FACTS.fsync),
  onPage("fsync", "fdatasync", [FD]),
  row("call", "fstat", [FD, arg("statbuf", "text")], PAGE_FACTS.fstat),
  row("call", "shmget", [words("key", ["IPC_PRIVATE"]), arg("size", "number"), words("shmflg", familyNames("SHMGET"), "flags")], PAGE_FACTS.shmget),
  row("call", "shmat", [arg("shmid", "descriptor"), arg("shmaddr", "address"), words("shmflg", familyNames("SHMAT"), "flags")], PAGE_FACTS.shmat),
  row("call", "shmdt", [arg("shmaddr", "address")], PAGE_FACTS.shmdt),
  row("call", "shmctl", [arg("shmid", "descriptor"), words("cmd", familyNames("IPC")), arg("buf", "text")], PAGE_FACTS.shmctl),
  row("call", "unlink", [PATH], PAGE_FACTS.unlink),
];
