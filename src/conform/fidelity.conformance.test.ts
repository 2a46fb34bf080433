import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { TARGET } from "../../tools/measureFidelity.mjs";
import { areaOf, readFidelity } from "./fidelity.ts";

const committed = readFileSync(TARGET, "utf8");

it("counts every trace in an area that has a name, and says nothing is perfect that is not", () => {
  const fidelity = readFidelity(JSON.parse(committed));
  expect(fidelity?.rows.length).toBeGreaterThan(5);
  for (const { area, observations, agreeing, listed, traces } of fidelity?.rows ?? []) {
    expect(area).not.toBe("other");
    expect(traces).toBeGreaterThan(0);
    expect(observations).toBeGreaterThan(0);
    // the corpus test refuses what is neither
    expect(agreeing + listed).toBe(observations);
  }
});

it("knows the areas of the recorder's scripts", () => {
  expect(
    ["01_thp_fault_matrix", "08_khugepaged_limits", "21_uffd_wp_collapse", "38_hugetlb_pmd_share", "anon-777-0003", "27_mremap_thp", "strange"].map(areaOf),
  ).toEqual(["thp", "collapse", "userfaultfd", "hugetlb", "random", "calls", "other"]);
});

it("refuses a file that is none", () => {
  for (const content of [null, 3, [], {}, { behaviour: "1", rows: [{}], deviations: [] }, { behaviour: 1, rows: [], deviations: [] }]) {
    expect(readFidelity(content)).toBeNull();
  }
});
