// Copies recorded traces from ../shared/conformance into conformance/ and writes their hashes to conformance/MANIFEST.json.
//
//     node tools/syncConformance.mjs [FOLDER]           copies from FOLDER (default ../shared/conformance), writes the manifest
//     node tools/syncConformance.mjs --check [FOLDER]   checks what is here against the manifest, and against FOLDER where it is there
//
// Nobody edits a recorded trace: the manifest says when somebody did.
import { createHash } from "node:crypto";
import { copyFileSync, chmodSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = fileURLToPath(new URL("../conformance", import.meta.url));
const manifestPath = join(here, "MANIFEST.json");

/** Traces in use, by the number their name begins with; the same of each release. */
const inUse = ["01", "02", "03", "04", "05", "07", "08", "09", "10", "11", "12", "13", "25", "26", "27", "29", "31", "34"];
const releases = ["linux-6.18", "linux-6.12", "linux-6.1"];

/** Words of random scripts that need what is not simulated yet. A script with none of them is in use. */
const later = /nr_hugepages|hugetlb|uffd|zram|mergeable|ksm|hwpoison|soft_offline/;

/** Files of ours that decide what is recorded and what agrees. */
const judged = ["compare.py", "recorder/oracle.c", "vectors/eligibility.json"];

/** @param {string} path */
function hash(path) {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

/** @param {string} folder @param {string} pattern */
function relativeGlob(folder, pattern) {
  return globSync(pattern, { cwd: folder })
    .map((path) => path.replaceAll("\\", "/"))
    .sort();
}

/** The traces in use that a folder has. @param {string} folder */
function tracesIn(folder) {
  return releases.flatMap((release) => relativeGlob(folder, `traces/${release}/*.json`)).filter((path) => inUse.includes(path.split("/")[2].slice(0, 2)));
}

/** The random scripts in use that a folder has. @param {string} folder */
function randomIn(folder) {
  const hasArea = (/** @type {string} */ path) => !later.test(JSON.parse(readFileSync(join(folder, path), "utf8")).source);
  return releases.flatMap((release) => relativeGlob(folder, `random/${release}/*.json`)).filter(hasArea);
}

/**
 * What the reference's oracle answers about eligibility: for each kind of mapping, version, setting and caller its answer and its reason, and what a fault
 * does. @param {string} reference
 */
async function writeVectors(reference) {
  const oracle = await import(pathToFileURL(join(reference, "eligibility_collapse_oracle.mjs")).href);
  const rows = [];
  for (const [name, vma] of Object.entries(oracle.A))
    for (const version of ["5.19", "6.1", "v1", "v2", "v3"])
      for (const enabled of ["always", "madvise", "never"]) {
        const g = { enabled, roThpForFs: true };
        for (const caller of Object.keys(oracle.CTX)) {
          const [allowed, reason] = oracle.evalAll(version, vma, g, caller);
          if (allowed !== null) rows.push([name, version, enabled, caller, allowed, reason]);
        }
        rows.push([name, version, enabled, "outcome", oracle.faultOutcome(version, vma, g), ""]);
      }
  mkdirSync(join(here, "vectors"), { recursive: true });
  const lines = rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n");
  writeFileSync(join(here, "vectors/eligibility.json"), `[\n${lines}\n]\n`);
}

/** @param {string} source */
async function sync(source) {
  const traces = tracesIn(source);
  if (traces.length !== inUse.length * releases.length) throw new Error(`${source}: ${traces.length} of ${inUse.length * releases.length} traces are there`);
  await writeVectors(join(source, "..", "reference"));
  const wanted = [...traces, ...randomIn(source)];
  for (const path of relativeGlob(here, "{traces,random}/**/*.json")) if (!wanted.includes(path)) rmSync(join(here, path));
  for (const path of wanted) {
    mkdirSync(dirname(join(here, path)), { recursive: true });
    copyFileSync(join(source, path), join(here, path));
    chmodSync(join(here, path), 0o644);
  }
  // recorded by ourselves, under the emulator: nowhere else to copy them from
  const files = [...judged, ...wanted, ...relativeGlob(here, "recorded/**/*.json")].sort();
  writeFileSync(manifestPath, JSON.stringify({ sha256: Object.fromEntries(files.map((path) => [path, hash(join(here, path))])) }, null, 2) + "\n");
  process.stdout.write(`${wanted.length} traces, ${manifestPath}\n`);
}

/** Sentences about what is not as the manifest says. @param {string | null} source @returns {string[]} */
export function check(source = null) {
  /** @type {{ sha256: Record<string, string> }} */
  const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));
  const problems = [];
  for (const [path, wanted] of Object.entries(manifest.sha256)) {
    if (!existsSync(join(here, path))) problems.push(`${path}: missing`);
    else if (hash(join(here, path)) !== wanted) problems.push(`${path}: not as recorded`);
    else if (source !== null && /^(traces|random)\//.test(path) && hash(join(source, path)) !== wanted) problems.push(`${path}: differs from ${source}`);
  }
  for (const path of [...relativeGlob(here, "{traces,random,recorded}/**/*.json"), ...judged])
    if (!(path in manifest.sha256)) problems.push(`${path}: not in the manifest`);
  if (source !== null)
    for (const path of [...tracesIn(source), ...randomIn(source)]) if (!(path in manifest.sha256)) problems.push(`${path}: could be in use and is not`);
  return problems;
}

async function main() {
  const words = process.argv.slice(2);
  const isCheck = words.includes("--check");
  const folder = words.find((word) => !word.startsWith("--")) ?? fileURLToPath(new URL("../../shared/conformance", import.meta.url));
  if (!isCheck) {
    await sync(folder);
    return 0;
  }
  const problems = check(existsSync(folder) ? folder : null);
  for (const problem of problems) process.stderr.write(problem + "\n");
  return problems.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main();
