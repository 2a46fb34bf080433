import { realpathSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { say } from "../i18n/format.ts";
import { closest } from "../shell/editDistance.ts";
import { commands, laterCommands, type Command, type CommandName } from "./commands.ts";
import { exitStatus } from "./exitStatus.ts";
import { shown } from "./shown.ts";

/** What every file of a subcommand exports: arguments in, exit status out. */
interface CommandModule {
  readonly run: (args: string[]) => Promise<number>;
}

/** Each is loaded only when it is called: `run` must not pay for the others. */
const loaders: Readonly<Record<CommandName, () => Promise<CommandModule>>> = {
  run: () => import("./run.ts"),
  shell: () => import("./shell.ts"),
  conform: () => import("./conform.ts"),
  verify: () => import("./verify.ts"),
  "fuzz-kernel": () => import("./fuzzKernel.ts"),
  explore: () => import("./explore.ts"),
  bisect: () => import("./bisect.ts"),
  program: () => import("./program.ts"),
  sweep: () => import("./sweep.ts"),
  import: () => import("./import.ts"),
  lab: () => import("./lab.ts"),
  serve: () => import("./serve.ts"),
  fidelity: () => import("./fidelity.ts"),
  doctor: () => import("./doctor.ts"),
};

function generalHelp(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const rows = commands.map((command) => `  ${command.name.padEnd(width)}  ${say(command.summary)}`);
  return [
    say("cli.usageHead"),
    say("cli.usageLine"),
    "",
    ...rows,
    "",
    say("cli.usageLater", { commands: laterCommands.join(", ") }),
    say("cli.usageTail"),
    "",
  ].join("\n");
}

function helpOf(command: Command): string {
  return [
    `hugelab ${command.name}: ${say(command.summary)}`,
    say("cli.usageOf", { usage: command.usage }),
    say("cli.usageStatus", { status: say(command.status) }),
    "",
  ].join("\n");
}

/** Whether help is asked for: a `--help` or `-h` before any `--`. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).some((word) => word === "--help" || word === "-h");
}

function refuse(name: string): number {
  if (laterCommands.includes(name)) {
    process.stderr.write(say("cli.later", { name }) + "\n");
    return exitStatus.unavailable;
  }
  const suggestion = closest(name, [...commands.map((command) => command.name), ...laterCommands]);
  const text = suggestion === null ? say("cli.unknownCommand", { name: shown(name) }) : say("cli.unknownCommandSuggest", { name: shown(name), suggestion });
  process.stderr.write(text + "\n");
  return exitStatus.usage;
}

/** The hugelab command: arguments in, exit status out. Subcommands are loaded only when called, so that each starts as fast as it can. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    process.stderr.write(generalHelp());
    return exitStatus.usage;
  }
  if (name === "--help" || name === "-h" || (name === "help" && rest.length === 0)) {
    process.stdout.write(generalHelp());
    return 0;
  }
  if (name === "help") return main([...rest, "--help"]);
  const command = commands.find((one) => one.name === name);
  if (command === undefined) return refuse(name);
  if (asksForHelp(rest)) {
    process.stdout.write(helpOf(command));
    return 0;
  }
  const { run } = await loaders[command.name]();
  return run(rest);
}

/** `hugelab run X | head -1`: the reader has gone, there is nobody left to tell anything. */
function endQuietlyOnBrokenPipe(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(exitStatus.brokenPipe);
  });
}

function isStartedDirectly(): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(import.meta.url);
}

if (isStartedDirectly()) {
  // Stripping types and compiling is most of a short command's time; the second start takes a third of it. Inside Hugelab's folder, where
  // nobody else can plant code; where that cannot be written Node goes on without.
  enableCompileCache(fileURLToPath(new URL("../../node_modules/.cache/hugelab", import.meta.url)));
  endQuietlyOnBrokenPipe(process.stdout);
  endQuietlyOnBrokenPipe(process.stderr);
  try {
    // not process.exit: what was written to a pipe has to arrive first
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${say("cli.internal", { name: shown(process.argv[2] ?? "") })}\n${text}\n`);
    process.exitCode = exitStatus.internal;
  }
}
