import type { Kernel } from "../../kernel/mm/kernel.ts";
import { addressSpacePicture } from "./addressSpace.ts";
import { sayer, type PictureContext } from "./context.ts";
import { countersPicture } from "./counters.ts";
import type { Picture, PictureRequest } from "./model.ts";
import { pageTablesPicture } from "./pageTables.ts";
import { eligibilityPicture } from "../eligibility/picture.ts";
import { physicalPicture } from "./physical.ts";
import { twinOf } from "./twin.ts";

/** Pictures that are made from the machine alone; that of the rules runs cases on other machines (session/eligibility). */
export type MachineRequest = Exclude<PictureRequest, { kind: "rules" }>;
export type MachinePicture = Exclude<Picture, { kind: "rules" }>;

const LIMITS = { areas: 200, areaCells: 512, memoryCells: 4096, pagesPerCell: 32768 } as const;

const within = (n: number, min: number, max: number): number => (Number.isFinite(n) ? Math.max(min, Math.min(max, Math.floor(n))) : min);

/** The request with every number within its bounds (those that model.ts states): a front end may ask for anything. */
function bounded(request: MachineRequest): MachineRequest {
  switch (request.kind) {
    case "addressSpace":
      return {
        ...request,
        first: within(request.first, 0, Number.MAX_SAFE_INTEGER),
        count: within(request.count, 1, LIMITS.areas),
        cells: within(request.cells, 1, LIMITS.areaCells),
      };
    case "physical": {
      const zoom = 2 ** Math.floor(Math.log2(within(request.pagesPerCell, 1, LIMITS.pagesPerCell)));
      return {
        ...request,
        firstPfn: within(request.firstPfn, 0, Number.MAX_SAFE_INTEGER),
        cells: within(request.cells, 1, LIMITS.memoryCells),
        pagesPerCell: zoom,
        selected: request.selected === null ? null : Math.floor(request.selected),
      };
    }
    case "pageTables":
    case "counters":
    case "eligibility":
      return request;
  }
}

function build(k: Kernel, request: MachineRequest, context: PictureContext): MachinePicture {
  switch (request.kind) {
    case "addressSpace":
      return addressSpacePicture(k, request, context);
    case "pageTables":
      return pageTablesPicture(k, request, context);
    case "physical":
      return physicalPicture(k, request, context);
    case "counters":
      return countersPicture(k, request, context);
    case "eligibility":
      return eligibilityPicture(k, request, context);
  }
}

/**
 * What a picture of a machine shows, with its text twin. Costs what is visible, and once more for what was written since the last
 * picture (summaries.ts). The machine stays as it is; its chunks become shared, as by any snapshot.
 */
export function buildPicture(k: Kernel, request: MachineRequest, context: PictureContext): MachinePicture {
  k.store.snapshot();
  const picture = build(k, bounded(request), context);
  return { ...picture, twin: twinOf(sayer(context), picture) };
}
