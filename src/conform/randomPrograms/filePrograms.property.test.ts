import { expect, it } from "vitest";
import { runFilePrograms } from "./filePrograms.ts";

const IS_LONG = process.env.HUGELAB_LONG === "1";
const SEED = IS_LONG ? Math.floor(Date.now() / 86_400_000) : 20261121;
const COUNT = IS_LONG ? 10_000 : 600;
const UNDONE = IS_LONG ? 2_000 : 120;
const PROFILES = ["vm-6.18.44", "debian-6.12.107", "debian-6.1.176", "upstream-6.8", "debian-6.18.15", "upstream-5.19"];

it(
  `keeps every invariant in ${COUNT} random scripts of shared memory and files, ${UNDONE} of them undone and redone line by line`,
  () => {
    if (IS_LONG) console.log(`seed ${SEED}`);
    expect(runFilePrograms({ seed: SEED, count: COUNT, undone: UNDONE, profiles: PROFILES }).join("\n\n")).toBe("");
  },
  IS_LONG ? 0 : undefined,
);
