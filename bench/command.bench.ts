/** The hugelab command from its start to its end: a script of 20 lines, and the recorded traces in one process. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { interleave, noteRow, report, timeRow, type Case, type Row } from "./lib/measure.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const HUGELAB = join(ROOT, "bin", "hugelab");
/** HUGELAB_TRACES names another corpus: the whole one, while only a part of it is in the project. */
const CORPUS = process.env.HUGELAB_TRACES ?? join(ROOT, "conformance", "traces", "linux-6.18");

const SCRIPT = `sys thp enabled always
mmap A 8M rw private anon
touch A w
madvise A+2M 2M nohugepage
touch A+2M r
mprotect A+4M 1M r
touch A+4M r
touch A+4M w
fork C
touch A w
@C touch A+6M w
@C munmap A+6M 2M
@C exit
madvise A 4K dontneed
touch A w
mremap A+6M 2M 4M maymove
madvise A 2M collapse
sys thp enabled madvise
khugepaged scan 1
munmap A 6M
`;

/** Runs the command and returns its exit status; throws when it could not be run or did not read the script. */
function hugelab(args: readonly string[]): number {
  const { status, error } = spawnSync(HUGELAB, args, { stdio: ["ignore", "ignore", "inherit"] });
  if (error !== undefined) throw error;
  if (status === null || status > 1) throw new Error(`hugelab ${args[0]} ended with ${status}`);
  return status;
}

const folder = mkdtempSync(join(tmpdir(), "hugelab-bench-"));
try {
  const script = join(folder, "twenty.txt");
  writeFileSync(script, SCRIPT);
  const lines = SCRIPT.trimEnd().split("\n").length;
  if (lines !== 20) throw new Error(`the script has ${lines} lines`);
  const run: Case = { name: "run of a script of 20 lines", pieces: 1, run: () => hugelab(["run", script]) };
  const short = interleave([run], 11, 1);
  const rows: Row[] = [timeRow(short.timings[0], 400e6)];
  if (existsSync(CORPUS)) {
    const traces = readdirSync(CORPUS, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json")).length;
    const conform: Case = { name: `conform of ${traces} traces of 6.18`, pieces: 1, run: () => hugelab(["conform", CORPUS]) };
    rows.push(timeRow(interleave([conform], 3, 0).timings[0], 10e9));
  } else rows.push(noteRow("conform of the traces of 6.18", "no traces here"));
  report(rows, short.noise);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
