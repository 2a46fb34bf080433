/**
 * What each method may be called with, as zod schemas: strict, and with a limit on everything. Both carriers bring what they were sent to
 * `checkCall`, and nothing behind it sees a call that did not pass. Not bundled by renderer or preload.
 */
import { z } from "zod";
import type { Message } from "../../kernel/message.ts";
import { LINE_CHARACTERS_MAX } from "./frames.ts";
import type { Method, Methods, SettingValue } from "./labApi.ts";
import { isMethod } from "./names.ts";

const NAME_CHARACTERS_MAX = 80;
/** a `why` question, a name of a check, a filter of counters */
const WORDS_CHARACTERS_MAX = 200;
/** characters of one part of an import: as JSON at most six bytes each, which has to fit a frame */
export const PART_CHARACTERS_MAX = 1 << 17;
/** parts of one import: 64 Mi characters */
const PARTS_MAX = 512;
const SETTINGS_MAX = 200;
const SETTING_CHARACTERS_MAX = 400;
const PATCHES_MAX = 100;
const CONFIG_MAX = 50;

const number = z.int().min(1);
/** JSON has no -0 */
const nodeNumber = z
  .int()
  .min(0)
  .refine((n) => !Object.is(n, -0));
const empty = z.strictObject({});
const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const words = z.string().max(WORDS_CHARACTERS_MAX);
const profile = z.string().regex(/^[\w.-]{1,60}$/);
const patches = z.array(z.string().regex(/^[+-]?[A-Za-z0-9-]{1,80}$/)).max(PATCHES_MAX);
const config = z.array(z.tuple([z.string().regex(/^\/[\w./-]{1,200}$/), z.string().max(200)])).max(CONFIG_MAX);
const compareChoice = z.strictObject({ profile, patches, config });
/** ids that authors of labs give */
const labWord = z.string().regex(/^[\w.-]{1,100}$/);

const programId = z.string().regex(/^[\w-]{1,80}$/);
const setting = z.string().max(SETTING_CHARACTERS_MAX);

/** A process of the machine, or null for the current one. */
const process = z
  .string()
  .regex(/^[A-Za-z_][\w.]{0,63}$/)
  .nullable();
const powerOfTwo = z
  .int()
  .min(1)
  .max(32_768)
  .refine((n) => (n & (n - 1)) === 0);

/** As a learner writes it: "A+2M", "0x7f0000000000". */
const writtenAddress = z
  .string()
  .regex(/^[\w+.-]{1,60}$/)
  .nullable();

const pictureRequest = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("addressSpace"), process, first: nodeNumber, count: z.int().min(1).max(200), cells: z.int().min(1).max(512) }),
  z.strictObject({
    kind: z.literal("pageTables"),
    process,
    address: writtenAddress,
    level: z.int().min(1).max(5).nullable(),
  }),
  z.strictObject({
    kind: z.literal("physical"),
    firstPfn: nodeNumber,
    cells: z.int().min(1).max(4096),
    pagesPerCell: powerOfTwo,
    selected: nodeNumber.nullable(),
  }),
  z.strictObject({ kind: z.literal("counters"), filter: words, changedOnly: z.boolean() }),
  z.strictObject({ kind: z.literal("eligibility"), process, address: writtenAddress }),
  z.strictObject({ kind: z.literal("rules"), against: z.string().regex(/^[\w.+-]{1,60}$/) }),
]);

const PANES_MAX = 40;

/** By hand, since a record of zod's leaves a key `__proto__` out without a word. */
function isPanes(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  const entries = Object.entries(value);
  const isShare = (share: unknown): boolean => typeof share === "number" && share >= 0 && share <= 100 && !Object.is(share, -0);
  return entries.length <= PANES_MAX && entries.every(([name, share]) => /^[A-Za-z][\w.-]{0,39}$/.test(name) && isShare(share));
}

/** Each setting by its name: another name, or another shape, is refused. */
const settings = {
  theme: z.enum(["system", "light", "dark", "contrast"]),
  fontSize: z.number().min(10).max(28),
  presentation: z.boolean(),
  motion: z.enum(["system", "reduced"]),
  twin: z.boolean(),
  pictureTab: z.string().regex(/^[A-Za-z]{1,40}$/),
  /** shares of the window, percent */
  panes: z.custom<Readonly<Record<string, number>>>(isPanes),
} as const;

const setSetting = z
  .strictObject({ learner: number, name: z.enum(Object.keys(settings) as (keyof typeof settings)[]), value: z.unknown() })
  .refine(({ name, value }) => settings[name].safeParse(value).success, { path: ["value"] })
  .transform(({ learner, name, value }) => ({ learner, name, value: value as SettingValue }));

