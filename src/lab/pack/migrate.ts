import { FORMAT_VERSION } from "./limits.ts";

/** The JSON files of a pack before they are checked. */
export interface PackFiles {
  readonly manifest: Readonly<Record<string, unknown>>;
  /** lab.json by folder */
  readonly labs: ReadonlyMap<string, unknown>;
}

/** One step of the format: from the version before to `to`. Pure, and never changed once a release had it. */
export interface Migration {
  readonly to: number;
  readonly apply: (files: PackFiles) => PackFiles;
}

/** From version 1 on, in order. There is only version 1 so far. */
export const MIGRATIONS: readonly Migration[] = [];

export type Migrated = { readonly kind: "files"; readonly files: PackFiles } | { readonly kind: "tooNew" | "noVersion"; readonly found: string };

/** Brings the files of a pack to the version that this Hugelab reads. `migrations` must be 2, 3, ... in order. */
export function migratePack(files: PackFiles, migrations: readonly Migration[] = MIGRATIONS): Migrated {
  const target = 1 + migrations.length;
  migrations.forEach(({ to }, i) => {
    if (to !== i + 2) throw new Error(`pack migrations: ${to} stands in the place of ${i + 2}`);
  });
  if (migrations === MIGRATIONS && target !== FORMAT_VERSION) throw new Error("pack migrations: FORMAT_VERSION is not their last");
  const found = files.manifest["formatVersion"];
  if (typeof found !== "number" || !Number.isInteger(found) || found < 1) return { kind: "noVersion", found: String(found) };
  if (found > target) return { kind: "tooNew", found: String(found) };
  const due = migrations.slice(found - 1);
  const migrated = due.reduce((now, { apply }) => apply(now), files);
  return { kind: "files", files: { ...migrated, manifest: { ...migrated.manifest, formatVersion: target } } };
}
