import type { Message } from "../../kernel/message.ts";
import { findProfile } from "../../kernel/profile/profile.ts";
import type { SessionExtension } from "../../session/shellSession.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { arg, optional, repeated, row, words } from "../../shell/table/rowHelpers.ts";
import { failure, readInputs, success, textOfLines, type Tool, type ToolContext, type ToolResult } from "../../shell/tools/tool.ts";
import { importText } from "../import/importText.ts";
import { mapsScript } from "../import/mapsScript.ts";
import { conformManEn } from "../man.en.ts";
import { defaultSettings } from "../sweep/defaultSettings.ts";
import { parseSettings, SETTING_WORDS } from "../sweep/setting.ts";
import { Sweep, type JobResult, type SweepJob } from "../sweep/sweepProgram.ts";
import { sweepLines } from "../sweep/sweepText.ts";
import { profileFor } from "./programProfile.ts";
import { reportProgram } from "./programReport.ts";
import { programLines } from "./programText.ts";
import { readProgram, type Program } from "./readProgram.ts";
import { SettingRefused } from "./replayProgram.ts";

/** Recordings that a session can replay, by name. */
export interface ProgramSource {
  readonly names: readonly string[];
  /** the recording's file; null: there is none of that name */
  text(name: string): string | null;
}

/** work that an event of a replay counts for, against accesses of the learner's own */
const EVENT_WORK = 16;

/** `program`, `sweep` and `import` in the terminal. They work on machines of their own: the learner's stays as it is. */
export function programExtension(source: ProgramSource, render: RenderMessage): SessionExtension {
  const setting = repeated(
    words(
      "NAME=VALUE,...",
      SETTING_WORDS.map((word) => `${word}=`),
      "flags",
    ),
  );
  const name = words("PROGRAM", source.names);
  return {
    rows: [
      row(
        "tool",
        "program",
        [
          optional(name),
          optional(
            words(
              "NAME=VALUE,...",
              SETTING_WORDS.map((word) => `${word}=`),
              "flags",
            ),
          ),
        ],
        { seeAlso: ["sweep", "fidelity"] },
      ),
      row("tool", "sweep", [name, optional(setting)], { seeAlso: ["program", "compare"] }),
      row("tool", "import", [optional(arg("PATH", "path"))], { seeAlso: ["program", "describe"] }),
    ],
    tools: { program: programTool(source, render), sweep: sweepTool(source, render), import: importTool(render) },
    man: conformManEn,
  };
}

/** Looks as often as a line of the learner's does. @throws Stopped */
const lookOf =
  ({ pace }: ToolContext) =>
  (events: number): boolean => {
    pace?.(events * EVENT_WORK);
    return true;
  };

function programOf(tool: string, source: ProgramSource, name: string): Program | ToolResult {
  const text = source.text(name);
  const result = text === null ? null : readProgram(text);
  if (result?.kind === "program") return result.program;
  return failure("conform.tool.noProgram", { tool, name: name.slice(0, 40), known: source.names.join(", ") });
}

/** What a replay throws when the machine does not take a setting, as the tool's failure. */
function refusing(work: () => ToolResult): ToolResult {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SettingRefused)) throw error;
    return failure("conform.sweep.refused", { path: error.path, value: error.value.slice(0, 60), errno: error.errno });
  }
}

const bad = (problem: Message): ToolResult => failure(problem.key, problem.args, 2);

function programTool(source: ProgramSource, render: RenderMessage): Tool {
  return (args, _stdin, context) => {
    const [name, text, extra] = args;
    if (name === undefined) return success(textOfLines(listLines(source)));
    if (extra !== undefined) return failure("conform.tool.extra", { tool: "program", word: extra.slice(0, 40) }, 2);
    const program = programOf("program", source, name);
    if ("stdout" in program) return program;
    const settings = parseSettings(text === undefined ? [] : [text]);
    if ("key" in settings) return bad(settings);
    const [setting] = settings;
    const profile = findProfile(setting?.profile ?? profileFor(program.kernel));
    if (profile === undefined) return failure("conform.tool.noProfile", {});
    const options = setting === undefined ? {} : { config: setting.files, thpDisable: setting.thpDisable };
    return refusing(() => {
      const report = reportProgram(program, profile, options, lookOf(context));
      return success(report === null ? "" : textOfLines(programLines(report, render)));
    });
  };
}

function listLines(source: ProgramSource): string[] {
  return source.names.flatMap((name) => {
    const result = readProgram(source.text(name) ?? "");
    return result.kind === "program" ? [`${name}  ${result.program.what}`] : [];
  });
}

function sweepTool(source: ProgramSource, render: RenderMessage): Tool {
  return (args, _stdin, context) => {
    const [name, ...texts] = args;
    if (name === undefined) return failure("conform.tool.sweepUsage", { known: source.names.join(", ") }, 2);
    const program = programOf("sweep", source, name);
    if ("stdout" in program) return program;
    const named = parseSettings(texts);
    if ("key" in named) return bad(named);
    const profile = findProfile(profileFor(program.kernel));
    if (profile === undefined) return failure("conform.tool.noProfile", {});
    const settings = named.length > 0 ? named : defaultSettings(profile, program);
    return refusing(() => {
      const look = lookOf(context);
      const sweep = new Sweep(program, { profile, patches: [], config: [], settings }, look);
      const results = new Map<SweepJob, JobResult>();
      for (const job of sweep.jobs()) results.set(job, sweep.run(job, look));
      return success(textOfLines(sweepLines(sweep.table(results), { sort: null, baseline: null, render })));
    });
  };
}

/** A dump of mappings, of a file of the machine or from a pipe, as a script. */
function importTool(render: RenderMessage): Tool {
  return (args, stdin, context) => {
    const { inputs, errors } = readInputs("import", args.slice(0, 1), stdin, context);
    if (errors.length > 0 || inputs.length === 0) return { stdout: "", errors, status: 1 };
    const result = importText(inputs[0].text);
    if (result.kind === "bad") {
      const { line, what } = result.problem;
      return failure("conform.tool.badLine", { name: inputs[0].name ?? "-", line, what: render(what) }, 2);
    }
    if (result.value.form === "program") return failure("conform.tool.notMappings", {}, 2);
    const { lines, unknown } = mapsScript(result.value.maps);
    return success(textOfLines([...unknown.map((what) => `# ${render(what)}`), ...lines]));
  };
}
