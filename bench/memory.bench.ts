/** Memory that a simulated machine takes: for a touched page, and for 1 TiB that nobody touched. */
import { BASE, bootBench, expect, map, touch } from "./lib/machines.ts";
import { amountRow, report } from "./lib/measure.ts";

const PAGES = 1 << 20;
const MIB = 1 << 20;
const TIB_IN_MIB = 1 << 20;

/** Bytes that the process holds: the heap and typed arrays behind it. */
function processBytes(): number {
  const gc = globalThis.gc;
  if (gc === undefined) throw new Error("run with --expose-gc");
  void gc();
  void gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

// code that is loaded and compiled at first use is no part of a machine
touch(mapped(bootBench(64, "never"), 16), 16);

function mapped(bench: ReturnType<typeof bootBench>, pages: number): ReturnType<typeof bootBench> {
  map(bench, pages);
  return bench;
}

const before = processBytes();
const untouched = bootBench(TIB_IN_MIB, "never");
const afterBoot = processBytes();
const untouchedStore = untouched.kernel.store.bytes();

const used = mapped(bootBench(8192, "never"), PAGES);
const beforeTouch = processBytes();
const storeBefore = used.kernel.store.bytes();
expect(`pages touched from ${BASE}`, touch(used, PAGES), PAGES);
const perPage = (used.kernel.store.bytes() - storeBefore) / PAGES;
const perPageProcess = (processBytes() - beforeTouch) / PAGES;

used.machine.snapshot();
const afterSnapshot = (processBytes() - beforeTouch) / PAGES;
expect("zones of the untouched machine", untouched.kernel.zones.count, 3);

report(
  [
    amountRow("a touched 4 KiB page: columns", perPage, 64, "bytes"),
    amountRow("a touched 4 KiB page: heap and arrays of the process", perPageProcess, 64, "bytes"),
    amountRow("the same, with the state kept as a keyframe", afterSnapshot, 64, "bytes"),
    amountRow("1 TiB untouched: columns", untouchedStore / MIB, 10, "MiB"),
    amountRow("1 TiB untouched: heap and arrays of the process", (afterBoot - before) / MIB, 10, "MiB"),
  ],
  null,
);
