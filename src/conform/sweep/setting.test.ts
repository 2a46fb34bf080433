import fc from "fast-check";
import { expect, it } from "vitest";
import { conformMessagesEn } from "../messages.en.ts";
import { parseSetting, parseSettings } from "./setting.ts";

const THP = "/sys/kernel/mm/transparent_hugepage";

it.each([
  ["enabled=always", [[`${THP}/enabled`, "always"]]],
  [
    "64k=inherit,2M=never",
    [
      [`${THP}/hugepages-64kB/enabled`, "inherit"],
      [`${THP}/hugepages-2048kB/enabled`, "never"],
    ],
  ],
  ["64kB/shmem=always", [[`${THP}/hugepages-64kB/shmem_enabled`, "always"]]],
  ["khp/max_ptes_none=0", [[`${THP}/khugepaged/max_ptes_none`, "0"]]],
  ["fault_around=64k", [["/sys/kernel/debug/fault_around_bytes", "65536"]]],
  ["/proc/sys/vm/max_map_count=9", [["/proc/sys/vm/max_map_count", "9"]]],
])("%s", (text, files) => {
  expect(parseSetting(text)).toEqual({ kind: "setting", setting: { label: text, profile: null, files, thpDisable: 0 } });
});

it("takes prctl and machines", () => {
  expect(parseSetting("prctl=except-advised, release=6.12")).toMatchObject({ setting: { thpDisable: 3, profile: "debian-6.12.107" } });
  expect(parseSetting("release=5.19,all=always")).toMatchObject({ setting: { profile: "upstream-5.19", files: { length: 7 } } });
});

it.each([
  ["", "settingForm"],
  ["enabled", "settingForm"],
  ["enabled=", "settingForm"],
  ["=always", "settingForm"],
  ["enabled=always,,64k=always", "settingForm"],
  ["enabeld=always", "unknownWordSuggest"],
  ["65k=always", "unknownWordSuggest"],
  ["colour=always", "unknownWord"],
  ["prctl=maybe", "prctl"],
  ["prctl=__proto__", "prctl"],
  ["release=9.9", "unknownRelease"],
  ["profile=mine", "unknownProfile"],
  ["x".repeat(500), "settingLong"],
])("refuses %s", (text, problem) => {
  const result = parseSetting(text);
  expect(result).toMatchObject({ kind: "bad", problem: { key: `conform.sweep.${problem}` } });
  if (result.kind === "bad") expect(conformMessagesEn).toHaveProperty([result.problem.key]);
});

it("whatever is typed is a setting or one sentence", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 500 }), (text) => {
      const result = parseSetting(text);
      if (result.kind === "bad") expect(conformMessagesEn).toHaveProperty([result.problem.key]);
    }),
  );
});

it("the same twice is one row", () => {
  expect(parseSettings(["enabled=always", "enabled=always "])).toHaveLength(1);
});