const schemas: { readonly [M in Method]: z.ZodType<Methods[M]["params"]> } = {
  hello: empty,
  createLearner: z.strictObject({ name: z.string().min(1).max(NAME_CHARACTERS_MAX) }),
  useLearner: z.strictObject({ learner: number }),
  setSetting,
  listLabs: z.strictObject({ learner: number }),
  openLab: z.strictObject({ learner: number, packId: uuid, labId: uuid, anew: z.boolean() }),
  openSandbox: z.strictObject({ learner: number, profile, patches, config }),
  resumeSession: z.strictObject({ learner: number, session: number }),
  closeSession: z.strictObject({ session: number }),
  submit: z.strictObject({ session: number, line: z.string().max(LINE_CHARACTERS_MAX) }),
  cancel: z.strictObject({ session: number }),
  move: z.strictObject({ session: number, to: z.union([nodeNumber, z.enum(["back", "forward"])]) }),
  complete: z
    .strictObject({ session: number, text: z.string().max(LINE_CHARACTERS_MAX), cursor: nodeNumber })
    .refine(({ text, cursor }) => cursor <= text.length, { path: ["cursor"] }),
  timeline: z.strictObject({ session: number, first: nodeNumber, count: z.int().min(1).max(2000) }),
  picture: z.strictObject({ session: number, request: pictureRequest }),
  why: z.strictObject({ session: number, words }),
  diff: z.strictObject({ session: number, from: nodeNumber, to: nodeNumber }),
  compare: z.strictObject({ session: number, other: compareChoice }),
  exportSession: z.strictObject({ session: number, form: z.enum(["script", "strace", "c"]) }),
  predict: z.strictObject({ session: number, prediction: labWord, answer: words }),
  hint: z.strictObject({ session: number, check: labWord }),
  showSolution: z.strictObject({ session: number }),
  enterStep: z.strictObject({ session: number, step: labWord }),
  fidelity: empty,
  listPrograms: empty,
  importPart: z.strictObject({
    upload: uuid,
    name: z.string().max(200),
    text: z.string().max(PART_CHARACTERS_MAX),
    part: z
      .int()
      .min(0)
      .max(PARTS_MAX - 1),
    isLast: z.boolean(),
  }),
  forgetProgram: z.strictObject({ program: programId }),
  replayProgram: z.strictObject({ program: programId, profile: profile.nullable(), settings: setting }),
  sweepProgram: z.strictObject({ program: programId, profile: profile.nullable(), settings: z.array(setting.min(1)).max(SETTINGS_MAX) }),
  stopWork: empty,
};

export interface Call<M extends Method> {
  readonly method: M;
  readonly params: Methods[M]["params"];
}

/** A call that passed, with the type of its parameters known by its method. */
export type CheckedCall = { readonly [M in Method]: Call<M> }[Method];

export type CallCheck = { readonly ok: true; readonly call: CheckedCall } | { readonly ok: false; readonly problem: Message };

/** Characters of what was sent that a sentence repeats. */
const SHOWN_MAX = 60;

/** Is this a call that the app knows? Never throws, whatever it is given; what is wrong is one sentence. */
export function checkCall(method: unknown, params: unknown): CallCheck {
  if (!isMethod(method)) return { ok: false, problem: { key: "host.call.unknown", args: { method: shown(method) } } };
  const result = attempt(schemas[method] as z.ZodType, params);
  if (result.ok) return { ok: true, call: { method, params: result.value } as CheckedCall };
  return { ok: false, problem: { key: "host.call.malformed", args: { method, place: result.place } } };
}

/** Is this a value that the setting of that name may have? What was saved by another version is checked as well. */
export function isSettingValue(name: string, value: unknown): value is SettingValue {
  return Object.hasOwn(settings, name) && attempt(settings[name as keyof typeof settings] as z.ZodType, value).ok;
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly place: string };

function attempt<T>(schema: z.ZodType<T>, value: unknown): Attempt<T> {
  try {
    const result = schema.safeParse(value);
    if (result.success) return { ok: true, value: result.data };
    const path = result.error.issues[0].path.map((part) => shown(typeof part === "symbol" ? "?" : String(part)));
    return { ok: false, place: ["params", ...path].join(".") };
  } catch {
    // a getter that throws, a proxy: only a caller in our own process could send one
    return { ok: false, place: "params" };
  }
}

function shown(value: unknown): string {
  if (typeof value !== "string") return typeof value;
  return value
    .toWellFormed()
    .slice(0, SHOWN_MAX)
    .replace(/[\p{Cc}\u2028\u2029]/gu, "?");
}
