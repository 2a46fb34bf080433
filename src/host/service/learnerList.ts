import { randomUUID } from "node:crypto";
import { say } from "../../i18n/format.ts";
import type { WritableDb } from "../../storage/connection.ts";
import { createLearner, listLearners, type LearnerId } from "../../storage/learners.ts";
import { readSetting, readSettings, writeSetting } from "../../storage/settings.ts";
import { StorageError, StorageRefusal } from "../../storage/storageError.ts";
import type { LearnerView, SettingValue } from "../api/labApi.ts";
import { CallFailure } from "./callFailure.ts";
import type { Keeper } from "./keeper.ts";

/** A learner as this process knows one. */
export interface LearnerEntry {
  /** what front ends call them; holds as long as this process */
  readonly number: number;
  readonly name: string;
  /** in the database; another one when it turned out that the file had a learner of this name already */
  id: LearnerId;
  /** settings that were set while nothing could be saved */
  readonly unsaved: Map<string, SettingValue>;
}

const LAST_LEARNER = "lastLearner";

export class LearnerList {
  readonly #keeper: Keeper;
  readonly #nowMs: () => number;
  readonly #entries: LearnerEntry[] = [];

  constructor(keeper: Keeper, nowMs: () => number) {
    this.#keeper = keeper;
    this.#nowMs = nowMs;
  }

  /** Those to choose from, by name. @throws StorageError */
  list(): readonly LearnerView[] {
    this.#refresh();
    return this.#entries.map(({ number, name }) => ({ id: number, name })).sort((a, b) => a.name.localeCompare(b.name));
  }

  /** @throws CallFailure, StorageError */
  find(number: number): LearnerEntry {
    this.#refresh();
    const entry = this.#entries.find((each) => each.number === number);
    if (entry === undefined) throw new CallFailure("notFound", say("host.call.noLearner"));
    return entry;
  }

  /** Where nothing can be written the learner is there all the same, and is saved with the first step that can be. @throws StorageRefusal */
  create(name: string): LearnerView {
    const id = randomUUID();
    let clean = name.trim();
    try {
      clean = this.#keeper.write((db) => createLearner(db, { id, name, nowMs: this.#nowMs() })).name;
    } catch (error) {
      if (!(error instanceof StorageError) || clean === "") throw error;
    }
    const entry = this.#add(id, clean);
    return { id: entry.number, name: entry.name };
  }

  /** Makes sure that the database has the learner: it may have taken the place of the one that had. */
  ensure(db: WritableDb, entry: LearnerEntry): void {
    this.#ensureThere(db, entry);
    if (!this.#keeper.saving) return;
    for (const [name, value] of entry.unsaved) writeSetting(db, { learner: entry.id }, { name, value, nowMs: this.#nowMs() });
  }

  /** Saves a setting, or keeps it until it can be saved. @throws StorageRefusal */
  set(entry: LearnerEntry, name: string, value: SettingValue): void {
    entry.unsaved.set(name, value);
    this.#save(entry);
  }

  /** Saves the learners that could not be saved before. */
  saveAll(): void {
    for (const entry of this.#entries) this.#save(entry);
  }

  settings(entry: LearnerEntry): ReadonlyMap<string, unknown> {
    const saved = this.#keeper.read((db) => readSettings(db, { learner: entry.id }));
    return new Map([...saved, ...entry.unsaved]);
  }

  #save(entry: LearnerEntry): void {
    try {
      this.#keeper.write((db) => {
        this.ensure(db, entry);
      });
      if (this.#keeper.saving) entry.unsaved.clear();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
    }
  }

  #ensureThere(db: WritableDb, entry: LearnerEntry): void {
    if (listLearners(db).some(({ id }) => id === entry.id)) return;
    try {
      createLearner(db, { id: entry.id, name: entry.name, nowMs: this.#nowMs() });
    } catch (error) {
      if (!(error instanceof StorageRefusal) || error.reason !== "nameTaken") throw error;
      const same = listLearners(db).find(({ name }) => name === error.args["what"]);
      if (same === undefined) throw error;
      entry.id = same.id;
    }
  }

  /** Remembers who used the lab last. @throws StorageError */
  noteLast(entry: LearnerEntry): void {
    this.#keeper.write((db) => {
      this.ensure(db, entry);
      writeSetting(db, "machine", { name: LAST_LEARNER, value: entry.id, nowMs: this.#nowMs() });
    });
  }

  /** @throws StorageError */
  last(): number | null {
    this.#refresh();
    const id = this.#keeper.read((db) => readSetting(db, "machine", LAST_LEARNER));
    return this.#entries.find((entry) => entry.id === id)?.number ?? null;
  }

  #refresh(): void {
    const there = this.#keeper.read(listLearners).filter(({ hiddenMs }) => hiddenMs === null);
    // in the order in which they were made, so that the same file gives the same numbers in the next process
    const known = new Set(this.#entries.map(({ id }) => id));
    for (const { id, name } of [...there].sort((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1))) if (!known.has(id)) this.#add(id, name);
  }

  #add(id: LearnerId, name: string): LearnerEntry {
    const entry = { number: this.#entries.length + 1, name, id, unsaved: new Map<string, SettingValue>() };
    this.#entries.push(entry);
    return entry;
  }
}
