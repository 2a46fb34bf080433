/** The names that may be called or listened to, as run-time lists: nothing else is ever dispatched on. Kept apart from params.ts so that preload does not bundle zod. */
import type { EventName, Method } from "./labApi.ts";

const METHOD_TABLE: Readonly<Record<Method, true>> = {
  hello: true,
  createLearner: true,
  useLearner: true,
  setSetting: true,
  listLabs: true,
  openLab: true,
  openSandbox: true,
  resumeSession: true,
  closeSession: true,
  submit: true,
  cancel: true,
  move: true,
  complete: true,
  timeline: true,
  picture: true,
  why: true,
  diff: true,
  compare: true,
  exportSession: true,
  predict: true,
  hint: true,
  showSolution: true,
  enterStep: true,
  fidelity: true,
  listPrograms: true,
  importPart: true,
  forgetProgram: true,
  replayProgram: true,
  sweepProgram: true,
  stopWork: true,
};

const EVENT_TABLE: Readonly<Record<EventName, true>> = { progress: true, work: true, restarted: true, notice: true, disconnected: true };

export const METHODS = Object.keys(METHOD_TABLE) as readonly Method[];
export const EVENTS = Object.keys(EVENT_TABLE) as readonly EventName[];

/** Is it the name of a method? Names of Object.prototype are not. */
export function isMethod(name: unknown): name is Method {
  return typeof name === "string" && Object.hasOwn(METHOD_TABLE, name);
}

export function isEvent(name: unknown): name is EventName {
  return typeof name === "string" && Object.hasOwn(EVENT_TABLE, name);
}
