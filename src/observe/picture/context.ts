import type { Message } from "../../kernel/message.ts";
import type { Kernel } from "../../kernel/mm/kernel.ts";
import type { Task } from "../../kernel/mm/records.ts";
import type { Summaries } from "./summaries.ts";

/** A process as a picture names it; `task` is a slot of the task table. */
export interface PictureProcess {
  readonly name: string;
  readonly task: number;
}

/** What a picture needs besides the machine: names, sentences, the state before, and the counts that are kept from one picture to the next. */
export interface PictureContext {
  /** an address as the learner would write it: `A+0x1000`, or hexadecimal where no name covers it */
  readonly print: (address: number) => string;
  /** every living process, in order */
  readonly processes: readonly PictureProcess[];
  /** name of the process that is shown where none is asked for */
  readonly current: string;
  /** the machine before the last step, to be read only; null: not known, and then nothing in memory is marked as changed */
  readonly before: Kernel | null;
  /** the step whose changes are shown: the last one; 0: none was made yet */
  readonly step: number;
  /** the number by which the learner knows a step of the machine; null: none on the way to this state */
  readonly nodeOfStep: (step: number) => number | null;
  readonly summaries: Summaries;
  readonly render: (message: Message) => string;
}

export type Say = (key: string, args?: Readonly<Record<string, string | number>>) => string;

export const sayer =
  (context: PictureContext): Say =>
  (key, args = {}) =>
    context.render({ key, args });

/** The process that was asked for; undefined when it does not live. */
export function processOf(k: Kernel, context: PictureContext, name: string | null): { readonly name: string; readonly task: Task } | undefined {
  const wanted = name ?? context.current;
  const found = context.processes.find((process) => process.name === wanted);
  const task = found === undefined ? undefined : k.tasks.find(found.task);
  return task === undefined ? undefined : { name: wanted, task };
}

export const hex = (n: number): string => `0x${n.toString(16)}`;

/** Was it the step whose changes are shown? */
export const isLastStep = (context: PictureContext, step: number): boolean => step === context.step && step > 0;

/** The words behind `why`, with the process where it is not the one that a line belongs to anyway. */
export const whyWords = (context: PictureContext, process: string, words: string): string => (process === context.current ? words : `${words} @${process}`);

/** How the learner named an address; null where they did not. The start of a name is said without `+0x0`. */
export function nameOf(context: PictureContext, address: number): string | null {
  const text = context.print(address);
  return text.startsWith("0x") || text === "other" || text === "0" ? null : text.replace(/\+0x0$/, "");
}

/** A size in the largest unit that leaves a whole number: `2 MiB`, `12 KiB`. */
export function sizeText(kib: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let n = kib;
  let unit = 0;
  while (unit < units.length - 1 && n >= 1024 && n % 1024 === 0) {
    n /= 1024;
    unit++;
  }
  return `${n} ${units[unit]}`;
}
