/** For information: the touch loop of the kernel that this machine runs, beside ours. No bar: other hardware, other kernel. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bootBench, map, touch, unmap } from "./lib/machines.ts";
import { interleave, noteRow, report, timeRow, type Row, type Timing } from "./lib/measure.ts";

const SOURCE = fileURLToPath(new URL("realKernel.c", import.meta.url));
const PAGES = 65536;
const HUGE = 512;
const ROUNDS = 15;

/** Builds the C program; undefined where there is no compiler. */
function build(folder: string): string | undefined {
  const program = join(folder, "realKernel");
  for (const compiler of ["cc", "gcc", "clang"]) {
    if (spawnSync(compiler, ["-O2", "-o", program, SOURCE], { stdio: "ignore" }).status === 0) return program;
  }
  return undefined;
}

/** Nanoseconds a fault, one for each round, as the program prints them: "small 512" or "huge 60000". */
function runReal(program: string, rounds: number): Timing[] {
  const { stdout, status } = spawnSync(program, [String(PAGES), String(rounds)], { encoding: "utf8" });
  if (status !== 0) return [];
  const of = (kind: string): number[] =>
    stdout
      .split("\n")
      .filter((line) => line.startsWith(`${kind} `))
      .map((line) => Number(line.slice(kind.length + 1)));
  return [
    { name: "this machine's kernel: 4 KiB write fault", samplesNs: of("small") },
    { name: "this machine's kernel: PMD write fault", samplesNs: of("huge") },
  ].filter((t) => t.samplesNs.length > 0);
}

const ours = bootBench(4096, "never");
const oursHuge = bootBench(4096, "always");
map(ours, PAGES);
map(oursHuge, PAGES);
const again = (bench: typeof ours) => (): void => {
  unmap(bench, PAGES);
  map(bench, PAGES);
};
const { timings, noise } = interleave(
  [
    { name: "ours: 4 KiB write fault", pieces: PAGES, prepare: again(ours), run: () => touch(ours, PAGES) },
    { name: "ours: PMD write fault", pieces: PAGES / HUGE, prepare: again(oursHuge), run: () => touch(oursHuge, PAGES, HUGE) },
  ],
  ROUNDS,
  3,
);
const rows: Row[] = timings.map((t) => timeRow(t));
const folder = mkdtempSync(join(tmpdir(), "hugelab-bench-"));
try {
  const program = process.platform === "linux" ? build(folder) : undefined;
  if (program === undefined) rows.push(noteRow("this machine's kernel", process.platform === "linux" ? "no C compiler here" : "not Linux"));
  else rows.push(...runReal(program, ROUNDS).map((t) => timeRow(t)));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
report(rows, noise);
