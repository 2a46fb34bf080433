import { programExtension } from "../conform/program/programTools.ts";
import { say, sentence } from "../i18n/format.ts";
import { runAlone } from "../kernel/sched/points.ts";
import { failed } from "../kernel/mm/errno.ts";
import { Machine } from "../kernel/machine.ts";
import { ShellSession } from "../session/shellSession.ts";
import { parseCommandLine } from "./arguments.ts";
import { converse } from "./converse.ts";
import { exitStatus } from "./exitStatus.ts";
import { TypedAhead } from "./lineTerminal.ts";
import { chooseMachine, configRefusal, MACHINE_OPTIONS } from "./machineOptions.ts";
import { shippedPrograms } from "./shippedPrograms.ts";
import { writeOut } from "./writeOut.ts";

/** `hugelab shell [--profile P] [--release R] [--patch +ID] [--config K=V] [--arch A]` */
export async function run(args: string[]): Promise<number> {
  const parsed = parseCommandLine("shell", args, MACHINE_OPTIONS);
  if (parsed === null) return exitStatus.usage;
  if (parsed.positionals.length > 0) {
    process.stderr.write(`${say("cli.shell.noWords", { word: parsed.positionals[0].slice(0, 40) })}\n`);
    return exitStatus.usage;
  }
  const choice = chooseMachine("shell", parsed.values);
  if (typeof choice === "string") {
    process.stderr.write(`${choice}\n`);
    return exitStatus.usage;
  }
  // settings are tried on a machine of their own, so that a refused one is said before anything starts
  const { profile, patches, config } = choice;
  const machine = config.length > 0 ? new Machine({ profile, patches }) : null;
  for (const [path, value] of config) {
    const r = machine === null ? 0 : runAlone(machine.writeFile(path, value));
    if (machine === null || !failed(r)) continue;
    process.stderr.write(`${configRefusal("shell", path, value, r.errno, machine.filePaths())}\n`);
    return exitStatus.usage;
  }
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const ahead = isTerminal ? TypedAhead.open() : null;
  const session = new ShellSession({
    boot: { profile, patches },
    render: sentence,
    config,
    probe: ahead,
    extra: [programExtension(shippedPrograms(), sentence)],
  });
  if (isTerminal) await writeOut(`${say("cli.shell.welcome", { title: profile.title, memory: profile.memoryMiB })}\n`);
  await converse(session, isTerminal, () => [], ahead);
  ahead?.close();
  return 0;
}
