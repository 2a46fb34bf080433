/** Pictures of a machine with a million mapped pages, and differences of its states: what a front end waits for after a command. */
import { formatMessage } from "../src/i18n/format.ts";
import type { PictureRequest } from "../src/observe/picture/model.ts";
import { LearnerWorld } from "../src/session/learnerWorld.ts";
import { NodeDiffer } from "../src/session/diff/diffNodes.ts";
import { Pictures } from "../src/session/pictures.ts";
import { findProfile } from "../src/kernel/profile/profile.ts";
import { MAP } from "../src/kernel/mm/mmap.ts";
import { sysMmap } from "../src/kernel/syscalls.ts";
import { touchRange } from "../src/kernel/touch.ts";
import { BASE, expect, PAGE } from "./lib/machines.ts";
import { quantile, report, timeText, type Row } from "./lib/measure.ts";

const PAGES = 1 << 20;
const MEMORY_MIB = 8192;
const ROUNDS = 60;
/** the builders' share of the bar from command to picture (50 ms) */
const BAR_NS = 10e6;

const profile = findProfile("debian-6.18.15");
if (profile === undefined) throw new Error("no profile");
const world = new LearnerWorld({ profile, memoryMiB: MEMORY_MIB });
const { machine } = world;
const pictures = new Pictures(world, (message) => formatMessage(message.key, message.args));
const process0 = world.living()[0];
const task = world.task(process0);

function command(operation: Parameters<typeof machine.run>[0]): void {
  machine.beginStep();
  machine.run(operation);
}

function touch(first: number, count: number): void {
  command((k) => touchRange(k, task, BASE + first * PAGE, BASE + (first + count) * PAGE, PAGE, "w", 1));
}

command(() => machine.writeFile("/sys/kernel/mm/transparent_hugepage/enabled", "never"));
command((k) => sysMmap(k, task, { address: BigInt(BASE), length: BigInt((PAGES + 8192) * PAGE), prot: 3, flags: MAP.private | MAP.anonymous | MAP.fixed }));
let before = machine.snapshot();
const empty = world.capture();
touch(0, PAGES);
machine.snapshot();
const full = world.capture();
expect("pages mapped", machine.kernel.mmCount(task.mm, 0), PAGES);

const top = 2 ** 35;
const REQUESTS: readonly (readonly [string, PictureRequest])[] = [
  ["address space", { kind: "addressSpace", process: null, first: 0, count: 200, cells: 512 }],
  ["page tables, lowest table", { kind: "pageTables", process: null, address: null, level: null }],
  ["page tables, root", { kind: "pageTables", process: null, address: null, level: 4 }],
  ["memory, 2 MiB cells", { kind: "physical", firstPfn: 0, cells: 4096, pagesPerCell: 512, selected: top - 1 }],
  ["memory, 128 MiB cells", { kind: "physical", firstPfn: 0, cells: 64, pagesPerCell: 32768, selected: null }],
  ["memory, single pages", { kind: "physical", firstPfn: 1 << 20, cells: 4096, pagesPerCell: 1, selected: 1 << 20 }],
  ["counters", { kind: "counters", filter: "", changedOnly: false }],
];

function time(request: PictureRequest): number {
  const start = process.hrtime.bigint();
  const picture = pictures.build(request, { before, step: machine.kernel.step, nodeOfStep: (step) => step });
  const ns = Number(process.hrtime.bigint() - start);
  if (picture.twin.length === 0) throw new Error("no picture");
  return ns;
}

/** The first picture after the command that mapped everything: nothing is counted yet. */
const first = REQUESTS.map(([, request]) => time(request));

/** Each picture after a command that touches 16 pages somewhere. */
const samples = REQUESTS.map((): number[] => []);
for (let round = 0; round < ROUNDS; round++) {
  REQUESTS.forEach(([, request], i) => {
    before = machine.snapshot();
    touch(PAGES + ((round * REQUESTS.length + i) % 250) * 16, 16);
    machine.snapshot();
    samples[i].push(time(request));
  });
}

const differ = new NodeDiffer(machine.kernel, (message) => formatMessage(message.key, message.args));

function timeDiff(from: typeof empty, to: typeof empty): number {
  const start = process.hrtime.bigint();
  const { groups } = differ.diff({ id: 0, world: from }, { id: 1, world: to });
  const ns = Number(process.hrtime.bigint() - start);
  if (groups.length === 0) throw new Error("no difference");
  return ns;
}

const all = Array.from({ length: 5 }, () => timeDiff(empty, full));
const small = Array.from({ length: ROUNDS }, (_, round) => {
  const from = world.capture();
  touch(PAGES + 4096 + round * 8, 8);
  return timeDiff(from, world.capture());
});

const rows: Row[] = REQUESTS.flatMap(([name], i) => {
  const p95 = quantile(samples[i], 0.95);
  const verdict = p95 < BAR_NS ? "ok" : "over";
  const range = `${timeText(quantile(samples[i], 0.1))} .. ${timeText(quantile(samples[i], 0.9))}`;
  return [
    {
      name: `${name}: 95% of ${ROUNDS}, after a small command`,
      measured: timeText(p95),
      range,
      bar: `< ${timeText(BAR_NS)}`,
      verdict,
      failing: false,
    } as const,
    { name: `${name}: once, after the command that touched all`, measured: timeText(first[i]), range: "", bar: "-", verdict: "-", failing: false } as const,
  ];
});
const note = (name: string, samples: readonly number[]): Row => ({
  name,
  measured: timeText(quantile(samples, 0.5)),
  range: "",
  bar: "-",
  verdict: "-",
  failing: false,
});
report([...rows, note("difference by a small command", small), note("difference by the command that touched all", all)], null);
