import { parse as parseYaml } from "yaml";
import { stepSchema, type LabFile } from "../schema.ts";
import { MOST_FRONT_MATTER_BYTES, MOST_LINE_CHARACTERS, MOST_LINES, MOST_ROUTES, MOST_RUNGS, MOST_STEPS } from "./limits.ts";
import { checkMarkdown, readHints } from "./markdown.ts";
import type { Asset, Lab, Recording, Route, Step } from "./pack.ts";
import type { ProblemList } from "./problem.ts";
import { checkStrings, readText } from "./text.ts";
import type { PackTree } from "./tree.ts";
import { addIssues } from "./zodProblems.ts";

/** One folder below labs/. */
interface Folder {
  readonly tree: PackTree;
  readonly path: string;
  /** paths below the folder, relative to it, sorted */
  readonly files: readonly string[];
  readonly assets: ReadonlySet<string>;
  readonly problems: ProblemList;
}

/** bytes of a recording: the recorder prints the state after each operation */
const MOST_RECORDING_BYTES = 1 << 20;

const KNOWN =
  /^(lab\.json|hints\.md|closing\.md|solution\.trace|steps\/\d{2,3}-[a-z0-9-]{1,40}\.md|(alternatives|decoys)\/[^/]{1,60}\.trace|recordings\/[^/]{1,60}\.json|assets\/[^/]{1,60}\.(png|webp))$/;

const bytesOf = (folder: Folder, name: string): Uint8Array | undefined => folder.tree.get(`${folder.path}/${name}`);

/** Reads the files of a lab; null when too much is missing for it to be one. */
export function readLabFolder(
  tree: PackTree,
  path: string,
  definition: LabFile,
  pack: { readonly packId: string; readonly packTitle: string },
  problems: ProblemList,
): Lab | null {
  const prefix = `${path}/`;
  const files = [...tree.keys()]
    .filter((file) => file.startsWith(prefix))
    .map((file) => file.slice(prefix.length))
    .sort();
  const assets = new Set(files.filter((file) => file.startsWith("assets/")));
  const folder: Folder = { tree, path, files, assets, problems };
  for (const file of files) if (!KNOWN.test(file)) problems.add(prefix + file, "", "unknownFile");
  const before = problems.count;
  const texts = readTexts(folder);
  const solution = readRoute(folder, "solution.trace", false);
  const lab = {
    ...pack,
    id: definition.id,
    folder: path,
    definition,
    checks: definition.checks,
    predictions: definition.predictions,
    ...texts,
    hints: readHintFile(folder, definition),
    alternatives: readRoutes(folder, "alternatives", false),
    decoys: readRoutes(folder, "decoys", true),
    recordings: readRecordings(folder, definition),
    assets: readAssets(folder),
  };
  checkNames(folder, lab);
  return problems.count > before || solution === null ? null : { ...lab, solution };
}

// --- steps

interface Texts {
  readonly steps: readonly Step[];
  readonly closing: string | null;
}

function readTexts(folder: Folder): Texts {
  const { problems, path } = folder;
  const steps: Step[] = [];
  const linked: { file: string; step: string }[] = [];
  const used = new Set<string>();
  const look = (name: string, text: string, firstLine: number): void => {
    const found = checkMarkdown(`${path}/${name}`, text, firstLine, (asset) => folder.assets.has(asset), problems);
    for (const step of found.steps) linked.push({ file: `${path}/${name}`, step });
    for (const asset of found.assets) used.add(asset);
  };
  for (const name of folder.files.filter((file) => file.startsWith("steps/"))) {
    const text = textOf(folder, name);
    const step = text === null ? null : readStep(folder, name, text, look);
    if (step !== null) steps.push(step);
  }
  if (steps.length === 0) problems.add(path, "", "noSteps");
  if (steps.length > MOST_STEPS) problems.add(path, "", "tooManySteps", { most: MOST_STEPS });
  steps.forEach((step, i) => {
    if (steps.findIndex((other) => other.id === step.id) !== i) problems.add(step.file, "id", "idTwice", { other: step.id });
  });
  const closing = folder.files.includes("closing.md") ? (textOf(folder, "closing.md")?.trim() ?? null) : null;
  if (closing !== null) look("closing.md", closing, 1);
  for (const { file, step } of linked) if (!steps.some((each) => each.id === step)) problems.add(file, "", "noSuchStep", { step });
  for (const asset of folder.assets) if (!used.has(asset)) problems.add(`${path}/${asset}`, "", "unusedAsset");
  return { steps, closing };
}

