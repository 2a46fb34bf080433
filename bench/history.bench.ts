/**
 * A history of 10,000 commands: 1,000 steps back or forward at random places and 1,000 jumps, and how long a long command goes without
 * looking whether it is to be stopped.
 */
import { newTestSession, someLine } from "../src/session/testSessions.ts";
import { findProfile, type Profile } from "../src/kernel/profile/profile.ts";
import { noteRow, quantile, report, timeText, type Row } from "./lib/measure.ts";

const NODES = Number(process.env.HUGELAB_HISTORY_NODES ?? 10_000);
const MOVES = 1_000;
const STEP_BAR_NS = 16e6;
const GAP_BAR_NS = 5e6;

/** The same numbers in every run. */
function numbers(seed: number): () => number {
  let x = seed;
  return () => {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    return x >>> 8;
  };
}

function spread(name: string, samples: readonly number[], bar: number | null): Row {
  const p95 = quantile(samples, 0.95);
  const all = `${timeText(quantile(samples, 0.5))} .. ${timeText(quantile(samples, 1))}`;
  const verdict = bar === null ? "-" : p95 < bar ? "ok" : "over";
  return { name, measured: `p95 ${timeText(p95)}`, range: all, bar: bar === null ? "-" : `< ${timeText(bar)}`, verdict, failing: false };
}

const timed = (work: () => unknown): number => {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start);
};

function historyRows(): Row[] {
  const next = numbers(7);
  const session = newTestSession({ boot: { profile: findProfile("debian-6.18.15") as Profile, memoryMiB: 4096 } });
  for (const line of ["mmap A 512M rw private anon", "mmap B 512M rw private anon", "madvise B 512M hugepage", "mmap C 64M rw private anon"])
    session.submit(line);
  const submits: number[] = [];
  const count = (): number => session.history.all().length;
  while (count() < NODES) {
    submits.push(timed(() => session.submit(someLine(next()))));
    if (next() % 40 === 0) session.move(next() % count());
  }
  const rows = [
    noteRow("history", `${count()} nodes, ${session.memory.kept} with a snapshot, ${Math.round(session.memory.bytes / 2 ** 20)} MiB`),
    spread("a command", submits, null),
  ];
  const adjacent: number[] = [];
  let way: "back" | "forward" = "back";
  for (let n = 0; n < MOVES; n++) {
    // a place anywhere, and from there ten steps one way or the other
    if (n % 10 === 0) {
      session.move(next() % count());
      way = next() % 2 === 0 ? "back" : "forward";
    }
    adjacent.push(timed(() => session.move(way)));
  }
  const jumps: number[] = [];
  for (let n = 0; n < MOVES; n++) jumps.push(timed(() => session.move(next() % count())));
  return [...rows, spread("a step back or forward", adjacent, STEP_BAR_NS), spread("a jump anywhere", jumps, null)];
}

/** Lines that take long on 16 GiB, each with the longest time between two looks. */
const LONG = [
  ["mmap A 8G rw private anon", "mmap B 8G rw private anon"],
  ["touch A 8G w"],
  ["fork K"],
  ["@K exit"],
  ["cat /proc/self/smaps > x", "pagemap A 16M > x", "cat /proc/kpageflags | wc", "grep -c Rss /proc/self/smaps", "mincore A 32M"],
  ["mprotect A 8G r", "mprotect A 8G rw", "madvise A 8G cold", "mlock A 8G", "munlock A 8G", "madvise A 8G hugepage"],
  ["sys khp pages_to_scan 100000", "khugepaged scan 1"],
  ["madvise B 8G hugepage", "touch B 8G w step=2M"],
  [
    "mprotect B+4k 4k r",
    "madvise A 8G free",
    "mremap A 8G 8G maymove fixed=D",
    "munmap D",
    "madvise B 4G dontneed",
    "mmap E 4G rw private anon populate",
    "exit",
  ],
].flat();

function gapRows(): Row[] {
  let last = 0;
  let gaps: number[] = [];
  // of this thread alone, so that others on the machine do not count
  const nowNs = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) * 1000;
  };
  const look = (): void => {
    const now = nowNs();
    gaps.push(now - last);
    last = now;
  };
  const session = newTestSession({
    boot: { profile: findProfile("debian-6.18.15") as Profile, memoryMiB: 20 * 1024 },
    probe: {
      stop: () => {
        look();
        return false;
      },
    },
  });
  return LONG.map((line): Row => {
    gaps = [];
    last = nowNs();
    const start = last;
    session.submit(line);
    look();
    const whole = last - start;
    // what comes after the last look is keeping and hashing the new state: nobody can stop that
    const keeping = gaps.pop() ?? 0;
    const longest = Math.max(0, ...gaps);
    return {
      name: line,
      measured: `longest ${timeText(longest)}, p99 ${timeText(gaps.length === 0 ? 0 : quantile(gaps, 0.99))}`,
      range: `whole ${timeText(whole)}, ${gaps.length} looks, then ${timeText(keeping)}`,
      bar: `< ${timeText(GAP_BAR_NS)}`,
      verdict: longest < GAP_BAR_NS ? "ok" : "over",
      failing: false,
    };
  });
}

const which = process.argv[2] ?? "all";
report([...(which === "gaps" ? [] : historyRows()), ...(which === "history" ? [] : gapRows())], null);
