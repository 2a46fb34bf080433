/** Walks of page tables: fork of 1 GiB of PTEs, a pass of khugepaged over 16 GiB of pages that may not be collapsed. */
import { doFork } from "../src/kernel/mm/fork.ts";
import { sysExit, sysMadvise } from "../src/kernel/syscalls.ts";
import { BASE, bootBench, command, expect, map, PAGE, touch, writeSetting } from "./lib/machines.ts";
import { interleave, report, timeRow } from "./lib/measure.ts";

const GIB = 262144;
const SCANNED_GIB = 16;
const BLOCK = 512;
const FULL_SCANS = "khugepaged/full_scans";

const forked = bootBench(4096, "never");
map(forked, GIB);
expect("pages touched", touch(forked, GIB), GIB);
let child = 0;

const scanned = bootBench(24576, "never");
map(scanned, SCANNED_GIB * GIB);
expect("pages touched", touch(scanned, SCANNED_GIB * GIB), SCANNED_GIB * GIB);
// one hole at the end of each block, and none may be: each block is looked at to its last entry
writeSetting(scanned, "khugepaged/max_ptes_none", "0");
writeSetting(scanned, "khugepaged/pages_to_scan", "100000000");
for (let block = 1; block <= (SCANNED_GIB * GIB) / BLOCK; block++) {
  const last = BASE + (block * BLOCK - 1) * PAGE;
  command(scanned, (k) => sysMadvise(k, scanned.task, BigInt(last), BigInt(PAGE), 4));
}
writeSetting(scanned, "enabled", "madvise");
// registers the process with the daemon
command(scanned, (k) => sysMadvise(k, scanned.task, BigInt(BASE), BigInt(SCANNED_GIB * GIB * PAGE), 14));
const scansBefore = Number(readSetting(FULL_SCANS));

function readSetting(file: string): string {
  const text = scanned.machine.readFile(`/sys/kernel/mm/transparent_hugepage/${file}`);
  if (typeof text !== "string") throw new Error(`${file} cannot be read`);
  return text;
}

const ROUNDS = 9;
const WARM_UP = 2;
const { timings, noise } = interleave(
  [
    {
      name: "fork of 1 GiB of PTEs",
      pieces: 1,
      prepare: () => {
        const task = forked.machine.task(child);
        if (task !== undefined) sysExit(forked.kernel, task);
      },
      run: () => {
        child = command(forked, (k) => doFork(k, forked.task, "child"));
        return child;
      },
    },
    {
      name: "khugepaged pass over 16 GiB, nothing to collapse",
      pieces: 1,
      prepare: () => scanned.machine.beginStep(),
      run: () => {
        scanned.machine.run(() => scanned.machine.wakeKhugepaged());
        return 0;
      },
    },
  ],
  ROUNDS,
  WARM_UP,
);
expect("passes of khugepaged", Number(readSetting(FULL_SCANS)) - scansBefore, ROUNDS + WARM_UP);
expect("blocks collapsed", scanned.machine.vmstat("thp_collapse_alloc"), 0);
expect("blocks with one hole too many", scanned.machine.vmstat("thp_scan_exceed_none_pte") % ((SCANNED_GIB * GIB) / BLOCK), 0);
expect("pages of parent and child", forked.machine.vmstat("nr_anon_pages"), GIB);

report([timeRow(timings[0], 100e6), timeRow(timings[1], 300e6)], noise);