function textOf(folder: Folder, name: string): string | null {
  const bytes = bytesOf(folder, name);
  if (bytes === undefined) {
    folder.problems.add(`${folder.path}/${name}`, "", "missingFile", { name });
    return null;
  }
  return readText(`${folder.path}/${name}`, bytes, folder.problems);
}

/** `---`, front matter in YAML, `---`, then the text. */
function readStep(folder: Folder, name: string, text: string, look: (name: string, text: string, firstLine: number) => void): Step | null {
  const { problems } = folder;
  const file = `${folder.path}/${name}`;
  const end = text.startsWith("---\n") ? text.indexOf("\n---\n", 3) : -1;
  if (end < 0) {
    problems.add(file, "line 1", "noFrontMatter");
    return null;
  }
  const head = text.slice(4, end + 1);
  if (head.length > MOST_FRONT_MATTER_BYTES) {
    problems.add(file, "line 1", "frontMatterTooLong", { most: MOST_FRONT_MATTER_BYTES });
    return null;
  }
  let value: unknown;
  try {
    value = parseYaml(head, { maxAliasCount: 0, schema: "core", uniqueKeys: true, logLevel: "error" });
  } catch {
    problems.add(file, "line 2", "notYaml");
    return null;
  }
  const result = stepSchema.safeParse(value);
  if (!result.success) {
    addIssues(file, value, result.error, problems);
    return null;
  }
  checkStrings(file, value, problems);
  const body = text.slice(end + 5).trim();
  if (body === "") problems.add(file, "", "emptyStep");
  look(name, body, text.slice(0, text.length - text.slice(end + 5).trimStart().length).split("\n").length);
  return { ...result.data, text: body, file };
}

// --- lines of learners

function readRoute(folder: Folder, name: string, isDecoy: boolean): Route | null {
  const text = textOf(folder, name);
  if (text === null) return null;
  const { problems } = folder;
  const file = `${folder.path}/${name}`;
  const lines: string[] = [];
  const lineNumbers: number[] = [];
  const fails: string[] = [];
  text.split("\n").forEach((whole, i) => {
    const line = whole.trim();
    const told = /^# fails: *(.*)$/.exec(line);
    if (told !== null && isDecoy) fails.push(...told[1].split(/[ ,]+/).filter((word) => word !== ""));
    if (line === "" || line.startsWith("#")) return;
    if (line.length > MOST_LINE_CHARACTERS) problems.add(file, `line ${i + 1}`, "lineTooLong", { most: MOST_LINE_CHARACTERS });
    lines.push(line);
    lineNumbers.push(i + 1);
  });
  if (lines.length > MOST_LINES) problems.add(file, "", "tooManyLines", { most: MOST_LINES });
  if (lines.length === 0) problems.add(file, "", "noLines");
  if (isDecoy && fails.length === 0) problems.add(file, "", "decoySaysNothing");
  return { file, lines, lineNumbers, fails };
}

function readRoutes(folder: Folder, kind: string, isDecoy: boolean): Route[] {
  const names = folder.files.filter((file) => file.startsWith(`${kind}/`));
  if (names.length > MOST_ROUTES) folder.problems.add(`${folder.path}/${kind}`, "", "tooManyFiles", { count: names.length, most: MOST_ROUTES });
  return names
    .slice(0, MOST_ROUTES)
    .map((name) => readRoute(folder, name, isDecoy))
    .filter((route) => route !== null);
}

// --- hints

