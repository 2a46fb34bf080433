import {
  count,
  failure,
  linesOfText,
  readInputs,
  splitOptions,
  success,
  textOfLines,
  type Options,
  type Tool,
  type ToolContext,
  type ToolResult,
} from "./tool.ts";

/** Reads the inputs of a tool that treats them as one text; a file that cannot be read gives status 1. */
function overText(tool: string, operands: readonly string[], stdin: string, context: ToolContext, work: (text: string) => string): ToolResult {
  const { inputs, errors } = readInputs(tool, operands, stdin, context);
  // a file without a newline at its end must not run into the next one
  const text =
    inputs.length === 1 ? inputs[0].text : inputs.map((input) => (input.text === "" || input.text.endsWith("\n") ? input.text : `${input.text}\n`)).join("");
  return { stdout: work(text), errors, status: errors.length > 0 ? 1 : 0 };
}

function withOptions(tool: string, flags: string, valued: string, work: (options: Options, stdin: string, context: ToolContext) => ToolResult): Tool {
  return (args, stdin, context) => {
    const options = splitOptions(args, flags, valued);
    return options.unknown === null ? work(options, stdin, context) : failure("shell.tool.option", { tool, option: options.unknown });
  };
}

/** Headings between several files, as head and tail print them. */
function eachFile(tool: string, options: Options, stdin: string, context: ToolContext, work: (text: string) => string): ToolResult {
  const { inputs, errors } = readInputs(tool, options.operands, stdin, context);
  const parts = inputs.map((input) => (inputs.length > 1 ? `==> ${input.name ?? "standard input"} <==\n` : "") + work(input.text));
  return { stdout: parts.join(inputs.length > 1 ? "\n" : ""), errors, status: errors.length > 0 ? 1 : 0 };
}

const head = withOptions("head", "", "nc", (options, stdin, context) => {
  const bytes = options.values.get("c");
  const most = count(bytes ?? options.values.get("n"), 10);
  if (most === null) return failure("shell.tool.number", { tool: "head" });
  return eachFile("head", options, stdin, context, (text) =>
    bytes !== undefined ? text.slice(0, most) : textOfLines(linesOfText(text, context.pace).slice(0, most)),
  );
});

const tail = withOptions("tail", "", "nc", (options, stdin, context) => {
  const bytes = options.values.get("c");
  const value = bytes ?? options.values.get("n");
  const fromStart = value?.startsWith("+") === true;
  const number = count(fromStart ? value.slice(1) : value, 10);
  if (number === null) return failure("shell.tool.number", { tool: "tail" });
  const cut = <T extends string | string[]>(all: T): T =>
    (fromStart ? all.slice(Math.max(0, number - 1)) : number === 0 ? all.slice(all.length) : all.slice(-number)) as T;
  return eachFile("tail", options, stdin, context, (text) => (bytes !== undefined ? cut(text) : textOfLines(cut(linesOfText(text, context.pace)))));
});

const wc = withOptions("wc", "lwc", "", (options, stdin, context) => {
  const { inputs, errors } = readInputs("wc", options.operands, stdin, context);
  const all = options.flags.size === 0;
  const rows = inputs.map(({ name, text }) => {
    const lines = linesOfText(text, context.pace);
    const words = lines.reduce((total, line) => {
      context.pace?.(1 + (line.length >>> 6));
      return total + line.split(/\s+/).filter((word) => word !== "").length;
    }, 0);
    return { name: name ?? "", lines: lines.length - (text === "" || text.endsWith("\n") ? 0 : 1), words, bytes: text.length };
  });
  if (rows.length > 1) {
    const sum = (key: "lines" | "words" | "bytes"): number => rows.reduce((total, row) => total + row[key], 0);
    rows.push({ name: "total", lines: sum("lines"), words: sum("words"), bytes: sum("bytes") });
  }
  const columns = (["lines", "words", "bytes"] as const).filter((key) => all || options.flags.has(key === "bytes" ? "c" : key.charAt(0)));
  const width =
    columns.length === 1 && rows.length === 1
      ? 1
      : Math.max(rows.length === 1 && rows[0]?.name === "" ? 7 : 1, ...rows.flatMap((row) => columns.map((key) => String(row[key]).length)));
  const lines = rows.map((row) => `${columns.map((key) => String(row[key]).padStart(width)).join(" ")}${row.name === "" ? "" : ` ${row.name}`}`);
  return { stdout: textOfLines(lines), errors, status: errors.length > 0 ? 1 : 0 };
});

