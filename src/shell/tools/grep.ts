import { compilePattern } from "./pattern.ts";
import { count, failure, linesOfText, readInputs, splitOptions, textOfLines, type InputFile, type Tool, type ToolContext } from "./tool.ts";

interface Wanted {
  readonly test: (line: string) => boolean;
  readonly invert: boolean;
  readonly numbers: boolean;
  readonly counts: boolean;
  readonly before: number;
  readonly after: number;
  readonly prefix: boolean;
}

/** `grep [-ivncEFq] [-A N] [-B N] [-C N] PATTERN [FILE..]`. Status 0 a line matched, 1 none, 2 a mistake. */
export const grep: Tool = (args, stdin, context) => {
  const options = splitOptions(args, "ivncEFqhH", "ABCe");
  if (options.unknown !== null) return failure("shell.tool.option", { tool: "grep", option: options.unknown }, 2);
  const operands = [...options.operands];
  const source = options.values.get("e") ?? operands.shift();
  if (source === undefined) return failure("shell.tool.missingOperand", { tool: "grep", what: "PATTERN" }, 2);
  const around = count(options.values.get("C"), 0);
  const before = count(options.values.get("B"), around ?? 0);
  const after = count(options.values.get("A"), around ?? 0);
  if (around === null || before === null || after === null) return failure("shell.tool.number", { tool: "grep" }, 2);
  const ignoreCase = options.flags.has("i");
  const pattern = options.flags.has("F") ? fixed(source, ignoreCase) : compilePattern(source, { extended: options.flags.has("E"), ignoreCase });
  if (pattern.kind === "error") return { ...failure(pattern.key, { pattern: source }, 2) };
  const { inputs, errors } = readInputs("grep", operands, stdin, context);
  const wanted: Wanted = {
    test: pattern.test,
    invert: options.flags.has("v"),
    numbers: options.flags.has("n"),
    counts: options.flags.has("c"),
    before,
    after,
    prefix: options.flags.has("H") || (operands.length > 1 && !options.flags.has("h")),
  };
  const results = inputs.map((input) => search(input, wanted, context.pace));
  const matched = results.some((result) => result.matched > 0);
  const status = errors.length > 0 && !(matched && options.flags.has("q")) ? 2 : matched ? 0 : 1;
  return { stdout: options.flags.has("q") ? "" : textOfLines(results.flatMap((result) => result.lines)), errors, status };
};

function fixed(source: string, ignoreCase: boolean): { kind: "pattern"; test: (line: string) => boolean } {
  const text = ignoreCase ? source.toLowerCase() : source;
  return { kind: "pattern", test: (line) => (ignoreCase ? line.toLowerCase() : line).includes(text) };
}

function search(input: InputFile, wanted: Wanted, pace: ToolContext["pace"]): { matched: number; lines: string[] } {
  const lines = linesOfText(input.text, pace);
  const output: string[] = [];
  const name = input.name ?? "(standard input)";
  let matched = 0;
  let printedTo = -1;
  let contextUntil = -1;
  const print = (index: number, separator: ":" | "-"): void => {
    const number = wanted.numbers ? `${index + 1}${separator}` : "";
    output.push(`${wanted.prefix ? `${name}${separator}` : ""}${number}${lines[index]}`);
    printedTo = index;
  };
  for (const [index, line] of lines.entries()) {
    // a pattern is tried at every place of the line
    pace?.(1 + (line.length >>> 6));
    if (wanted.test(line) !== wanted.invert) {
      matched++;
      const from = Math.max(printedTo + 1, index - wanted.before);
      if (wanted.before + wanted.after > 0 && printedTo >= 0 && from > printedTo + 1) output.push("--");
      for (let i = from; i < index; i++) print(i, "-");
      print(index, ":");
      contextUntil = index + wanted.after;
    } else if (index <= contextUntil) print(index, "-");
  }
  if (wanted.counts) return { matched, lines: [`${wanted.prefix ? `${name}:` : ""}${matched}`] };
  return { matched, lines: output };
}
