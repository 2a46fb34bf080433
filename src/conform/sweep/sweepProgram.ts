import type { Message } from "../../kernel/message.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import type { SweepMeasures, SweepRow, SweepTable } from "../model.ts";
import type { Program } from "../program/readProgram.ts";
import { prepareProgram, SettingRefused, type PreparedProgram } from "../program/replayProgram.ts";
import { measureReplay, type HiddenPages, type Look } from "./measure.ts";
import type { SweepSetting } from "./setting.ts";

/** A replay that a sweep has to do: which row, and whether with the pages that the recording hides. */
export interface SweepJob {
  readonly row: number;
  readonly withHidden: boolean;
}

export interface SweepPlan {
  readonly profile: Profile;
  readonly patches: readonly string[];
  /** kernel files that are written before those of each row */
  readonly config: readonly (readonly [path: string, value: string])[];
  readonly settings: readonly SweepSetting[];
}

/** What one job came to. */
export type JobResult = { readonly kind: "measured"; readonly measures: SweepMeasures } | { readonly kind: "refused"; readonly problem: Message };

/** The recording as it was, first of all rows. */
const AS_RECORDED: SweepSetting = { label: "as recorded", profile: null, files: [], thpDisable: 0 };

/** One sweep: what each row is, and what has to be replayed for it. Jobs can be done in any order, and elsewhere. */
export class Sweep {
  readonly program: Program;
  readonly settings: readonly SweepSetting[];
  readonly #plan: SweepPlan;
  readonly #prepared: PreparedProgram;
  readonly #hidden: HiddenPages;
  readonly #baseline: SweepMeasures;

  /** Replays the recording as it was. @throws SettingRefused, SweepStopped */
  constructor(program: Program, plan: SweepPlan, look: Look = () => true) {
    this.program = program;
    this.#plan = plan;
    this.settings = [AS_RECORDED, ...plan.settings];
    this.#prepared = prepareProgram(program);
    const { measures, hidden } = measureReplay(this.#prepared, plan.profile, { patches: plan.patches, config: plan.config }, null, look);
    this.#baseline = measures;
    this.#hidden = hidden;
  }

  get hiddenPages(): number {
    let pages = 0;
    for (const { start, end } of this.#hidden.values()) pages += end - start - 1;
    return pages;
  }

  /** All that is left to do. */
  jobs(): readonly SweepJob[] {
    const all = this.settings.flatMap((_, row): SweepJob[] => [
      { row, withHidden: false },
      { row, withHidden: true },
    ]);
    return all.filter((job) => (job.withHidden ? this.#hidden.size > 0 : job.row > 0));
  }

  /** @throws SweepStopped */
  run({ row, withHidden }: SweepJob, look: Look = () => true): JobResult {
    const setting = this.settings[row];
    const options = { patches: this.#plan.patches, config: [...this.#plan.config, ...setting.files], thpDisable: setting.thpDisable };
    try {
      const { measures } = measureReplay(this.#prepared, this.#profileOf(setting), options, withHidden ? this.#hidden : NOTHING, look);
      return { kind: "measured", measures };
    } catch (error) {
      if (!(error instanceof SettingRefused)) throw error;
      const { path, value, errno } = error;
      return { kind: "refused", problem: { key: "conform.sweep.refused", args: { path, value: value.slice(0, 60), errno } } };
    }
  }

  /** `results`: by row, without and with the hidden pages, as far as there are any. */
  table(results: ReadonlyMap<SweepJob, JobResult>): SweepTable {
    const found = (row: number, withHidden: boolean): JobResult | undefined =>
      [...results].find(([job]) => job.row === row && job.withHidden === withHidden)?.[1];
    const measuresOf = (result: JobResult | undefined): SweepMeasures | null => (result?.kind === "measured" ? result.measures : null);
    const rows = this.settings.map((setting, row): SweepRow => {
      const first = found(row, false);
      const least = row === 0 ? this.#baseline : measuresOf(first);
      const refused = first?.kind === "refused" ? first.problem : null;
      const { label, files } = setting;
      return { label, profile: this.#profileOf(setting).id, files, isBaseline: row === 0, refused, least, most: measuresOf(found(row, true)) };
    });
    const { name, what, kernel, thpEnabled } = this.program;
    return {
      program: name,
      what,
      kernel,
      thpEnabled,
      faults: this.program.events.filter((e) => e.kind === "pf").length,
      hiddenPages: this.hiddenPages,
      rows,
      notes: this.#notes(),
    };
  }

  #profileOf(setting: SweepSetting): Profile {
    return (setting.profile === null ? undefined : findProfile(setting.profile)) ?? this.#plan.profile;
  }

  #notes(): Message[] {
    const note = (name: string, args: Message["args"] = {}): Message => ({ key: `conform.sweep.note.${name}`, args });
    const notes = [
      this.hiddenPages > 0 ? note("hidden", { pages: this.hiddenPages }) : note("nothingHidden"),
      note("samePages"),
      note("places"),
      note("noDaemon"),
    ];
    if (this.settings.some((s) => s.files.some(([path]) => path.endsWith("/defrag")))) notes.push(note("defrag"));
    if (this.settings.some((s) => s.files.some(([path]) => path.includes("shmem_enabled")))) notes.push(note("shmem"));
    return [...notes, note("reach"), note("clock")];
  }
}

const NOTHING: HiddenPages = new Map();
