import { command, query, type ReadableDb, type WritableDb } from "./connection.ts";
import { checkInteger, checkRoom, checkSha256, checkText, checkUuid, LIMITS } from "./limits.ts";

export interface PackRecord {
  /** sha256 of the content */
  readonly hash: string;
  /** the UUID that never changes */
  readonly packId: string;
  readonly version: string;
  /** a path, or how the app names a pack that it ships */
  readonly place: string;
  readonly addedMs: number;
  /** null: installed. Progress of a removed pack stays. */
  readonly removedMs: number | null;
}

const columns = "hash, packId, version, place, addedMs, removedMs";
const installed = query<[], PackRecord>(`SELECT ${columns} FROM packs WHERE removedMs IS NULL ORDER BY packId, addedMs, hash`);
const byHash = query<[string], PackRecord>(`SELECT ${columns} FROM packs WHERE hash = ?`);
const count = query<[], { count: number }>("SELECT count(*) AS count FROM packs");
const put = command<[string, string, string, string, number]>(
  `INSERT INTO packs (hash, packId, version, place, addedMs) VALUES (?, ?, ?, ?, ?)
   ON CONFLICT (hash) DO UPDATE SET place = excluded.place, removedMs = NULL`,
);
const setRemoved = command<[number, string]>("UPDATE packs SET removedMs = ? WHERE hash = ?");

export function listInstalledPacks(db: ReadableDb): readonly PackRecord[] {
  return db.all(installed);
}

/** A pack that was ever used, or null. */
export function findPack(db: ReadableDb, hash: string): PackRecord | null {
  return db.first(byHash, hash) ?? null;
}

/** Adds a content, or says where one that is known is now. Its identity and version are those of its first time. @throws StorageRefusal */
export function putPack(db: WritableDb, pack: Omit<PackRecord, "addedMs" | "removedMs"> & { readonly nowMs: number }): void {
  const hash = checkSha256(pack.hash, "hash");
  const packId = checkUuid(pack.packId, "packId");
  const version = checkText(pack.version, "version", LIMITS.packVersionBytesMax);
  const place = checkText(pack.place, "place", LIMITS.packPlaceBytesMax);
  const nowMs = checkInteger(pack.nowMs, "nowMs");
  db.write(() => {
    if (findPack(db, hash) === null) checkRoom(db.first(count)?.count ?? 0, "packs", LIMITS.packsMax);
    db.run(put, hash, packId, version, place, nowMs);
  });
}

/** The pack is no longer installed; attempts at its labs and their progress stay. */
export function removePack(db: WritableDb, hash: string, nowMs: number): void {
  checkInteger(nowMs, "nowMs");
  db.write(() => db.run(setRemoved, nowMs, hash));
}
