import { importText } from "../../conform/import/importText.ts";
import { mapsScript } from "../../conform/import/mapsScript.ts";
import { reportProgram } from "../../conform/program/programReport.ts";
import { profileFor } from "../../conform/program/programProfile.ts";
import { readProgram, type Program } from "../../conform/program/readProgram.ts";
import { SettingRefused } from "../../conform/program/replayProgram.ts";
import { defaultSettings } from "../../conform/sweep/defaultSettings.ts";
import { SweepStopped } from "../../conform/sweep/measure.ts";
import { parseSettings, type SweepSetting } from "../../conform/sweep/setting.ts";
import { Sweep, type JobResult, type SweepJob } from "../../conform/sweep/sweepProgram.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { CallRefusal } from "./callRefusal.ts";
import { programView } from "./programView.ts";
import type { DescribedProgram, ImportedText, ProgramResults, ProgramTask } from "./protocol.ts";
import { sweepView } from "./sweepView.ts";
import type { WorkWatch } from "./workWatch.ts";

interface RunningSweep {
  readonly sweep: Sweep;
  readonly jobs: readonly SweepJob[];
  readonly results: Map<SweepJob, JobResult>;
}

/** Sweeps that are kept at once; of more, the oldest is forgotten. */
const SWEEPS_MAX = 2;

/** What the engine does with recorded programs: replays and sweeps, task by task. Machines of learners are not touched. */
export class ProgramWork {
  readonly #render: RenderMessage;
  readonly #watch: WorkWatch;
  readonly #sweeps = new Map<number, RunningSweep>();

  constructor(render: RenderMessage, watch: WorkWatch) {
    this.#render = render;
    this.#watch = watch;
  }

  /** @throws CallRefusal for what makes no sense */
  do(handle: number, task: ProgramTask): ProgramResults[ProgramTask["kind"]] {
    switch (task.kind) {
      case "describe":
        return task.programs.flatMap(({ id, text }): DescribedProgram[] => {
          const result = readProgram(text);
          return result.kind === "program" ? [{ id, ...describe(result.program) }] : [];
        });
      case "import":
        return this.#import(task.name, task.text);
      case "replay":
        return this.#replay(task);
      case "sweepBegin":
        return this.#begin(handle, task);
      case "sweepRun":
        return this.#run(handle, task.job);
      case "sweepEnd": {
        const { sweep, results } = this.#find(handle);
        this.#sweeps.delete(handle);
        return sweepView(sweep.table(results), this.#render);
      }
    }
  }

  #import(name: string, text: string): ImportedText {
    const result = importText(text);
    if (result.kind === "bad") {
      const { line, what } = result.problem;
      const said = this.#render(what);
      throw new CallRefusal("refused", line === 0 ? "host.program.notImported" : "host.program.badLine", { name: name.slice(0, 80), line, what: said });
    }
    const { value } = result;
    if (value.form === "program") return { kind: "program", program: describe(value.program), text: value.json };
    const { lines, unknown, mappings } = mapsScript(value.maps);
    return { kind: "script", form: value.maps.form, mappings, lines, unknown: unknown.map(this.#render) };
  }

  #replay({ text, profile, settings }: Extract<ProgramTask, { kind: "replay" }>): ProgramResults["replay"] {
    const program = this.#program(text);
    const setting = settings === "" ? null : this.#settings([settings])[0];
    const machine = this.#profile(program, setting?.profile ?? profile);
    const options = setting === null ? {} : { config: setting.files, thpDisable: setting.thpDisable };
    const report = this.#refusing(() => reportProgram(program, machine, options, this.#look()));
    return report === null ? null : programView(report, this.#render);
  }

  #begin(handle: number, { text, profile, settings }: Extract<ProgramTask, { kind: "sweepBegin" }>): ProgramResults["sweepBegin"] {
    const program = this.#program(text);
    const machine = this.#profile(program, profile);
    const rows = settings.length === 0 ? defaultSettings(machine, program) : this.#settings(settings);
    for (const old of [...this.#sweeps.keys()].slice(0, Math.max(0, this.#sweeps.size + 1 - SWEEPS_MAX))) this.#sweeps.delete(old);
    try {
      const sweep = this.#refusing(() => new Sweep(program, { profile: machine, patches: [], config: [], settings: rows }, this.#look()));
      const jobs = sweep.jobs();
      this.#sweeps.set(handle, { sweep, jobs, results: new Map() });
      return { jobs: jobs.length };
    } catch (error) {
      if (error instanceof SweepStopped) return null;
      throw error;
    }
  }

  #run(handle: number, at: number): boolean {
    const { sweep, jobs, results } = this.#find(handle);
    const job = jobs.at(at);
    if (job === undefined) throw new CallRefusal("notFound", "host.program.noSweep");
    try {
      results.set(job, sweep.run(job, this.#look()));
      return true;
    } catch (error) {
      if (error instanceof SweepStopped) return false;
      throw error;
    }
  }

  #find(handle: number): RunningSweep {
    const found = this.#sweeps.get(handle);
    if (found === undefined) throw new CallRefusal("notFound", "host.program.noSweep");
    return found;
  }

  #program(text: string): Program {
    const result = readProgram(text);
    if (result.kind === "bad") throw new CallRefusal("refused", "host.program.notARecording");
    return result.program;
  }

  #profile(program: Program, id: string | null): Profile {
    const profile = findProfile(id ?? profileFor(program.kernel));
    if (profile === undefined) throw new CallRefusal("notFound", "host.call.noProfile", { profile: id ?? "" });
    return profile;
  }

  #settings(texts: readonly string[]): readonly SweepSetting[] {
    const settings = parseSettings(texts);
    if ("key" in settings) throw new CallRefusal("refused", settings.key, settings.args);
    return settings;
  }

  /** Counts on while events are done, and looks whether to stop. */
  #look(): (events: number) => boolean {
    let done = 0;
    return (events) => {
      done += events;
      this.#watch.progress(done);
      return !this.#watch.stop();
    };
  }

  #refusing<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof SettingRefused)) throw error;
      throw new CallRefusal("refused", "conform.sweep.refused", { path: error.path, value: error.value.slice(0, 60), errno: error.errno });
    }
  }
}

const describe = ({ name, what, kernel, thpEnabled, events }: Program): Omit<DescribedProgram, "id"> => ({
  name: name.slice(0, 80),
  what: what.slice(0, 200),
  kernel: kernel.slice(0, 40),
  thpEnabled: thpEnabled.slice(0, 20),
  faults: events.filter((e) => e.kind === "pf").length,
});
