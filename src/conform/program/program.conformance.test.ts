import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findProfile } from "../../kernel/profile/profile.ts";
import { classify, readRows } from "../deviations.ts";
import { programDifferences } from "./programDeviations.ts";
import { compareProgram, isWithinShare } from "./compareProgram.ts";
import { readProgram } from "./readProgram.ts";
import { replayProgram } from "./replayProgram.ts";

const FOLDER = join(import.meta.dirname, "../../../conformance/programs");
const load = (name: string): string => readFileSync(join(FOLDER, `${name}.json`), "utf8");

/** Measured; a figure that falls is a rule that was lost. */
const RECORDED = [
  { name: "c-two-buffers", faults: 67, faultsAgree: 67, rss: 73, rssAgree: 73 },
  { name: "scripting-language", faults: 6159, faultsAgree: 6158, rss: 6256, rssAgree: 6249 },
  { name: "javascript-runtime", faults: 4887, faultsAgree: 4884, rss: 4991, rssAgree: 4955 },
  { name: "compiler", faults: 10087, faultsAgree: 10087, rss: 9943, rssAgree: 9941 },
] as const;

const listed = readRows(JSON.parse(readFileSync(join(import.meta.dirname, "../../../conformance/deviations/programs.json"), "utf8")));

describe("recorded programs", () => {
  it.each(RECORDED)("$name", ({ name, ...counts }) => {
    const result = readProgram(load(name));
    const profile = findProfile("vm-6.18.44");
    if (result.kind !== "program" || profile === undefined) throw new Error("no program");
    const verdict = compareProgram(result.program, replayProgram(result.program, profile));
    expect(verdict).toMatchObject(counts);
    expect(isWithinShare(result.program, verdict)).toBe(true);
    // each difference is listed, exactly, with its reason; and no row is stale
    const rows = listed.kind === "rows" ? listed.rows : [];
    const { unlisted, stale } = classify(name, programDifferences(verdict.differences), rows);
    expect({ unlisted, stale }).toEqual({ unlisted: [], stale: [] });
    // every call answers as recorded, and every difference has a reason
    expect(verdict.differences.filter((d) => d.kind === "call" || (d.kind === "rss" && d.reason === "unknown"))).toEqual([]);
  });

  it("the list names nothing else", () => {
    expect(listed.kind).toBe("rows");
    const names = new Set<string>(RECORDED.map(({ name }) => name));
    expect(listed.kind === "rows" ? listed.rows.filter((row) => !names.has(row.trace)) : []).toEqual([]);
  });
});
