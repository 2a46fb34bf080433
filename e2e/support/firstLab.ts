/** The first lab of the pack that ships, as its files have it: nothing about it is written twice. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./binaries.ts";

interface LabFile {
  readonly title: string;
  readonly checks: readonly { readonly id: string; readonly step: string; readonly objective: string }[];
  readonly predictions: readonly {
    readonly id: string;
    readonly step: string;
    readonly question: string;
    readonly choices: readonly { readonly text: string; readonly is: unknown }[];
  }[];
}

const folder = join(ROOT, "labs", "thp-basics", "labs", "01-first-fault");
export const FIRST_LAB = JSON.parse(readFileSync(join(folder, "lab.json"), "utf8")) as LabFile;
/** what solves it, line by line */
export const SOLUTION = readFileSync(join(folder, "solution.trace"), "utf8").trimEnd().split("\n");

/** Lines of the solution that end the first step: all up to the first touch. */
export const FIRST_STEP_LINES = SOLUTION.slice(0, SOLUTION.findIndex((line) => line.startsWith("touch")) + 1);
