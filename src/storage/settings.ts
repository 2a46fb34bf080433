import { command, query, type ReadableDb, type SqlValue, type WritableDb } from "./connection.ts";
import { type LearnerId, readLearner } from "./learners.ts";
import { checkInteger, checkRoom, checkText, LIMITS, toJson } from "./limits.ts";

/** Whose setting: one learner's, or that of everybody on this machine. */
export type SettingScope = { readonly learner: LearnerId } | "machine";

interface Setting {
  readonly name: string;
  readonly value: string;
}

/** The statements of one table; `where` picks the scope and its parameters come first. */
function statementsFor<Scope extends readonly SqlValue[]>(table: string, scopeColumns: readonly string[]) {
  const where = scopeColumns.map((column) => `${column} = ? AND `).join("");
  const columns = [...scopeColumns, "name", "value", "changedMs"];
  return {
    one: query<[...Scope, string], Setting>(`SELECT name, value FROM ${table} WHERE ${where}name = ?`),
    all: query<Scope, Setting>(`SELECT name, value FROM ${table} WHERE ${where}true ORDER BY name`),
    count: query<Scope, { count: number }>(`SELECT count(*) AS count FROM ${table} WHERE ${where}true`),
    set: command<[...Scope, string, string, number]>(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})
       ON CONFLICT (${[...scopeColumns, "name"].join(", ")}) DO UPDATE SET value = excluded.value, changedMs = excluded.changedMs`,
    ),
    remove: command<[...Scope, string]>(`DELETE FROM ${table} WHERE ${where}name = ?`),
  };
}

const ofMachine = statementsFor<[]>("machineSettings", []);
const ofLearner = statementsFor<[LearnerId]>("learnerSettings", ["learner"]);

/** The value, or undefined where it was never set. What it means and whether it is of the right shape is for the reader to judge. */
export function readSetting(db: ReadableDb, scope: SettingScope, name: string): unknown {
  const found = scope === "machine" ? db.first(ofMachine.one, name) : db.first(ofLearner.one, scope.learner, name);
  return found === undefined ? undefined : db.json(found.value);
}

/** All settings of a scope. */
export function readSettings(db: ReadableDb, scope: SettingScope): ReadonlyMap<string, unknown> {
  const rows = scope === "machine" ? db.all(ofMachine.all) : db.all(ofLearner.all, scope.learner);
  return new Map(rows.map(({ name, value }) => [name, db.json(value)]));
}

/** @throws StorageRefusal tooLarge, tooMany, malformed (no JSON value), notFound (the learner) */
export function writeSetting(db: WritableDb, scope: SettingScope, setting: { readonly name: string; readonly value: unknown; readonly nowMs: number }): void {
  const name = checkText(setting.name, "setting", LIMITS.settingNameBytesMax);
  const value = toJson(setting.value, name, LIMITS.settingBytesMax);
  const changedMs = checkInteger(setting.nowMs, "nowMs");
  db.write(() => {
    if (scope !== "machine") readLearner(db, scope.learner);
    const counted = scope === "machine" ? db.first(ofMachine.count) : db.first(ofLearner.count, scope.learner);
    if (readSetting(db, scope, name) === undefined) checkRoom(counted?.count ?? 0, "settings", LIMITS.settingsPerScopeMax);
    if (scope === "machine") db.run(ofMachine.set, name, value, changedMs);
    else db.run(ofLearner.set, scope.learner, name, value, changedMs);
  });
}

/** Goes back to the default. */
export function removeSetting(db: WritableDb, scope: SettingScope, name: string): void {
  db.write(() => {
    if (scope === "machine") db.run(ofMachine.remove, name);
    else db.run(ofLearner.remove, scope.learner, name);
  });
}
