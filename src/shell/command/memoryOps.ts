import type { AddressExpr, AdviceName, MmapFlag, OperationBody, ProtBits, RangeExpr } from "../operation.ts";
import type { BodyParser, BodyParsers } from "./bodyParser.ts";
import { fileIn } from "./fileWord.ts";
import type { TokenCursor } from "./tokenCursor.ts";
import { ADVICE_NAMES, ADVICE_NUMBERS, MMAP_FLAGS, MMAP_OPTIONS } from "./words.ts";

const FLAG_SET: ReadonlySet<string> = new Set(MMAP_FLAGS);

/** Takes `none` or letters of `rwx`. */
function prot(cursor: TokenCursor): ProtBits {
  const token = cursor.word("PROT");
  if (token.text === "none") return 0;
  let bits = 0;
  for (const letter of token.text) {
    const bit = letter === "r" ? 1 : letter === "w" ? 2 : letter === "x" ? 4 : 0;
    if (bit === 0) {
      cursor.failChoice(token, "PROT", ["none", "r", "rw", "rx", "rwx"]);
      break;
    }
    bits |= bit;
  }
  return bits;
}

const mmap: BodyParser = (cursor) => {
  const name = cursor.name("NAME");
  const lengthBytes = cursor.number("LEN");
  const bits = prot(cursor);
  const flags: MmapFlag[] = [];
  let at: AddressExpr | null = null;
  let file: string | null = null;
  let readOnlyFile = false;
  let offsetBytes = 0n;
  let token = cursor.word("FLAG");
  while (cursor.error === null) {
    const text = token.text;
    if (FLAG_SET.has(text)) flags.push(text as MmapFlag);
    else if (text.startsWith("at=")) at = cursor.addressIn(token, 3, "ADDRESS");
    else if (text.startsWith("off=")) offsetBytes = cursor.numberIn(token, 4, "OFFSET");
    else if (text.startsWith("file=") || text.startsWith("rofile=")) {
      readOnlyFile = text.startsWith("ro");
      file = fileIn(cursor, token, readOnlyFile ? 7 : 5);
    } else cursor.failChoice(token, "FLAG", [...MMAP_FLAGS, ...MMAP_OPTIONS]);
    if (cursor.peek() === null) break;
    token = cursor.word("FLAG");
  }
  return { op: "mmap", name, lengthBytes, prot: bits, flags, at, file, readOnlyFile, offsetBytes };
};

const mremap: BodyParser = (cursor) => {
  const at = cursor.address("ADDRESS");
  const oldBytes = cursor.number("OLD");
  const newBytes = cursor.number("NEW");
  let mayMove = false;
  let fixed: AddressExpr | null = null;
  let dontUnmap = false;
  while (cursor.error === null && cursor.peek() !== null) {
    const token = cursor.word("FLAG");
    if (token.text === "maymove") mayMove = true;
    else if (token.text === "dontunmap") dontUnmap = true;
    else if (token.text.startsWith("fixed=")) {
      // the recorder sets MREMAP_MAYMOVE with MREMAP_FIXED
      mayMove = true;
      fixed = cursor.addressIn(token, 6, "ADDRESS");
    } else cursor.failChoice(token, "FLAG", ["maymove", "fixed=", "dontunmap"]);
  }
  return { op: "mremap", at, oldBytes, newBytes, mayMove, fixed, dontUnmap };
};

const madvise: BodyParser = (cursor) => {
  const range = cursor.range();
  const token = cursor.word("ADVICE");
  let advice: AdviceName | number = "normal";
  if (Object.hasOwn(ADVICE_NUMBERS, token.text)) advice = token.text as AdviceName;
  else if (/^-?\d{1,9}$/.test(token.text)) advice = Number(token.text);
  else cursor.failChoice(token, "ADVICE", ADVICE_NAMES);
  return { op: "madvise", range, advice };
};

const touch: BodyParser = (cursor) => {
  const range = cursor.range();
  let mode: "r" | "w" | "x" = "r";
  let stepBytes = 4096n;
  let value = 0x41;
  let all = false;
  while (cursor.error === null && cursor.peek() !== null) {
    const token = cursor.word("MODE");
    const text = token.text;
    if (text === "r" || text === "w" || text === "x") mode = text;
    else if (text === "all") all = true;
    else if (text.startsWith("step=")) {
      stepBytes = cursor.numberIn(token, 5, "STEP");
      if (stepBytes === 0n) cursor.fail(token, "shell.stepZero", {}, "step=4k");
    } else if (text.startsWith("v=")) value = cursor.smallNumberIn(token, 2, "BYTE", 255);
    else cursor.failChoice(token, "MODE", ["r", "w", "x", "step=", "v=", "all"]);
  }
  return { op: "touch", range, mode, stepBytes, value, all };
};

/** `kread E [LEN]`, `kwrite E [LEN]`: one byte when there is no length. */
function kernelCopy(op: "kread" | "kwrite"): BodyParser {
  return (cursor) => {
    const at = cursor.address("ADDRESS");
    return { op, at, lengthBytes: cursor.peek() === null ? 1n : cursor.number("LEN") };
  };
}

function onRange(op: "munmap" | "mseal" | "msync" | "mincore" | "mlock" | "munlock"): BodyParser {
  return (cursor): OperationBody => {
    const range = cursor.range();
    // the grammar allows the word behind all three; the recorder heeds it for mlock2 only
    if (op === "mlock" || op === "munlock") cursor.accept("onfault");
    return { op, range };
  };
}

const mlockall: BodyParser = (cursor) => {
  let current = false;
  let future = false;
  let onfault = false;
  while (cursor.error === null && cursor.peek() !== null) {
    const word = cursor.choice("FLAG", ["current", "future", "onfault"]);
    current ||= word === "current";
    future ||= word === "future";
    onfault ||= word === "onfault";
  }
  return { op: "mlockall", current, future, onfault };
};

const gup: BodyParser = (cursor) => {
  const range: RangeExpr = cursor.range();
  let write = false;
  let fast = false;
  while (cursor.error === null && cursor.peek() !== null) {
    const word = cursor.choice("MODE", ["r", "w", "fast"]);
    write = word === "w" || (write && word !== "r");
    fast ||= word === "fast";
  }
  return { op: "gup", range, write, fast };
};

/** Operations on the address space. */
export const memoryOps: BodyParsers = {
  mmap,
  mremap,
  madvise,
  touch,
  mlockall,
  gup,
  munmap: onRange("munmap"),
  mseal: onRange("mseal"),
  msync: onRange("msync"),
  mincore: onRange("mincore"),
  mlock: onRange("mlock"),
  munlock: onRange("munlock"),
  mprotect: (cursor) => ({ op: "mprotect", range: cursor.range(), prot: prot(cursor) }),
  mlock2: (cursor) => ({ op: "mlock2", range: cursor.range(), onfault: cursor.accept("onfault") }),
  kread: kernelCopy("kread"),
  kwrite: kernelCopy("kwrite"),
  munlockall: () => ({ op: "munlockall" }),
};
