/**
 * Proves that src/conform/compare.ts and compare.py are one function: pairs every trace with the traces of the same name in
 * the other folders (and with an empty run), compares each pair with both, and requires the same counts and the same differences.
 *
 *     node conformance/compareWithReference.ts FOLDER...            checks (needs python3)
 *     node conformance/compareWithReference.ts --record FOLDER...   writes src/conform/compare.vectors.json from compare.py
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { compare } from "../src/conform/compare.ts";
import type { Comparison } from "../src/conform/compare.ts";
import type { Trace } from "../src/conform/step.ts";

/** Two traces to be compared up to a tier; `other` null is a run that answered nothing. */
export interface Pair {
  readonly trace: string;
  readonly other: string | null;
  readonly tier: number;
}

/** What compare.py said: counts, and a hash of its list of differences. */
export interface Vector extends Pair {
  readonly agree: number;
  readonly total: number;
  readonly differences: number;
  readonly sha256: string;
}

type Row = readonly [operation: number, op: string, field: string, recorded: unknown, other: unknown];
export type Reference = readonly [agree: number, total: number, differences: readonly Row[]];

const PROGRAM = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location('reference', sys.argv[1])
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)
for line in sys.stdin:
    pair = json.loads(line)
    trace, steps = reference.load(pair['trace'])
    other = reference.load(pair['other'])[1] if pair['other'] else []
    print(json.dumps(reference.compare(steps, other, trace['header']['kernel'], pair['tier'])))
`;

const HERE = import.meta.dirname;

/** Whether there is a python3 to run compare.py with. */
export function hasPython(): boolean {
  return spawnSync("python3", ["-c", "import json"], { stdio: "ignore" }).status === 0;
}

/** Runs compare.py over all pairs in one process. */
export function compareByReference(pairs: readonly Pair[]): Reference[] {
  const done = spawnSync("python3", ["-c", PROGRAM, join(HERE, "compare.py")], {
    input: pairs.map((pair) => JSON.stringify(pair) + "\n").join(""),
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  if (done.status !== 0) throw new Error(`compare.py failed: ${done.stderr}`);
  return done.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Reference);
}

/** Runs our comparison over one pair. */
export function compareByOurs(pair: Pair, read: (path: string) => Trace = readTrace): Comparison {
  const trace = read(pair.trace);
  return compare(trace.steps, pair.other === null ? [] : read(pair.other).steps, trace.header.kernel, { tier: pair.tier });
}

function readTrace(path: string): Trace {
  return JSON.parse(readFileSync(path, "utf8")) as Trace;
}

/** Our differences in the shape compare.py returns them. */
export function rowsOf(comparison: Comparison): Row[] {
  return comparison.differences.map((difference) => [difference.operation, difference.op, difference.field, difference.recorded, difference.ours] as const);
}

/** A hash of a list of differences that does not depend on the order of keys inside values. */
export function hashRows(rows: readonly Row[]): string {
  return createHash("sha256").update(JSON.stringify(rows, sortKeys)).digest("hex");
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every trace below the folders with every other trace of that name, with itself, and with nothing. */
export function allPairs(folders: readonly string[], tiers: readonly number[]): Pair[] {
  const byName = new Map<string, string[]>();
  for (const path of folders.flatMap((folder) => globSync(join(folder, "**/*.json"))).sort()) {
    byName.set(basename(path), [...(byName.get(basename(path)) ?? []), path]);
  }
  const pairs: Pair[] = [];
  for (const paths of byName.values()) {
    for (const trace of paths) for (const other of [...paths, null]) for (const tier of tiers) pairs.push({ trace, other, tier });
  }
  return pairs;
}

function main(args: readonly string[]): number {
  const record = args.includes("--record");
  const folders = args.filter((arg) => arg !== "--record");
  const pairs = allPairs(folders, record ? [6] : [6, 3]);
  const references = compareByReference(pairs);
  if (record) {
    const vectors = pairs.map((pair, i): Vector => {
      const [agree, total, rows] = references[i];
      const other = pair.other === null ? null : relative(HERE, resolve(pair.other));
      return { trace: relative(HERE, resolve(pair.trace)), other, tier: pair.tier, agree, total, differences: rows.length, sha256: hashRows(rows) };
    });
    writeFileSync(join(HERE, "../src/conform/compare.vectors.json"), `[\n${vectors.map((vector) => JSON.stringify(vector)).join(",\n")}\n]\n`);
    return 0;
  }
  let [wrong, observations] = [0, 0];
  pairs.forEach((pair, i) => {
    const [agree, total, rows] = references[i];
    const ours = compareByOurs(pair);
    observations += total;
    if (ours.agree === agree && ours.total === total && isDeepStrictEqual(rowsOf(ours), rows)) return;
    wrong++;
    console.log(`${pair.trace} with ${pair.other ?? "nothing"}, tier ${pair.tier}: compare.py ${agree} of ${total}, ours ${ours.agree} of ${ours.total}`);
  });
  console.log(`${pairs.length - wrong} of ${pairs.length} pairs equal (${observations} observations)`);
  return wrong === 0 && pairs.length > 0 ? 0 : 1;
}

if (process.argv[1] === import.meta.filename) process.exitCode = main(process.argv.slice(2));
