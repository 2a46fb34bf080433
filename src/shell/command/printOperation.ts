import { printNumber } from "../numbers.ts";
import type { AddressExpr, Operation, OperationBody, ProtBits, RangeExpr } from "../operation.ts";
import { FIRST_PROCESS } from "./parseLine.ts";

/** An operation in its canonical text: parsing it gives the same process and body. */
export function printOperation(operation: Pick<Operation, "process" | "body">): string {
  const text = printBody(operation.body);
  return operation.process === FIRST_PROCESS ? text : `@${operation.process} ${text}`;
}

/** `A+4k`, `A-4k`, `0x1000`. */
export function printAddress(at: AddressExpr): string {
  const { name, offsetBytes } = at;
  if (name === null) return `0x${offsetBytes.toString(16)}`;
  if (offsetBytes === 0n) return name;
  return offsetBytes < 0n ? `${name}-${printNumber(-offsetBytes)}` : `${name}+${printNumber(offsetBytes)}`;
}

function printRange(range: RangeExpr): string {
  return range.lengthBytes === null ? printAddress(range.at) : `${printAddress(range.at)} ${printNumber(range.lengthBytes)}`;
}

/** `none`, `r`, `rw`, .. */
export function printProt(prot: ProtBits): string {
  if ((prot & 7) === 0) return "none";
  return `${(prot & 1) !== 0 ? "r" : ""}${(prot & 2) !== 0 ? "w" : ""}${(prot & 4) !== 0 ? "x" : ""}`;
}

/** Joins the words that are there. */
function join(...words: readonly (string | false)[]): string {
  return words.filter((word) => word !== false && word !== "").join(" ");
}

type Body<Op extends OperationBody["op"]> = Extract<OperationBody, { op: Op }>;

function printMmap(body: Body<"mmap">): string {
  const options = [
    ...body.flags,
    ...(body.at === null ? [] : [`at=${printAddress(body.at)}`]),
    ...(body.file === null ? [] : [`${body.readOnlyFile ? "ro" : ""}file=${body.file}`]),
  ];
  // a line of mmap has at least one word of flags
  if (body.offsetBytes !== 0n || options.length === 0) options.push(`off=${printNumber(body.offsetBytes)}`);
  return join("mmap", body.name, printNumber(body.lengthBytes), printProt(body.prot), ...options);
}

function printUffd(body: Body<"uffd">): string {
  switch (body.call) {
    case "open":
      return join("uffd open", ...body.features);
    case "close":
    case "poll":
      return `uffd ${body.call}`;
    case "register":
      return join("uffd register", printRange(body.range), body.modes.join(","));
    case "unregister":
    case "wake":
      return join("uffd", body.call, printRange(body.range));
    default:
      return join(
        "uffd",
        body.call,
        printRange(body.range),
        body.wp && "wp",
        body.dontWake && "dontwake",
        body.source !== null && `src=${printAddress(body.source)}`,
        body.allowHoles && "allow_holes",
        body.badMode && "badmode",
      );
  }
}

function printPrctl(body: Body<"prctl">): string {
  if (body.what === "get_thp_disable") return "prctl get_thp_disable 0";
  if (body.what === "other") return `prctl ${body.number} ${body.value}`;
  return `prctl ${body.what} ${body.value}`;
}

function printFileOp(
  body: Body<"falloc" | "truncate" | "fwrite" | "fread" | "fadvise" | "fsync" | "mount" | "umount" | "file" | "unlink" | "memfd" | "memfdClose" | "uprobe">,
): string {
  switch (body.op) {
    case "falloc":
      return join("falloc", body.file, body.mode, printNumber(body.offsetBytes), printNumber(body.lengthBytes));
    case "truncate":
      return join("truncate", body.file, printNumber(body.bytes));
    case "fwrite":
      return join("fwrite", body.file, printNumber(body.offsetBytes), printNumber(body.lengthBytes), String(body.value));
    case "fread":
      return join("fread", body.file, printNumber(body.offsetBytes), printNumber(body.lengthBytes));
    case "fadvise":
      return join("fadvise", body.file, printNumber(body.offsetBytes), printNumber(body.lengthBytes), body.advice);
    case "fsync":
      return `fsync ${body.file}`;
    case "mount":
      return join("mount", body.name, body.fsType, body.device ?? "", body.options);
    case "umount":
      return `umount ${body.name}`;
    case "file":
      return join("file", body.name, body.directory, body.bytes !== null && printNumber(body.bytes));
    case "unlink":
      return `unlink ${body.name}`;
    case "memfd":
      return join("memfd", body.name, printNumber(body.bytes), body.hugetlb !== null && `hugetlb${body.hugetlb}`);
    case "memfdClose":
      return `memfd_close ${body.name}`;
    case "uprobe":
      return join("uprobe", body.call, body.file, printNumber(body.offsetBytes));
  }
}

