import type { OperationBody } from "../operation.ts";
import type { BodyParser, BodyParsers } from "./bodyParser.ts";
import { isProcessName } from "./processOps.ts";
import { shorten, type TokenCursor } from "./tokenCursor.ts";
import { PATH_ALIASES } from "./words.ts";

const THP = "/sys/kernel/mm/transparent_hugepage";
const MOST_PASSES = 1_000_000;
const MOST_MILLISECONDS = 86_400_000;

export const SYS_CALLS = ["set", "get", "thp", "mthp", "khp", "nr_hugepages", "nr_overcommit", "vm", "ksm"] as const;

/** Takes a path of a kernel file; an alias at its beginning is expanded. */
function kernelPath(cursor: TokenCursor): string {
  const token = cursor.word("PATH");
  if (cursor.error !== null || token.text.startsWith("/")) return token.text;
  const alias = PATH_ALIASES.find(([short]) => token.text.startsWith(short));
  if (alias !== undefined) return alias[1] + token.text.slice(alias[0].length);
  cursor.fail(token, "shell.badKernelPath", { word: shorten(token.text), aliases: PATH_ALIASES.map(([short]) => short).join(" ") });
  return token.text;
}

/** Takes a page size as sysfs writes it: `64kB`. */
function pageSize(cursor: TokenCursor): string {
  const token = cursor.word("SIZE");
  if (cursor.error !== null || /^\d{1,9}kB$/.test(token.text)) return token.text;
  const digits = /^(\d{1,6})([kMG]?)/.exec(token.text);
  const kilo = digits === null ? null : Number(digits[1]) * (digits[2] === "M" ? 1024 : digits[2] === "G" ? 1024 * 1024 : 1);
  cursor.fail(token, "shell.badPageSize", { word: shorten(token.text) }, kilo === null ? null : `${kilo}kB`);
  return token.text;
}

const sys: BodyParser = (cursor): OperationBody => {
  const call = cursor.choice("CALL", SYS_CALLS);
  const set = (path: string): OperationBody => ({ op: "sysSet", path, value: cursor.word("VALUE").text });
  switch (call) {
    case "get":
      return { op: "sysGet", path: kernelPath(cursor) };
    case "thp":
      return set(`${THP}/${cursor.word("KEY").text}`);
    case "khp":
      return set(`${THP}/khugepaged/${cursor.word("KEY").text}`);
    case "mthp":
      return set(`${THP}/hugepages-${pageSize(cursor)}/${cursor.word("KEY").text}`);
    case "nr_hugepages":
      return set(`/sys/kernel/mm/hugepages/hugepages-${pageSize(cursor)}/nr_hugepages`);
    case "nr_overcommit":
      return set(`/sys/kernel/mm/hugepages/hugepages-${pageSize(cursor)}/nr_overcommit_hugepages`);
    case "vm":
      return set(`/proc/sys/vm/${cursor.word("KEY").text}`);
    case "ksm":
      return set(`/sys/kernel/mm/ksm/${cursor.word("KEY").text}`);
    default:
      return set(kernelPath(cursor));
  }
};

const zram: BodyParser = (cursor) => {
  const on = cursor.choice("CALL", ["on", "off"]) === "on";
  return { op: "zram", bytes: on ? cursor.number("SIZE") : null };
};

const memcg: BodyParser = (cursor) => {
  const call = cursor.choice("CALL", ["new", "limit"]) ?? "limit";
  const bytes = cursor.number("BYTES");
  if (call === "limit") return { op: "memcg", call, bytes, process: null };
  const token = cursor.word("PROCESS");
  if (cursor.error === null && !isProcessName(token.text)) cursor.fail(token, "shell.badProcessName", { word: shorten(token.text) });
  return { op: "memcg", call, bytes, process: token.text };
};

const khugepaged: BodyParser = (cursor) => {
  cursor.choice("CALL", ["scan"]);
  return { op: "khugepagedScan", passes: cursor.peek() === null ? 1 : cursor.smallNumber("PASSES", MOST_PASSES) };
};

const ksm: BodyParser = (cursor) => {
  if (cursor.choice("CALL", ["scan", "unmerge"]) === "unmerge") return { op: "ksmUnmerge" };
  return { op: "ksmScan", passes: cursor.peek() === null ? 2 : cursor.smallNumber("PASSES", MOST_PASSES) };
};

/** Operations on the machine: kernel files, daemons, swap, control groups. */
export const systemOps: BodyParsers = {
  sys,
  zram,
  memcg,
  khugepaged,
  ksm,
  drop_caches: (cursor) => ({ op: "dropCaches", value: cursor.peek() === null ? 3 : cursor.smallNumber("VALUE", 0x7fffffff) }),
  compact: () => ({ op: "compact" }),
  sleep: (cursor) => ({ op: "sleep", milliseconds: cursor.smallNumber("MS", MOST_MILLISECONDS) }),
};
