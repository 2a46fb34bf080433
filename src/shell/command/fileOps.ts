import type { BodyParser, BodyParsers } from "./bodyParser.ts";
import { file, newFileName } from "./fileWord.ts";
import { FADVISE_NAMES, FALLOC_MODES, FILE_SYSTEMS } from "./words.ts";

/** the byte `fwrite` writes when none is given */
export const FWRITE_BYTE = 0x46;

const falloc: BodyParser = (cursor) => {
  const name = file(cursor);
  const mode = cursor.choice("MODE", FALLOC_MODES) ?? "alloc";
  return { op: "falloc", file: name, mode, offsetBytes: cursor.number("OFFSET"), lengthBytes: cursor.number("LEN") };
};

const fwrite: BodyParser = (cursor) => {
  const name = file(cursor);
  const offsetBytes = cursor.number("OFFSET");
  const lengthBytes = cursor.number("LEN");
  return { op: "fwrite", file: name, offsetBytes, lengthBytes, value: cursor.peek() === null ? FWRITE_BYTE : cursor.smallNumber("BYTE", 255) };
};

const fadvise: BodyParser = (cursor) => {
  const name = file(cursor);
  const offsetBytes = cursor.number("OFFSET");
  const lengthBytes = cursor.number("LEN");
  return { op: "fadvise", file: name, offsetBytes, lengthBytes, advice: cursor.choice("ADVICE", FADVISE_NAMES) ?? "normal" };
};

const mount: BodyParser = (cursor) => {
  const name = newFileName(cursor);
  const fsType = cursor.choice("TYPE", FILE_SYSTEMS) ?? "tmpfs";
  const device = fsType === "ext4" || fsType === "xfs" ? file(cursor, "DEVICE") : null;
  return { op: "mount", name, fsType, device, options: cursor.peek() === null ? "" : cursor.word("OPTIONS").text };
};

const uprobe: BodyParser = (cursor) => {
  const call = cursor.choice("CALL", ["set", "clear"]) ?? "set";
  return { op: "uprobe", call, file: file(cursor), offsetBytes: cursor.number("OFFSET") };
};

const makeFile: BodyParser = (cursor) => {
  const name = newFileName(cursor);
  const directory = file(cursor, "DIR");
  return { op: "file", name, directory, bytes: cursor.peek() === null ? null : cursor.number("SIZE") };
};

const memfd: BodyParser = (cursor) => {
  const name = newFileName(cursor);
  const bytes = cursor.number("SIZE");
  if (cursor.peek() === null) return { op: "memfd", name, bytes, hugetlb: null };
  const size = cursor.choice("FLAG", ["hugetlb2M", "hugetlb1G"]);
  return { op: "memfd", name, bytes, hugetlb: size === "hugetlb1G" ? "1G" : "2M" };
};

/** Operations on files and mounts. */
export const fileOps: BodyParsers = {
  falloc,
  fwrite,
  fadvise,
  mount,
  memfd,
  file: makeFile,
  uprobe,
  truncate: (cursor) => ({ op: "truncate", file: file(cursor), bytes: cursor.number("SIZE") }),
  fread: (cursor) => ({ op: "fread", file: file(cursor), offsetBytes: cursor.number("OFFSET"), lengthBytes: cursor.number("LEN") }),
  fsync: (cursor) => ({ op: "fsync", file: file(cursor) }),
  umount: (cursor) => ({ op: "umount", name: file(cursor, "NAME") }),
  unlink: (cursor) => ({ op: "unlink", name: file(cursor) }),
  memfd_close: (cursor) => ({ op: "memfdClose", name: file(cursor, "NAME") }),
};