function printShm(body: Body<"shmget" | "shmat" | "shmdt" | "shmctl">): string {
  switch (body.op) {
    case "shmget":
      return join(
        "shmget",
        body.name,
        printNumber(body.bytes),
        body.key !== 0 && `key=${body.key}`,
        body.create && "create",
        body.excl && "excl",
        body.noReserve && "noreserve",
      );
    case "shmat":
      return join("shmat", body.name, body.segment, ...body.flags, body.at !== null && `at=${printAddress(body.at)}`);
    case "shmdt":
      return `shmdt ${printAddress(body.at)}`;
    case "shmctl":
      return `shmctl ${body.segment} ${body.call}`;
  }
}

function printSystemOp(
  body: Body<"sysSet" | "sysGet" | "khugepagedScan" | "ksmScan" | "ksmUnmerge" | "zram" | "memcg" | "dropCaches" | "compact" | "sleep">,
): string {
  switch (body.op) {
    case "sysSet":
      return `sys set ${body.path} ${body.value}`;
    case "sysGet":
      return `sys get ${body.path}`;
    case "khugepagedScan":
      return `khugepaged scan ${body.passes}`;
    case "ksmScan":
      return `ksm scan ${body.passes}`;
    case "ksmUnmerge":
      return "ksm unmerge";
    case "zram":
      return body.bytes === null ? "zram off" : `zram on ${printNumber(body.bytes)}`;
    case "memcg":
      return join("memcg", body.call, printNumber(body.bytes), body.process ?? "");
    case "dropCaches":
      return `drop_caches ${body.value}`;
    case "compact":
      return "compact";
    case "sleep":
      return `sleep ${body.milliseconds}`;
  }
}

/** The canonical text of a body, without a process. */
export function printBody(body: OperationBody): string {
  switch (body.op) {
    case "mmap":
      return printMmap(body);
    case "munmap":
    case "mseal":
    case "msync":
    case "mincore":
    case "mlock":
    case "munlock":
      return join(body.op, printRange(body.range));
    case "mprotect":
      return join("mprotect", printRange(body.range), printProt(body.prot));
    case "mlock2":
      return join("mlock2", printRange(body.range), body.onfault && "onfault");
    case "mremap":
      return join(
        "mremap",
        printAddress(body.at),
        printNumber(body.oldBytes),
        printNumber(body.newBytes),
        body.mayMove && "maymove",
        body.fixed !== null && `fixed=${printAddress(body.fixed)}`,
        body.dontUnmap && "dontunmap",
      );
    case "madvise":
      return join("madvise", printRange(body.range), adviceAfter(body.range, body.advice));
    case "touch":
      return join(
        "touch",
        printRange(body.range),
        body.mode,
        body.stepBytes !== 4096n && `step=${printNumber(body.stepBytes)}`,
        body.value !== 0x41 && `v=${body.value}`,
        body.all && "all",
      );
    case "gup":
      return join("gup", printRange(body.range), body.write ? "w" : "r", body.fast && "fast");
    case "kread":
    case "kwrite":
      return join(body.op, printAddress(body.at), printNumber(body.lengthBytes));
    case "mlockall":
      return join("mlockall", body.current && "current", body.future && "future", body.onfault && "onfault");
    case "munlockall":
    case "exit":
    case "resume":
    case "kill":
      return body.op;
    case "prctl":
      return printPrctl(body);
    case "rlimit":
      return join("rlimit", body.resource, printNumber(body.bytes));
    case "brk":
      return `brk ${body.deltaBytes < 0n ? "-" : ""}${printNumber(body.deltaBytes < 0n ? -body.deltaBytes : body.deltaBytes)}`;
    case "fork":
      return `fork ${body.child}`;
    case "shmget":
    case "shmat":
    case "shmdt":
    case "shmctl":
      return printShm(body);
    case "uffd":
      return printUffd(body);
    case "sysSet":
    case "sysGet":
    case "khugepagedScan":
    case "ksmScan":
    case "ksmUnmerge":
    case "zram":
    case "memcg":
    case "dropCaches":
    case "compact":
    case "sleep":
      return printSystemOp(body);
    default:
      return printFileOp(body);
  }
}

/** A number of advice stands behind a length, or it would be read as one; a parsed line never has one without. */
function adviceAfter(range: RangeExpr, advice: string | number): string {
  return range.lengthBytes === null && typeof advice === "number" && advice >= 0 ? `0 ${advice}` : String(advice);
}
