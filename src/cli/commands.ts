import type { PlainKey } from "../i18n/format.ts";

export type CommandName =
  "run" | "shell" | "conform" | "verify" | "fuzz-kernel" | "explore" | "bisect" | "program" | "sweep" | "import" | "lab" | "serve" | "fidelity" | "doctor";

export interface Command {
  readonly name: CommandName;
  readonly usage: string;
  readonly summary: PlainKey;
  readonly status: PlainKey;
}

export const commands: readonly Command[] = [
  {
    name: "run",
    usage: "bin/hugelab run [--profile P] [--release R] [--patch +ID] [--config K=V] [--arch A] [--json] FILE or -",
    summary: "cli.run.summary",
    status: "cli.run.status",
  },
  {
    name: "shell",
    usage: "bin/hugelab shell [--profile P] [--release R] [--patch +ID] [--config K=V] [--arch A]",
    summary: "cli.shell.summary",
    status: "cli.shell.status",
  },
  { name: "conform", usage: "bin/hugelab conform PATH...", summary: "cli.conform.summary", status: "cli.conform.status" },
  { name: "verify", usage: "bin/hugelab verify FILE", summary: "cli.verify.summary", status: "cli.verify.status" },
  {
    name: "fuzz-kernel",
    usage: "bin/hugelab fuzz-kernel [--seed N] [--count N] [--area A]",
    summary: "cli.fuzzKernel.summary",
    status: "cli.fuzzKernel.status",
  },
  {
    name: "explore",
    usage: "bin/hugelab explore [--profile P] [--release R] [--patch +ID or -ID] [--arch A] [--bound N] [--json] FILE or -",
    summary: "cli.explore.summary",
    status: "cli.explore.status",
  },
  {
    name: "bisect",
    usage: "bin/hugelab bisect [--good R] [--bad R] [--observe OP:FIELD] [--config K=V] [--json] FILE or -",
    summary: "cli.bisect.summary",
    status: "cli.bisect.status",
  },
  {
    name: "program",
    usage: "bin/hugelab program [--profile P] [--release R] [--patch +ID] [--config K=V] [-v] FILE",
    summary: "cli.program.summary",
    status: "cli.program.status",
  },
  {
    name: "sweep",
    usage:
      "bin/hugelab sweep [--setting NAME=VALUE,...]... [--settings FILE] [--baseline SETTING] [--sort [-]COLUMN] [--why SETTING] [--json or --csv] [--profile P] [--release R] [--patch +ID] [--config K=V] FILE",
    summary: "cli.sweep.summary",
    status: "cli.sweep.status",
  },
  {
    name: "import",
    usage: "bin/hugelab import maps|smaps FILE, import perf [--name N] [--thp MODE] [--kernel R] FILE",
    summary: "cli.import.summary",
    status: "cli.import.status",
  },
  { name: "lab", usage: "bin/hugelab lab list, lab run ID, lab check PACK...", summary: "cli.lab.summary", status: "cli.lab.status" },
  { name: "serve", usage: "bin/hugelab serve [--port N] [--no-open]", summary: "cli.serve.summary", status: "cli.serve.status" },
  { name: "fidelity", usage: "bin/hugelab fidelity", summary: "cli.fidelity.summary", status: "cli.fidelity.status" },
  { name: "doctor", usage: "bin/hugelab doctor", summary: "cli.doctor.summary", status: "cli.doctor.status" },
];

/** Part of the command's interface (DESIGN.md section 8), not there yet: scripts that call them get a clear answer. */
export const laterCommands: readonly string[] = ["pack", "grade"];