/** Order of bytes (LC_ALL=C), the same on every machine. */
function byteOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The number a line begins with, as sort -n reads it; 0 when there is none. */
function leadingNumber(text: string): number {
  return Number(/^\s*(-?\d*\.?\d*)/.exec(text.slice(0, 60))?.[1] ?? "0") || 0;
}

const sort = withOptions("sort", "nru", "kt", (options, stdin, context) => {
  const key = /^(\d{1,6})(?:,(\d{1,6}))?(n?)(r?)$/.exec(options.values.get("k") ?? "1");
  if (key === null || key[1] === "0") return failure("shell.tool.number", { tool: "sort" });
  const separator = options.values.get("t");
  const numeric = options.flags.has("n") || key[3] === "n";
  const turned = options.flags.has("r") || key[4] === "r";
  const field = (line: string): string => {
    if (!options.values.has("k")) return line;
    const fields = separator === undefined ? line.trimStart().split(/\s+/) : line.split(separator);
    return fields.slice(Number(key[1]) - 1, key[2] === undefined ? undefined : Number(key[2])).join(separator ?? " ");
  };
  return overText("sort", options.operands, stdin, context, (text) => {
    const rows = linesOfText(text, context.pace).map((line) => ({ line, key: field(line) }));
    const byKey = (a: { key: string }, b: { key: string }): number => {
      context.pace?.(1);
      return numeric ? leadingNumber(a.key) - leadingNumber(b.key) : byteOrder(a.key, b.key);
    };
    rows.sort((a, b) => (turned ? -1 : 1) * (byKey(a, b) || (options.flags.has("u") ? 0 : byteOrder(a.line, b.line))));
    const kept = options.flags.has("u") ? rows.filter((row, index) => index === 0 || byKey(row, rows[index - 1]) !== 0) : rows;
    return textOfLines(kept.map((row) => row.line));
  });
});

const uniq = withOptions("uniq", "cdu", "", (options, stdin, context) =>
  overText("uniq", options.operands.slice(0, 1), stdin, context, (text) => {
    const runs: { line: string; times: number }[] = [];
    for (const line of linesOfText(text, context.pace)) {
      context.pace?.(1);
      const last = runs[runs.length - 1];
      if (last?.line === line) last.times++;
      else runs.push({ line, times: 1 });
    }
    const kept = runs.filter((run) => (!options.flags.has("d") || run.times > 1) && (!options.flags.has("u") || run.times === 1));
    return textOfLines(kept.map((run) => (options.flags.has("c") ? `${String(run.times).padStart(7)} ${run.line}` : run.line)));
  }),
);

/** `1,3-5,7-` as a test of positions from 1; null when it is no list. */
function positions(list: string): ((position: number) => boolean) | null {
  const ranges: (readonly [number, number])[] = [];
  for (const part of list.split(",")) {
    const found = /^(\d{0,9})(-?)(\d{0,9})$/.exec(part);
    if (found === null || (found[1] === "" && found[3] === "") || found[1] === "0") return null;
    const low = found[1] === "" ? 1 : Number(found[1]);
    const high = found[2] === "" ? low : found[3] === "" ? Infinity : Number(found[3]);
    if (high < low) return null;
    ranges.push([low, high]);
  }
  return (position) => ranges.some(([low, high]) => position >= low && position <= high);
}

