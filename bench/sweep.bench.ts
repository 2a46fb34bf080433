/** A sweep of the interpreter's recording over the usual 40 settings, and one replay of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readProgram, type Program } from "../src/conform/program/readProgram.ts";
import { prepareProgram } from "../src/conform/program/replayProgram.ts";
import { defaultSettings } from "../src/conform/sweep/defaultSettings.ts";
import { measureReplay } from "../src/conform/sweep/measure.ts";
import { Sweep } from "../src/conform/sweep/sweepProgram.ts";
import { findProfile, type Profile } from "../src/kernel/profile/profile.ts";
import { noteRow, quantile, report, timeText, type Row } from "./lib/measure.ts";

const SWEEP_BAR_NS = 20e9;
const ROUNDS = 3;

const profile = findProfile("vm-6.18.44") as Profile;

function load(): Program {
  const result = readProgram(readFileSync(join(import.meta.dirname, "../conformance/programs/scripting-language.json"), "utf8"));
  if (result.kind === "bad") throw new Error(result.problem);
  return result.program;
}

/** Nanoseconds of CPU, of all threads: what other programs do to the clock on the wall is not in it. */
function cpuOf(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}

function timed(work: () => unknown): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
}

function row(name: string, samples: readonly number[], bar: number | null): Row {
  const middle = quantile(samples, 0.5);
  const verdict = bar === null ? "-" : middle < bar ? "ok" : "over";
  const range = `${timeText(Math.min(...samples))} .. ${timeText(Math.max(...samples))}`;
  return { name, measured: `median ${timeText(middle)}`, range, bar: bar === null ? "-" : `< ${timeText(bar)}`, verdict, failing: false };
}

/** From the text of the recording to the table. */
function sweepOnce(): number {
  const program = load();
  const settings = defaultSettings(profile, program);
  const sweep = new Sweep(program, { profile, patches: [], config: [], settings });
  const results = new Map(sweep.jobs().map((job) => [job, sweep.run(job)]));
  return sweep.table(results).rows.length;
}

const program = load();
const count = defaultSettings(profile, program).length;
const replays = Array.from({ length: 2 * ROUNDS + 1 }, () => timed(() => measureReplay(prepareProgram(program), profile, {}, null, () => true)));
const cpu: number[] = [];
const sweeps = Array.from({ length: ROUNDS }, () => timed(() => cpu.push(cpuOf(sweepOnce))));
report(
  [
    row("one replay of the interpreter", replays.slice(1), null),
    row(`a sweep of it over ${count} settings`, sweeps, SWEEP_BAR_NS),
    row("its CPU time, of all threads", cpu, null),
    noteRow("replays in it", String(2 * (count + 1))),
  ],
  null,
  ["", "measured", "least .. most", "bar", ""],
);
