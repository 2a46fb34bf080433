import { parseArgs, type ParseArgsConfig } from "node:util";
import { say } from "../i18n/format.ts";
import { closest } from "../shell/editDistance.ts";
import { commands } from "./commands.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<T extends Options> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>>;

function writeProblem(command: string, options: Options, error: unknown): void {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const text = error instanceof Error ? error.message : "";
  // parseArgs names the option in its sentence only: 'Unknown option '--seeed'. ...', 'Option '--seed <value>' ...'
  const option = /'(?:-\w, )?(-[^' ]*)/.exec(text)?.[1] ?? "";
  const usage = commands.find((one) => one.name === command)?.usage ?? "";
  let sentence = text;
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const near = closest(option.replace(/^-+/, "").split("=")[0], Object.keys(options));
    sentence = near === null ? say("cli.unknownOption", { command, option }) : say("cli.unknownOptionSuggest", { command, option, suggestion: `--${near}` });
  } else if (code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE") {
    const takesValue = options[option.replace(/^-+/, "")]?.type === "string";
    sentence = takesValue ? say("cli.optionNeedsValue", { command, option, usage }) : say("cli.optionTakesNoValue", { command, option });
  }
  process.stderr.write(sentence + "\n");
}

/** `--patch -ID` and `--sort -COLUMN`: a value and no option; parseArgs takes it only as one word. */
const joinValues = (args: readonly string[]): string[] => {
  const out: string[] = [];
  for (const word of args) {
    const before = out[out.length - 1];
    if ((before === "--patch" || before === "--sort") && /^-[^-]/.test(word)) out[out.length - 1] = `${before}=${word}`;
    else out.push(word);
  }
  return out;
};

/**
 * Options and other words of a subcommand's line, in any order; `-` is a word, `--` ends the options.
 * Null when the line makes no sense: the sentence is on stderr and the exit status is 2.
 */
export function parseCommandLine<T extends Options>(command: string, args: string[], options: T): Parsed<T> | null {
  try {
    return parseArgs({ args: joinValues(args), options, allowPositionals: true, strict: true });
  } catch (error) {
    writeProblem(command, options, error);
    return null;
  }
}
