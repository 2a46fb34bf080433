/** One 4 KiB write fault through the whole path beside the floor, in one process. */
import { Floor } from "./lib/floor.ts";
import { BASE, bootBench, expect, map, PAGE, touch, unmap } from "./lib/machines.ts";
import { interleave, ratioRow, report, timeRow } from "./lib/measure.ts";

/** 128 MiB: each side writes more than the first caches of a core hold. */
const PAGES = 32768;

const bench = bootBench(4096, "never");
const floor = new Floor(PAGES);
map(bench, PAGES);

const { timings, noise } = interleave(
  [
    {
      name: "floor: walk, allocation, five counters",
      pieces: PAGES,
      prepare: () => floor.reset(),
      run: () => floor.touch(BASE / PAGE, PAGES),
    },
    {
      name: "4 KiB write fault",
      pieces: PAGES,
      prepare: () => {
        unmap(bench, PAGES);
        map(bench, PAGES);
      },
      run: () => touch(bench, PAGES),
    },
  ],
  61,
  10,
);
const [floorTime, faultTime] = timings;
expect("pages that were faulted in", bench.machine.vmstat("nr_anon_pages"), PAGES);

report([timeRow(floorTime), timeRow(faultTime), ratioRow("4 KiB write fault / floor", faultTime, floorTime, 10)], noise);
