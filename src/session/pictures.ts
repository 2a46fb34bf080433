import type { MachineSnapshot } from "../kernel/machine.ts";
import { buildPicture } from "../observe/picture/buildPicture.ts";
import { sayer, type PictureContext } from "../observe/picture/context.ts";
import type { Picture, PictureRequest } from "../observe/picture/model.ts";
import { Summaries } from "../observe/picture/summaries.ts";
import type { RenderMessage } from "../shell/renderMessage.ts";
import { CaseTable, rulesPicture } from "./eligibility/rulesPicture.ts";
import type { LearnerWorld } from "./learnerWorld.ts";
import { addressOf } from "./sessionTools.ts";
import { StateReader } from "./stateReader.ts";

/** Where in the history the world stands, as far as pictures need it. */
export interface PicturePlace {
  /** the machine before the last step; null when it is not at hand: then changes in memory and of counters are not shown */
  readonly before: MachineSnapshot | null;
  /** the machine's step after the last node */
  readonly step: number;
  /** the node whose command was this step of the machine, on the way to where the world stands; null: none */
  readonly nodeOfStep: (step: number) => number | null;
}

/** Pictures of a learner's world. Keeps the counts of one picture for the next. */
export class Pictures {
  readonly #world: LearnerWorld;
  readonly #render: RenderMessage;
  readonly #summaries = new Summaries();
  readonly #reader: StateReader;
  readonly #cases: CaseTable;

  constructor(world: LearnerWorld, render: RenderMessage) {
    this.#world = world;
    this.#render = render;
    this.#reader = new StateReader(world.machine.kernel);
    this.#cases = new CaseTable(world.machine.kernel);
  }

  build(request: PictureRequest, place: PicturePlace): Picture {
    const world = this.#world;
    const context: PictureContext = {
      print: (address) => world.slots.print(address),
      processes: world.living(),
      current: world.current,
      before: place.before === null ? null : this.#reader.at(place.before),
      step: place.step,
      nodeOfStep: place.nodeOfStep,
      summaries: this.#summaries,
      render: this.#render,
    };
    const resolved = this.#resolved(request);
    if (resolved.kind === "rules") return rulesPicture(world.machine.kernel, this.#cases, resolved, sayer(context));
    return buildPicture(world.machine.kernel, resolved, context);
  }

  /** The request with the address as a number, where the learner wrote a name (`A+2M`); one that means nothing stays, and the picture says so. */
  #resolved(request: PictureRequest): PictureRequest {
    if ((request.kind !== "pageTables" && request.kind !== "eligibility") || request.address === null) return request;
    const address = addressOf(this.#world, request.address.trim());
    return address === null ? request : { ...request, address: `0x${address.toString(16)}` };
  }
}
