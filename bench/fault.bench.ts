/** Faults: one 4 KiB write fault beside the floor, a million of them in one command, a PMD fault. */
import { bootBench, expect, map, touch, unmap } from "./lib/machines.ts";
import { BASE, PAGE } from "./lib/machines.ts";
import { Floor } from "./lib/floor.ts";
import { interleave, ratioRow, report, timeRow } from "./lib/measure.ts";

/** 256 MiB: what both sides write is larger than the caches of a core, as in a real session. */
const PAGES = 65536;
const MILLION = 1 << 20;
const HUGE = 512;

const small = bootBench(4096, "never");
const huge = bootBench(16384, "always");
const floor = new Floor(PAGES);
map(small, PAGES);
map(huge, MILLION);

const fresh = { machine: small };
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
        unmap(small, PAGES);
        map(small, PAGES);
      },
      run: () => touch(small, PAGES),
    },
    {
      name: "1 M write faults in one command, fresh machine",
      pieces: 1,
      prepare: () => {
        fresh.machine = bootBench(8192, "never");
        map(fresh.machine, MILLION);
      },
      run: () => touch(fresh.machine, MILLION),
    },
    {
      name: "PMD write fault",
      pieces: MILLION / HUGE,
      prepare: () => {
        unmap(huge, MILLION);
        map(huge, MILLION);
      },
      run: () => touch(huge, MILLION, HUGE),
    },
  ],
  15,
  3,
);
const [floorTime, faultTime, millionTime, pmdTime] = timings;
expect("pages of the small machine", small.machine.vmstat("nr_anon_pages"), PAGES);
expect("THPs of the other", huge.machine.vmstat("nr_anon_transparent_hugepages"), MILLION / HUGE);
expect("pages of the fresh machine", fresh.machine.machine.vmstat("nr_anon_pages"), MILLION);

report(
  [
    timeRow(floorTime),
    timeRow(faultTime),
    ratioRow("4 KiB write fault / floor", faultTime, floorTime, 10),
    timeRow(millionTime, 600e6),
    timeRow(pmdTime, 2000),
  ],
  noise,
);
