/** One 4 KiB write fault through the whole path beside the floor, in one process: in a loop over many pages, and where each fault stands alone. */
import { MADV } from "../src/kernel/mm/advice.ts";
import { sysMadvise } from "../src/kernel/syscalls.ts";
import { Floor } from "./lib/floor.ts";
import { BASE, bootBench, command, expect, map, PAGE, touch, touchPage, unmap, type Bench } from "./lib/machines.ts";
import { interleave, noteRatio, ratioRow, report, timeRow } from "./lib/measure.ts";

/** 128 MiB: each side writes more than the first caches of a core hold. */
const PAGES = 32768;

const floor = new Floor(PAGES);

/** A machine whose next free frames lie apart: every second frame of twice as many belongs to a mapping that stays. */
function scattered(): Bench {
  const bench = bootBench(4096, "never");
  const at = BASE + 4 * PAGES * PAGE;
  map(bench, 2 * PAGES, at);
  touch(bench, 2 * PAGES, 1, at);
  for (let page = 0; page < 2 * PAGES; page += 2) command(bench, (k) => sysMadvise(k, bench.task, BigInt(at + page * PAGE), BigInt(PAGE), MADV.dontneed));
  return bench;
}

const loop = bootBench(4096, "never");
const apart = scattered();
const single = bootBench(4096, "never");
for (const bench of [loop, apart, single]) map(bench, PAGES);
const again = (bench: Bench) => (): void => {
  unmap(bench, PAGES);
  map(bench, PAGES);
};

const { timings, noise } = interleave(
  [
    {
      name: "floor: walk, allocation, five counters",
      pieces: PAGES,
      prepare: () => floor.reset(),
      run: () => floor.touch(BASE / PAGE, PAGES),
    },
    { name: "4 KiB write fault, loop over 32768 pages", pieces: PAGES, prepare: again(loop), run: () => touch(loop, PAGES) },
    { name: "the same, no two free frames side by side", pieces: PAGES, prepare: again(apart), run: () => touch(apart, PAGES) },
    {
      name: "4 KiB write fault, one touch for each page",
      pieces: PAGES,
      prepare: again(single),
      run: () => {
        let ok = 0;
        for (let page = 0; page < PAGES; page++) ok += touchPage(single, page);
        return ok;
      },
    },
  ],
  61,
  10,
);
const [floorTime, loopTime, apartTime, singleTime] = timings;
for (const bench of [loop, single]) expect("pages that were faulted in", bench.machine.vmstat("nr_anon_pages"), PAGES);
expect("pages of scattered frames", apart.machine.vmstat("nr_anon_pages"), 2 * PAGES);

report(
  [
    ...timings.map((t) => timeRow(t)),
    ratioRow("loop / floor", loopTime, floorTime, 10),
    noteRatio("no two free frames side by side / floor", apartTime, floorTime),
    noteRatio("one touch for each page / floor", singleTime, floorTime),
  ],
  noise,
);
