import { printArguments, quoted } from "../callText.ts";
import type { CallStep } from "./pathSteps.ts";

/** Calls on descriptors as C. Numbers of the session stand for those that the program gets itself, which may be others. */
export const C_FILES = `
/* descriptors of this program, plus 1, by their numbers in the session */
static int fds[4096];

__attribute__((unused)) static int fd(int n) { return n >= 0 && n < 4096 && fds[n] > 0 ? fds[n] - 1 : n; }

/* an address that the compiler must not judge */
__attribute__((unused)) static void *at(unsigned long address) {
  volatile unsigned long kept = address;
  return (void *)kept;
}

__attribute__((unused)) static void say_fd(const char *call, int n, int made) {
  if (made >= 0 && n >= 0 && n < 4096) fds[n] = made + 1;
  say(call, made);
}

/* a buffer of its own for calls that were given a text; it holds the text, and its last byte again and again */
__attribute__((unused)) static void *scratch(unsigned long bytes, const char *text, unsigned long known) {
  static char *buffer;
  static unsigned long size;
  if (bytes + 1 > size) {
    if (size > 0) munmap(buffer, size);
    size = (bytes + 4096) & ~4095ul;
    buffer = mmap((void *)0x600000000000ul, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer == MAP_FAILED) _exit(1);
  }
  if (known > 0) {
    memset(buffer, text[known - 1], bytes);
    memcpy(buffer, text, known < bytes ? known : bytes);
  }
  return buffer;
}
`;

const number = (value: bigint): string => `${BigInt.asIntN(64, value)}l`.replace("-9223372036854775808l", "(-9223372036854775807l - 1)");
const unsigned = (value: bigint): string => `${BigInt.asUintN(64, value)}ul`;

/** Statements of a call on files; undefined for another call. */
export function fileStatements(step: CallStep): string[] | undefined {
  const { call, args, texts, result } = step;
  const shown = printArguments(call, step);
  const path = (i: number): string => (texts[i] === null || texts[i] === undefined ? "NULL" : quoted(texts[i]));
  const fd = (i = 0): string => `fd(${shown[i]})`;
  const opened = (text: string): string[] => [`say_fd("${call}", ${result ?? -1n}, ${text});`];
  const said = (text: string): string[] => [`say("${call}", ${text});`];
  switch (call) {
    case "open":
      return opened(`open(${path(0)}, ${shown[1]}, ${shown[2]})`);
    case "openat":
      return opened(`openat(${args[0] === -100n ? "AT_FDCWD" : fd()}, ${path(1)}, ${shown[2]}, ${shown[3]})`);
    case "creat":
      return opened(`creat(${path(0)}, ${shown[1]})`);
    case "memfd_create":
      return opened(`(int)syscall(SYS_memfd_create, ${path(0)}, ${shown[1]})`);
    case "dup":
      return opened(`dup(${fd()})`);
    case "dup2":
    case "dup3":
      // the number asked for is that of this program
      return opened(`${call}(${fd()}, ${shown[1]}${call === "dup3" ? `, ${shown[2]}` : ""})`);
    case "close":
      return said(`close(${fd()})`);
    case "fsync":
    case "fdatasync":
      return said(`${call}(${fd()})`);
    case "ftruncate":
      return said(`ftruncate(${fd()}, ${number(args[1])})`);
    case "truncate":
      return said(`truncate(${path(0)}, ${number(args[1])})`);
    case "fallocate":
      return said(`fallocate(${fd()}, ${shown[1]}, ${number(args[2])}, ${number(args[3])})`);
    case "posix_fadvise":
    case "fadvise64":
      return said(`syscall(SYS_fadvise64, ${fd()}, ${number(args[1])}, ${number(args[2])}, ${shown[3]})`);
    case "lseek":
      return said(`lseek(${fd()}, ${number(args[1])}, ${shown[2]})`);
    case "fstat":
      return ["struct stat st;", `say("fstat", fstat(${fd()}, &st));`];
    case "unlink":
      return said(`unlink(${path(0)})`);
    case "read":
    case "write":
    case "pread":
    case "pread64":
    case "pwrite":
    case "pwrite64": {
      const at = args[3] === undefined ? "" : `, ${number(args[3])}`;
      return said(`${call.replace("64", "")}(${fd()}, ${buffer(step)}, ${unsigned(args[2])}${at})`);
    }
    default:
      return undefined;
  }
}

function buffer({ args, texts }: CallStep): string {
  const text = texts[1];
  if (text === null || text === undefined) return `at(0x${BigInt.asUintN(64, args[1]).toString(16)}ul)`;
  return `scratch(${unsigned(args[2])}, ${quoted(text)}, ${text.length})`;
}
