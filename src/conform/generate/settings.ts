/** Operations on the settings of transparent huge pages, and khugepaged. */
import type { ScriptWriter } from "./writer.ts";

const SIZES = ["16kB", "32kB", "64kB", "128kB", "256kB", "512kB", "1024kB"] as const;

// prettier-ignore
const BAD = [
  "sys thp enabled sometimes", "sys thp defrag maybe", "sys thp use_zero_page 2", "sys thp shrink_underused 5", "sys mthp 64kB enabled maybe", "sys mthp 8kB enabled always",
  "sys khp max_ptes_none 512", "sys khp max_ptes_shared 513", "sys khp max_ptes_swap 1000", "sys khp max_ptes_none -1", "sys khp max_ptes_none many",
] as const;

/** one setting changed, now and then to what is refused */
export function changeSetting(w: ScriptWriter): void {
  const { random } = w;
  // prettier-ignore
  const kind = random.weighted([["enabled", 60], ["zero", 8], ["defrag", 6], ["mthp", 50], ["none", 24], ["shared", 16], ["swap", 4], ["underused", 2], ["bad", 4]] as const);
  switch (kind) {
    case "enabled":
      return w.emit(`sys thp enabled ${random.weighted([["always", 40], ["madvise", 40], ["never", 13]])}`); // prettier-ignore
    case "zero":
      return w.emit(`sys thp use_zero_page ${random.below(2)}`);
    case "defrag":
      return w.emit(`sys thp defrag ${random.pick(["always", "defer", "defer+madvise", "madvise", "never"])}`);
    case "mthp":
      return mthp(w);
    case "none":
      return w.emit(`sys khp max_ptes_none ${random.pick([0, 0, 1, 64, 255, 256, 409, 510, 511])}`);
    case "shared":
      return w.emit(`sys khp max_ptes_shared ${random.pick([0, 0, 1, 100, 256, 511])}`);
    case "swap":
      return w.emit(`sys khp max_ptes_swap ${random.pick([0, 8, 64, 511])}`);
    case "underused":
      return w.emit(`sys thp shrink_underused ${random.below(2)}`);
    case "bad":
      return w.emit(random.pick(BAD));
  }
}

function mthp(w: ScriptWriter): void {
  const size = w.random.weighted([["16kB", 20], ["32kB", 10], ["64kB", 40], ["128kB", 15], ["256kB", 10], ["512kB", 10], ["1024kB", 10], ["2048kB", 20]]); // prettier-ignore
  w.emit(`sys mthp ${size} enabled ${w.random.weighted([["always", 40], ["madvise", 30], ["inherit", 30], ["never", 20]])}`); // prettier-ignore
}

/** what a script begins with: no setting, some, or several of the smaller sizes switched on */
export function firstSettings(w: ScriptWriter): void {
  for (let i = w.random.below(3); i > 0; i--) changeSetting(w);
  if (!w.random.chance(30)) return;
  for (const size of w.random.sample(SIZES, w.random.between(1, 3))) {
    w.emit(`sys mthp ${size} enabled ${w.random.weighted([["always", 5], ["madvise", 3], ["inherit", 2]])}`); // prettier-ignore
  }
}

export function scan(w: ScriptWriter): void {
  w.emit(`khugepaged scan ${w.random.weighted([[1, 8], [2, 1]])}`); // prettier-ignore
}