const cut = withOptions("cut", "s", "dfc", (options, stdin, context) => {
  const fields = options.values.get("f");
  const chosen = positions(fields ?? options.values.get("c") ?? "");
  const delimiter = options.values.get("d") ?? "\t";
  if (chosen === null || delimiter.length !== 1) return failure("shell.tool.list", { tool: "cut" });
  return overText("cut", options.operands, stdin, context, (text) => {
    const lines: string[] = [];
    for (const line of linesOfText(text, context.pace)) {
      context.pace?.(1 + (line.length >>> 6));
      if (fields === undefined) lines.push([...line].filter((_, index) => chosen(index + 1)).join(""));
      else if (line.includes(delimiter))
        lines.push(
          line
            .split(delimiter)
            .filter((_, index) => chosen(index + 1))
            .join(delimiter),
        );
      else if (!options.flags.has("s")) lines.push(line);
    }
    return textOfLines(lines);
  });
});

const TR_CLASSES: Readonly<Record<string, string>> = {
  "[:upper:]": "A-Z",
  "[:lower:]": "a-z",
  "[:digit:]": "0-9",
  "[:space:]": " \t\n\r\v\f",
  "[:blank:]": " \t",
  "[:alpha:]": "A-Za-z",
  "[:alnum:]": "0-9A-Za-z",
};

/** The characters of a set of tr: ranges, classes and \n \t resolved. */
function trSet(source: string): string[] {
  const plain = source
    .replace(/\[:\w+:\]/g, (name) => TR_CLASSES[name] ?? name)
    .replace(/\\([nt\\])/g, (_, letter: string) => (letter === "n" ? "\n" : letter === "t" ? "\t" : "\\"));
  const set: string[] = [];
  for (let i = 0; i < plain.length; i++) {
    const high = plain[i + 1] === "-" && i + 2 < plain.length ? plain.charCodeAt(i + 2) : null;
    if (high === null) set.push(plain[i]);
    else {
      // bounded to bytes, as tr is
      for (let code = plain.charCodeAt(i); code <= Math.min(high, 255); code++) set.push(String.fromCharCode(code));
      i += 2;
    }
  }
  return set;
}

const tr = withOptions("tr", "ds", "", (options, stdin, context) => {
  const [first, second] = options.operands;
  const deletes = options.flags.has("d");
  const squeezes = options.flags.has("s");
  if (first === undefined || (second === undefined && !deletes && !squeezes)) return failure("shell.tool.missingOperand", { tool: "tr", what: "SET" });
  const from = trSet(first);
  const to = second === undefined || deletes ? [] : trSet(second);
  const map = new Map(from.map((character, index) => [character, to.length === 0 ? character : to[Math.min(index, to.length - 1)]] as const));
  const squeezed = new Set(to.length > 0 ? to : from);
  const output: string[] = [];
  let last = "";
  let taken = 0;
  for (const character of stdin) {
    if (++taken % 64 === 0) context.pace?.(4);
    if (deletes && map.has(character)) continue;
    const next = map.get(character) ?? character;
    if (squeezes && next === last && squeezed.has(next)) continue;
    output.push(next);
    last = next;
  }
  return success(output.join(""));
});

const cat = withOptions("cat", "nu", "", (options, stdin, context) => {
  const { inputs, errors } = readInputs("cat", options.operands, stdin, context);
  const text = inputs.map((input) => input.text).join("");
  const stdout = options.flags.has("n") ? textOfLines(linesOfText(text, context.pace).map((line, index) => `${String(index + 1).padStart(6)}\t${line}`)) : text;
  return { stdout, errors, status: errors.length > 0 ? 1 : 0 };
});

const echo: Tool = (args) => {
  const quiet = args[0] === "-n";
  return success(args.slice(quiet ? 1 : 0).join(" ") + (quiet ? "" : "\n"));
};

/** Tools that read and make text. */
export const TEXT_TOOLS: Readonly<Record<string, Tool>> = {
  cat,
  echo,
  head,
  tail,
  wc,
  sort,
  uniq,
  cut,
  tr,
  true: () => success(""),
  false: () => ({ stdout: "", errors: [], status: 1 }),
};
