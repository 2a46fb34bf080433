import type { z } from "zod";
import { labSchema, manifestSchema } from "../schema.ts";
import { MOST_PROBLEMS } from "./limits.ts";
import { migratePack, type PackFiles } from "./migrate.ts";
import type { Lab, Pack } from "./pack.ts";
import { ProblemList, type PackProblem } from "./problem.ts";
import { readLabFolder } from "./readLab.ts";
import { readJson } from "./text.ts";
import { checkTree, type PackTree } from "./tree.ts";
import { addIssues } from "./zodProblems.ts";

export type ReadPack = { readonly kind: "pack"; readonly pack: Pack } | { readonly kind: "bad"; readonly problems: readonly PackProblem[] };

const MANIFEST = "pack.json";
/** files that may stand beside pack.json */
const KNOWN_AT_TOP = /^(README\.md|LICENSE(\.txt|\.md)?|pack\.sig)$/;

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** lab.json of every folder below labs/. */
function readLabFiles(tree: PackTree, problems: ProblemList): Map<string, unknown> {
  const labs = new Map<string, unknown>();
  for (const [path, bytes] of tree) {
    const folder = /^labs\/([^/]+)\/lab\.json$/.exec(path)?.[1];
    if (folder !== undefined) labs.set(folder, readJson(path, bytes, problems));
  }
  return labs;
}

function parse<T extends z.ZodType>(schema: T, file: string, value: unknown, problems: ProblemList): z.infer<T> | null {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  addIssues(file, value, result.error, problems);
  return null;
}

/** Folders below labs/ against the list of pack.json, and files that belong to nothing. */
function checkPlaces(tree: PackTree, named: readonly string[], problems: ProblemList): void {
  const folders = new Set<string>();
  for (const path of tree.keys()) {
    const folder = /^labs\/([^/]+)\//.exec(path)?.[1];
    if (folder !== undefined) folders.add(folder);
    else if (path !== MANIFEST && !KNOWN_AT_TOP.test(path)) problems.add(path, "", "unknownFile");
  }
  named.forEach((folder, i) => {
    if (named.indexOf(folder) !== i) problems.add(MANIFEST, `labs[${i}]`, "labNamedTwice", { folder });
    if (!tree.has(`labs/${folder}/lab.json`)) problems.add(MANIFEST, `labs[${i}]`, "missingFile", { name: `labs/${folder}/lab.json` });
  });
  for (const folder of folders) if (!named.includes(folder)) problems.add(`labs/${folder}`, "", "labNotNamed", { folder });
}

/**
 * Reads a pack from a tree of path to bytes, wherever that came from. Never throws and takes a bounded time, whatever the bytes are; a pack in
 * which anything is wrong is not used at all, and everything that was found is told.
 */
export function readPack(tree: PackTree): ReadPack {
  const problems = new ProblemList(MOST_PROBLEMS);
  const bad = (): ReadPack => ({ kind: "bad", problems: problems.all() });
  checkTree(tree, problems);
  if (problems.count > 0) return bad();
  const bytes = tree.get(MANIFEST);
  if (bytes === undefined) {
    problems.add("", "", "noManifest");
    return bad();
  }
  const manifest = readJson(MANIFEST, bytes, problems);
  if (!isFields(manifest)) {
    if (problems.count === 0) problems.add(MANIFEST, "", "notAnObject");
    return bad();
  }
  const migrated = migratePack({ manifest, labs: readLabFiles(tree, problems) });
  if (migrated.kind !== "files") {
    problems.add(MANIFEST, "formatVersion", migrated.kind, { found: migrated.found });
    return bad();
  }
  const pack = readFiles(tree, migrated.files, problems);
  return pack === null || problems.count > 0 ? bad() : { kind: "pack", pack };
}

function readFiles(tree: PackTree, files: PackFiles, problems: ProblemList): Pack | null {
  const manifest = parse(manifestSchema, MANIFEST, files.manifest, problems);
  if (manifest === null) return null;
  checkPlaces(tree, manifest.labs, problems);
  const labs: Lab[] = [];
  for (const folder of new Set(manifest.labs)) {
    const value = files.labs.get(folder);
    if (value === undefined) continue;
    const path = `labs/${folder}`;
    const definition = parse(labSchema, `${path}/lab.json`, value, problems);
    if (definition === null) continue;
    const lab = readLabFolder(tree, path, definition, { packId: manifest.id, packTitle: manifest.title }, problems);
    if (lab !== null) labs.push(lab);
  }
  checkIds(manifest.id, labs, problems);
  const { id, title, version, language, authors, license } = manifest;
  return { id, title, version, language, authors, license, description: manifest.description ?? null, after: manifest.after ?? [], labs };
}

/** Every UUID once, and prerequisites that lead nowhere or round in a circle. Labs of other packs cannot be asked for. */
function checkIds(packId: string, labs: readonly Lab[], problems: ProblemList): void {
  const byId = new Map<string, Lab>();
  for (const lab of labs) {
    const other = byId.get(lab.id);
    if (other !== undefined || lab.id === packId) problems.add(`${lab.folder}/lab.json`, "id", "idTwice", { other: other?.folder ?? MANIFEST });
    byId.set(lab.id, lab);
  }
  for (const lab of labs) {
    lab.definition.prerequisites.forEach((id, i) => {
      if (!byId.has(id)) problems.add(`${lab.folder}/lab.json`, `prerequisites[${i}]`, "noSuchLab", { id });
    });
    if (leadsTo(lab, lab.id, byId)) problems.add(`${lab.folder}/lab.json`, "prerequisites", "prerequisiteCircle", { title: lab.definition.title });
  }
}

function leadsTo(from: Lab, id: string, labs: ReadonlyMap<string, Lab>): boolean {
  const seen = new Set<string>();
  const open = [...from.definition.prerequisites];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === id) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...(labs.get(next)?.definition.prerequisites ?? []));
  }
  return false;
}