function readHintFile(folder: Folder, definition: LabFile): Map<string, readonly string[]> {
  const hints = new Map<string, readonly string[]>();
  const text = textOf(folder, "hints.md");
  if (text === null) return hints;
  const { problems } = folder;
  const file = `${folder.path}/hints.md`;
  checkMarkdown(file, text, 1, (asset) => folder.assets.has(asset), problems);
  for (const { check, line, rungs } of readHints(file, text, problems)) {
    const place = `line ${line}`;
    if (!definition.checks.some((each) => each.id === check)) problems.add(file, place, "hintForNothing", { check });
    if (hints.has(check)) problems.add(file, place, "idTwice", { other: check });
    if (rungs.length < 2 || rungs.length > MOST_RUNGS || rungs.some((rung) => rung.trim() === ""))
      problems.add(file, place, "rungs", { count: rungs.length, most: MOST_RUNGS });
    hints.set(check, rungs);
  }
  for (const check of definition.checks) if (!hints.has(check.id)) problems.add(file, "", "noHints", { check: check.id });
  return hints;
}

// --- recordings and pictures

function readRecordings(folder: Folder, definition: LabFile): Recording[] {
  const { problems, path } = folder;
  const named = definition.badge.recordings ?? [];
  named.forEach((name, i) => {
    if (!folder.files.includes(name)) problems.add(`${path}/lab.json`, `badge.recordings[${i}]`, "missingFile", { name });
  });
  const out: Recording[] = [];
  for (const name of folder.files.filter((file) => file.startsWith("recordings/"))) {
    if (!named.includes(name)) problems.add(`${path}/${name}`, "", "recordingNotNamed");
    const bytes = bytesOf(folder, name);
    const text = bytes === undefined ? null : readText(`${path}/${name}`, bytes, problems, MOST_RECORDING_BYTES);
    if (text !== null) out.push({ file: `${path}/${name}`, text });
  }
  return out;
}

const isPng = (b: Uint8Array): boolean => [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => b[i] === byte);
const ascii = (b: Uint8Array, from: number, to: number): string => String.fromCharCode(...b.subarray(from, to));
const isWebp = (b: Uint8Array): boolean => ascii(b, 0, 4) === "RIFF" && ascii(b, 8, 12) === "WEBP";

function readAssets(folder: Folder): Asset[] {
  const out: Asset[] = [];
  for (const name of folder.assets) {
    const bytes = bytesOf(folder, name);
    if (bytes === undefined) continue;
    const file = `${folder.path}/${name}`;
    const type = isPng(bytes) ? "image/png" : isWebp(bytes) ? "image/webp" : null;
    if (type === null || !name.endsWith(type.slice(6))) folder.problems.add(file, "", "notAPicture");
    else out.push({ file, type, bytes });
  }
  return out;
}

// --- names that refer to each other

function checkNames(folder: Folder, lab: Omit<Lab, "solution">): void {
  const { problems } = folder;
  const file = `${folder.path}/lab.json`;
  const steps = new Set(lab.steps.map((step) => step.id));
  const twice = (ids: readonly string[], place: string): void => {
    ids.forEach((id, i) => {
      if (ids.indexOf(id) !== i) problems.add(file, `${place}[${i}]`, "idTwice", { other: id });
    });
  };
  twice(
    lab.checks.map((check) => check.id),
    "checks",
  );
  twice(
    lab.predictions.map((prediction) => prediction.id),
    "predictions",
  );
  lab.checks.forEach((check, i) => {
    if (!steps.has(check.step)) problems.add(file, `checks[${i}].step`, "noSuchStep", { step: check.step });
    twice(
      (check.wrong ?? []).map((mistake) => mistake.id),
      `checks[${i}].wrong`,
    );
  });
  lab.predictions.forEach((prediction, i) => {
    if (!steps.has(prediction.step)) problems.add(file, `predictions[${i}].step`, "noSuchStep", { step: prediction.step });
    twice(
      (prediction.choices ?? []).map((choice) => choice.id),
      `predictions[${i}].choices`,
    );
  });
  for (const decoy of lab.decoys)
    for (const check of decoy.fails) if (!lab.checks.some((each) => each.id === check)) problems.add(decoy.file, "", "noSuchCheck", { check });
}
