import { say } from "../../i18n/format.ts";
import type { ReadableDb, WritableDb } from "../../storage/connection.ts";
import { openMemoryCopy, openMemoryStorage, openStorage, replaceDamaged, type Storage, type StorageNotice } from "../../storage/openStorage.ts";
import { StorageError, type StorageProblem } from "../../storage/storageError.ts";
import { formatMessage } from "../../i18n/format.ts";
import type { Notice } from "../api/labApi.ts";
import { databaseFile, makeDataFolder, precreate, readOwner, removeOwner, writeOwner } from "./dataFiles.ts";

export interface KeeperOptions {
  /** null: there is no place */
  readonly folder: string | null;
  readonly host: "electron" | "browser";
  readonly nowMs: () => number;
  /** for tests */
  readonly sizeBytesMax?: number;
  readonly lockedWaitMs?: number;
}

/** The saved progress as this process has it: the file, or memory where the file cannot be used. */
export class Keeper {
  readonly #options: KeeperOptions;
  #storage: Storage;
  /** a copy of what a newer version saved */
  #shown: Storage | null = null;
  #notices: Notice[] = [];
  #problem: StorageProblem | "noPlace" | null = null;
  /** grows when another storage takes the place of the one before: what was saved in that is not in this */
  #epoch = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#storage = this.#open() ?? this.#shown ?? openMemoryStorage();
  }

  get saving(): boolean {
    return this.#problem === null;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get file(): string {
    return this.#options.folder === null ? "" : databaseFile(this.#options.folder);
  }

  /** What a person should be told: what happened at opening, and why nothing is saved. */
  get notices(): readonly Notice[] {
    return this.#notices;
  }

  /** @throws StorageError; damage as in `write` */
  read<T>(work: (db: ReadableDb) => T): T {
    return this.#noticingDamage(() => work(this.#storage.read));
  }

  /**
   * All of it or nothing. When damage is met the file is set aside and a new one begun: `epoch` has grown then, and the caller, who sees the
   * error, writes again what the new file lacks.
   * @throws StorageError
   */
  write<T>(work: (db: WritableDb) => T): T {
    return this.#noticingDamage(() => {
      const db = this.#storage.write;
      return db.write(() => work(db));
    });
  }

  #noticingDamage<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof StorageError && error.kind === "damaged") this.#replace();
      throw error;
    }
  }

  /** Tries to use the file after all. True: from now on things are saved. */
  retry(): boolean {
    if (this.saving || this.#options.folder === null) return false;
    const opened = this.#open();
    if (opened === null) return false;
    this.#storage.close();
    this.#storage = opened;
    this.#epoch++;
    return true;
  }

  close(): void {
    this.#storage.close();
    if (this.saving && this.#options.folder !== null) removeOwner(this.#options.folder);
  }

  /** The file, or null with a notice that says why not. */
  #open(): Storage | null {
    const { folder, nowMs } = this.#options;
    if (folder === null) {
      this.#fail("noPlace", say("host.storage.noPlace"));
      return null;
    }
    try {
      makeDataFolder(folder);
      precreate(databaseFile(folder));
      const storage = openStorage(databaseFile(folder), this.#storageOptions());
      if (storage.isReadOnly) {
        // only at the start: what a retry finds is not mixed with what was done since
        this.#shown ??= openMemoryCopy(storage);
        storage.close();
        this.#fail("newer", say("host.storage.newer", { file: databaseFile(folder) }));
        return null;
      }
      this.#problem = null;
      this.#notices = storage.notices.map(noticeOf);
      writeOwner(folder, { pid: process.pid, host: this.#options.host, startedMs: nowMs() });
      return storage;
    } catch (error) {
      const kind = error instanceof StorageError ? error.kind : "unwritable";
      this.#fail(kind, this.#sentence(kind, folder));
      return null;
    }
  }

  #storageOptions(): Parameters<typeof openStorage>[1] {
    const { nowMs, sizeBytesMax, lockedWaitMs } = this.#options;
    return {
      nowMs: nowMs(),
      place: "own",
      ...(sizeBytesMax === undefined ? {} : { sizeBytesMax }),
      ...(lockedWaitMs === undefined ? {} : { lockedWaitMs }),
    };
  }

  #replace(): void {
    this.#epoch++;
    try {
      this.#storage = replaceDamaged(this.#storage, this.#storageOptions());
      this.#notices = [...this.#notices, ...this.#storage.notices.map(noticeOf)];
    } catch (error) {
      const kind = error instanceof StorageError ? error.kind : "damaged";
      this.#storage = openMemoryStorage();
      this.#fail(kind, this.#sentence(kind, this.#options.folder ?? ""));
    }
  }

  #fail(problem: StorageProblem | "noPlace", text: string): void {
    this.#problem = problem;
    this.#notices = [{ id: `saving:${problem}`, severity: "error", text }];
  }

  #sentence(kind: StorageProblem, folder: string): string {
    const file = databaseFile(folder);
    switch (kind) {
      case "locked":
        return say("host.storage.locked", { who: whoHas(folder) });
      case "full":
        return say("host.storage.full", { file });
      case "newer":
        return say("host.storage.newer", { file });
      case "unwritable":
        return say("host.storage.unwritable", { file });
      case "damaged":
      case "notADatabase":
        return say("host.storage.damaged", { file });
    }
  }
}

function whoHas(folder: string): string {
  const owner = readOwner(folder);
  if (owner === null) return say("host.storage.whoUnknown");
  return say("host.storage.who", { pid: owner.pid, time: new Date(owner.startedMs).toLocaleTimeString("en-GB") });
}

function noticeOf({ key, args }: StorageNotice): Notice {
  return { id: key, severity: "warning", text: formatMessage(key, args) };
}
