import { labInfo } from "../../lab/run/info.ts";
import { problemMessages } from "../../lab/pack/problem.ts";
import { readPack } from "../../lab/pack/readPack.ts";
import { orderPacks } from "../../lab/pack/order.ts";
import type { Lab, Pack } from "../../lab/pack/pack.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { CallRefusal } from "./callRefusal.ts";
import type { BadPack, LabKey, LabSummary, PackSource, PackSummary } from "./protocol.ts";

export interface ShelfContent {
  readonly packs: readonly PackSummary[];
  readonly bad: readonly BadPack[];
}

/** The packs that can be used. What anything is wrong with is not used, and told. */
export class PackShelf {
  readonly #render: RenderMessage;
  readonly #packs = new Map<string, Pack>();

  constructor(render: RenderMessage) {
    this.#render = render;
  }

  fill(sources: readonly PackSource[]): ShelfContent {
    this.#packs.clear();
    const bad: BadPack[] = [];
    const places = new Map<string, string>();
    for (const { hash, place, files } of sources) {
      const read = readPack(new Map(files));
      if (read.kind === "bad") {
        const [problem] = read.problems;
        bad.push({ place, sentence: [problem.file, this.#render(problemMessages(problem).what)].filter((part) => part !== "").join(": ") });
        continue;
      }
      const other = places.get(read.pack.id);
      if (other !== undefined) {
        bad.push({ place, sentence: this.#render({ key: "host.pack.twice", args: { other } }) });
        continue;
      }
      places.set(read.pack.id, place);
      this.#packs.set(hash, read.pack);
    }
    const shown = orderPacks([...this.#packs].map(([hash, pack]) => ({ id: pack.id, after: pack.after, summary: this.#summary(hash, pack) })));
    return { packs: shown.map(({ summary }) => summary), bad };
  }

  /** @throws CallRefusal where the pack is not there (any more) */
  lab(key: LabKey): Lab {
    const lab = this.#packs.get(key.packHash)?.labs.find((each) => each.id === key.labId) ?? this.#newerLab(key);
    if (lab === undefined) throw new CallRefusal("notFound", "host.call.noLab");
    return lab;
  }

  /** The lab in another version of its pack: a session of the old one goes on in it, and where it comes out otherwise that is shown. */
  #newerLab(key: LabKey): Lab | undefined {
    return [...this.#packs.values()].find((pack) => pack.id === key.packId)?.labs.find((lab) => lab.id === key.labId);
  }

  #summary(hash: string, pack: Pack): PackSummary {
    return { hash, packId: pack.id, version: pack.version, title: pack.title, labs: pack.labs.map((lab) => this.#labSummary(hash, lab)) };
  }

  #labSummary(packHash: string, lab: Lab): LabSummary {
    const { machine, status } = lab.definition;
    return {
      info: labInfo(lab, this.#render),
      plan: {
        profile: machine.profile,
        patches: machine.patches ?? [],
        config: Object.entries(machine.config ?? {}),
        lab: { packHash, packId: lab.packId, labId: lab.id },
      },
      isDeprecated: status === "deprecated",
      shape: {
        steps: lab.steps.map(({ id }) => ({ id })),
        checks: lab.checks.map(({ id, step }) => ({ id, step })),
        predictions: lab.predictions.map(({ id, step }) => ({ id, step })),
        // how many rungs there are; their texts are the engine's
        hints: new Map([...lab.hints].map(([check, rungs]) => [check, rungs.map(() => "")])),
      },
    };
  }
}
