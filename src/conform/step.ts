export type * from "../session/traceStep.ts";
