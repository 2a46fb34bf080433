/** A million 4 KiB faults in one command on a fresh machine, and faults of a whole PMD. */
import { bootBench, expect, map, touch, unmap } from "./lib/machines.ts";
import { interleave, report, timeRow } from "./lib/measure.ts";

const MILLION = 1 << 20;
/** 1 GiB */
const PAGES = 262144;
const HUGE = 512;

const fresh = { bench: bootBench(64, "never") };
const huge = bootBench(4096, "always");
map(huge, PAGES);

// not among each other: a million faults leave nothing of the other's memory in the caches
const million = interleave(
  [
    {
      name: "1 M write faults in one command, fresh machine",
      pieces: 1,
      prepare: () => {
        fresh.bench = bootBench(8192, "never");
        map(fresh.bench, MILLION);
      },
      run: () => touch(fresh.bench, MILLION),
    },
  ],
  15,
  3,
);
const pmd = interleave(
  [
    {
      name: "PMD write fault",
      pieces: PAGES / HUGE,
      prepare: () => {
        unmap(huge, PAGES);
        map(huge, PAGES);
      },
      run: () => touch(huge, PAGES, HUGE),
    },
  ],
  61,
  10,
);
expect("THPs", huge.machine.vmstat("nr_anon_transparent_hugepages"), PAGES / HUGE);
expect("pages of the fresh machine", fresh.bench.machine.vmstat("nr_anon_pages"), MILLION);

report([timeRow(million.timings[0], 600e6), timeRow(pmd.timings[0], 2000)], Math.max(million.noise, pmd.noise));
