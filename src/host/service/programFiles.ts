/** Recorded programs on disk: those that came with Hugelab, and those that were imported, in `programs/` of the data folder. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProgramText } from "../engine/protocol.ts";

/** characters and bytes of a recording that is read at all */
const PROGRAM_BYTES_MAX = 64 << 20;
/** imported recordings that are kept */
export const IMPORTED_MAX = 20;
const FILE = /^([\w-]{1,80})\.json$/;
/** ids of imported ones begin so, which no shipped one does */
export const IMPORTED_PREFIX = "mine-";

/** Recordings of a folder, by name; what cannot be read is left out. */
export function readPrograms(folder: string): readonly ProgramText[] {
  let files: string[];
  try {
    files = readdirSync(folder).sort();
  } catch {
    return [];
  }
  return files.flatMap((file): ProgramText[] => {
    const id = FILE.exec(file)?.[1];
    const text = id === undefined ? null : readProgramFile(join(folder, file));
    return id === undefined || text === null ? [] : [{ id, text }];
  });
}

function readProgramFile(path: string): string | null {
  try {
    return statSync(path).size <= PROGRAM_BYTES_MAX ? readFileSync(path, "utf8") : null;
  } catch {
    return null;
  }
}

/** Keeps a recording. False: it could not be written. A file that is half written never has the name of a recording. */
export function writeProgram(folder: string, { id, text }: ProgramText): boolean {
  const path = join(folder, `${id}.json`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.part`, text, { mode: 0o600 });
    renameSync(`${path}.part`, path);
    return true;
  } catch {
    try {
      rmSync(`${path}.part`, { force: true });
    } catch {
      // the folder is not ours to write in
    }
    return false;
  }
}

export function removeProgram(folder: string, id: string): void {
  rmSync(join(folder, `${id}.json`), { force: true });
}
