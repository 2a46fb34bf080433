/** Real programs: what there is, what is chosen, and the replay or sweep that runs. */
import type { ImportView, LabApi, Methods, ProgramInfo, ProgramView, Reply, SweepView } from "../../host/api/labApi.ts";
import { say } from "../../i18n/format.ts";
import type { Announcer } from "./announcer.svelte.ts";

/** characters of one part of a file: as JSON it has to fit a frame of the host */
const PART_CHARACTERS = 100_000;
/** a file that is larger is not even read */
const FILE_BYTES_MAX = 64 << 20;

export type ScriptImport = Extract<ImportView, { readonly kind: "script" }>;

export class Programs {
  readonly #api: LabApi;
  readonly #announcer: Announcer;
  list = $state.raw<readonly ProgramInfo[]>([]);
  chosen = $state<string | null>(null);
  /** what the replay is tried with instead; "": as recorded */
  setting = $state("");
  view = $state.raw<ProgramView | null>(null);
  sweep = $state.raw<SweepView | null>(null);
  script = $state.raw<{ readonly name: string; readonly content: ScriptImport } | null>(null);
  running = $state<"replay" | "sweep" | "import" | null>(null);
  done = $state(0);
  total = $state(0);
  error = $state<string | null>(null);

  constructor(api: LabApi, announcer: Announcer) {
    this.#api = api;
    this.#announcer = announcer;
    api.on("work", ({ done, total }) => {
      this.done = done;
      this.total = total;
    });
  }

  get info(): ProgramInfo | null {
    return this.list.find(({ id }) => id === this.chosen) ?? null;
  }

  async load(): Promise<void> {
    const reply = await this.#api.invoke("listPrograms", {});
    if (!reply.ok) {
      this.#fail(reply.error.sentence);
      return;
    }
    this.list = reply.result;
    if (this.info === null) this.choose(reply.result.at(0)?.id ?? null);
  }

  choose(id: string | null): void {
    if (id === this.chosen) return;
    this.chosen = id;
    this.view = null;
    this.sweep = null;
    this.error = null;
  }

  async replay(): Promise<void> {
    const program = this.chosen;
    if (program === null) return;
    const settings = this.setting.trim();
    const reply = await this.#run("replay", () => this.#api.invoke("replayProgram", { program, profile: null, settings }));
    if (!reply.ok) this.#fail(reply.error.sentence);
    else if (this.chosen === program) {
      this.view = reply.result;
      this.#announcer.say(say("renderer.programs.replayed", { agree: reply.result.faultsAgree, faults: reply.result.faults }));
    }
  }

  /** `settings` empty: those that are worth a look. */
  async runSweep(settings: readonly string[]): Promise<void> {
    const program = this.chosen;
    if (program === null) return;
    const reply = await this.#run("sweep", () => this.#api.invoke("sweepProgram", { program, profile: null, settings }));
    if (!reply.ok) this.#fail(reply.error.sentence);
    else if (this.chosen === program) {
      this.sweep = reply.result;
      this.#announcer.say(say("renderer.programs.swept", { rows: reply.result.rows.length }));
    }
  }

  stop(): void {
    void this.#api.invoke("stopWork", {});
  }

  async forget(id: string): Promise<void> {
    const reply = await this.#api.invoke("forgetProgram", { program: id });
    if (!reply.ok) {
      this.#fail(reply.error.sentence);
      return;
    }
    this.list = reply.result;
    if (this.chosen === id) this.choose(reply.result.at(0)?.id ?? null);
  }

  /** A file of the learner's: a recording, what perf script printed, or the mappings of a process. */
  async importFile(file: File): Promise<void> {
    if (file.size > FILE_BYTES_MAX) {
      this.#fail(say("renderer.programs.tooLarge", { name: file.name, most: FILE_BYTES_MAX >> 20 }));
      return;
    }
    const reply = await this.#run("import", async () => this.#upload(file.name, await file.text()));
    if (!reply.ok) this.#fail(reply.error.sentence);
    else if (reply.result?.kind === "script") this.script = { name: file.name, content: reply.result };
    else if (reply.result?.kind === "program") {
      const { program, kept } = reply.result;
      this.list = [...this.list, program];
      this.choose(program.id);
      this.error = kept;
      this.#announcer.say(say("renderer.programs.imported", { name: program.name }));
    }
  }

  async #upload(name: string, text: string): Promise<Reply<"importPart">> {
    const upload = crypto.randomUUID();
    const parts = Math.max(1, Math.ceil(text.length / PART_CHARACTERS));
    this.total = parts;
    for (let part = 0; ; part++) {
      const isLast = part === parts - 1;
      const piece = text.slice(part * PART_CHARACTERS, (part + 1) * PART_CHARACTERS);
      const params: Methods["importPart"]["params"] = { upload, name: name.slice(0, 200), text: piece, part, isLast };
      const reply = await this.#api.invoke("importPart", params);
      this.done = part + 1;
      if (!reply.ok || isLast) return reply;
    }
  }

  async #run<R>(what: "replay" | "sweep" | "import", call: () => Promise<R>): Promise<R> {
    this.error = null;
    this.done = 0;
    this.total = 0;
    this.running = what;
    try {
      return await call();
    } finally {
      this.running = null;
    }
  }

  #fail(sentence: string): void {
    this.error = sentence;
    this.#announcer.say(sentence);
  }
}
