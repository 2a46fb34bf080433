import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseLine } from "./parseLine.ts";
import { parseScript } from "./parseScript.ts";
import { printOperation } from "./printOperation.ts";

/** The corpus as it was copied into the project, or the shared one beside it. */
const places = [join(import.meta.dirname, "../../../conformance"), join(import.meta.dirname, "../../../../shared/conformance")];
const place = places.find((path) => existsSync(join(path, "traces")));
const traces = place === undefined ? [] : globSync("{traces,random}/*/*.json", { cwd: place }).sort();
const scripts = place === undefined ? [] : globSync("recorder/scripts*/*.txt", { cwd: place }).sort();

it.skipIf(traces.length === 0)("parses every recorded script, and its operations have the texts the recorder printed", () => {
  for (const file of traces) {
    const trace = JSON.parse(readFileSync(join(place!, file), "utf8")) as { source: string; steps: { op: string }[] };
    const { operations, errors } = parseScript(trace.source);
    expect(errors, file).toEqual([]);
    expect(
      operations.map((operation) => operation.text),
      file,
    ).toEqual(trace.steps.map((step) => step.op));
    for (const operation of operations) {
      const again = parseLine(printOperation(operation), operation.line);
      expect(again, `${file}: ${operation.text}`).toMatchObject({ kind: "operation", operation: { process: operation.process, body: operation.body } });
    }
  }
});

it.skipIf(scripts.length === 0)("parses every script of the recorder", () => {
  for (const file of scripts) expect(parseScript(readFileSync(join(place!, file), "utf8")).errors, file).toEqual([]);
});
