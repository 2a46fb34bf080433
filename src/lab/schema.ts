import { z } from "zod";
import { FORMAT_VERSION, MOST_LABS, MOST_LINE_CHARACTERS, MOST_LINES } from "./pack/limits.ts";

/** The two JSON files of a pack, as zod schemas. tools/labSchemas.mjs writes them to resources/schema/ as JSON Schema. */

const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  .describe("A UUID in lower case. It never changes, whatever else does: progress is kept by it.");
/** names inside a lab: of checks, steps, predictions, choices, mistakes */
const id = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/)
  .describe("Small letters, digits and hyphens, at most 32.");
const title = z.string().min(1).max(80);
const sentence = z.string().min(1).max(400);
const line = z.string().min(1).max(MOST_LINE_CHARACTERS);
const processName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.]{0,14}$/)
  .describe("A process of the machine; P, the first one, when it is left out.");
const range = z.string().min(1).max(60).describe("An address and, if wanted, a length, as the command form writes them: A, A+2M, A+2M 4k.");
const path = z.string().min(1).max(160).describe("What is read: smaps[A].AnonHugePages, vmstat.thp_split_pmd, ... docs/packs.md lists them.");

export const OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "in", "contains", "exists", "monotonic"] as const;
const scalar = z.union([z.number(), z.string().max(200)]);

const state = z
  .strictObject({
    path,
    op: z.enum(OPERATORS),
    value: z.union([scalar, z.array(scalar).min(1).max(16)]).optional(),
    since: z.literal("start").optional().describe("Compare the change since the lab began, not the value itself."),
    process: processName.optional(),
  })
  .describe("Something that a command can show now, compared with a value.");

const faultWhere = z.strictObject({
  process: processName.optional(),
  in: range.optional(),
  order: z.int().min(0).max(20).optional().describe("Order of the folio that was mapped: 0 for 4 KiB, 9 for 2 MiB."),
  access: z.enum(["read", "write"]).optional(),
  by: z.enum(["process", "kernel"]).optional().describe("kernel: populate, mlock and copies fault pages in without an exception of the process."),
});
const commandWhere = z.strictObject({
  process: processName.optional(),
  in: range.optional().describe("The call's range touches this one."),
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{1,20}$/)
    .optional()
    .describe("The operation or call: mmap, touch, madvise, ..."),
  advice: z
    .string()
    .regex(/^[a-z_]{2,20}$/)
    .optional()
    .describe("Of madvise, as the command form writes it: hugepage, dontneed, ..."),
  errno: z
    .string()
    .regex(/^(0|E[A-Z0-9]{2,14})$/)
    .optional()
    .describe("0: it succeeded."),
});
const writeWhere = z.strictObject({
  path: z
    .string()
    .regex(/^\/(sys|proc)\/[\w./-]{1,120}$/)
    .optional(),
  value: z.string().max(40).optional(),
  errno: commandWhere.shape.errno,
});
const counted = z.strictObject({ what: z.enum(["pmd", "page"]).optional() });

/** Which events are meant. */
const pattern = z.union([
  z.strictObject({ event: z.literal("fault"), where: faultWhere.optional() }),
  z.strictObject({ event: z.literal("command"), where: commandWhere.optional() }),
  z.strictObject({ event: z.literal("write"), where: writeWhere.optional() }),
  z.strictObject({ event: z.literal("split"), where: counted.optional() }),
  z.strictObject({ event: z.literal("collapse") }),
]);
const ordering = {
  before: pattern.optional().describe("Only events that such an event followed."),
  after: pattern.optional().describe("Only events that such an event preceded."),
  op: z.enum(["==", "!=", "<", "<=", ">", ">="]).optional().describe("How often it happened; without it: at least once."),
  value: z.int().min(0).max(1_000_000_000).optional(),
};
const [fault, command, write, split, collapse] = pattern.options;
const event = z
  .union([fault.extend(ordering), command.extend(ordering), write.extend(ordering), split.extend(ordering), collapse.extend(ordering)])
  .describe("How often something happened on the way to where the learner stands.");

const prediction = z.strictObject({ prediction: id, is: z.enum(["answered", "right"]) }).describe("A question that was answered.");
const leaf = z.union([state, event, prediction]);
const inner = z.union([
  leaf,
  z.strictObject({ not: leaf }),
  z.strictObject({ all: z.array(leaf).min(1).max(8) }),
  z.strictObject({ any: z.array(leaf).min(1).max(8) }),
]);
const condition = z.union([
  inner,
  z.strictObject({ not: inner }),
  z.strictObject({ all: z.array(inner).min(1).max(8) }),
  z.strictObject({ any: z.array(inner).min(1).max(8) }),
]);

const mistake = z.strictObject({ id, when: condition, say: sentence.describe("What went wrong and what to do about it.") });

const check = z.strictObject({
  id,
  step: id,
  objective: sentence.describe("What the learner is to reach, one sentence."),
  require: condition,
  forbid: z.array(condition).max(4).optional().describe("What must not have happened."),
  wrong: z.array(mistake).max(8).optional().describe("Mistakes that are recognised while the check does not pass; the first that holds is told."),
  feedback: z.strictObject({
    pass: sentence,
    fail: sentence.describe("{actual} stands for what was found, {wanted} for what was asked for."),
  }),
});

const choice = z.strictObject({
  id,
  text: z.string().min(1).max(120),
  is: scalar.describe("What was read, if this choice is the right one; its text must contain it."),
});
const predictionSchema = z.strictObject({
  id,
  step: id,
  question: sentence,
  choices: z.array(choice).min(2).max(6).nullable().describe("null: a number is asked for."),
  unit: z.string().min(1).max(20).nullable(),
  answer: z
    .strictObject({
      line: z.int().min(1).max(MOST_LINES).describe("The line of solution.trace behind which it is read, counted from 1 without comments."),
      read: path,
      change: z.literal(true).optional().describe("How much that line changed it."),
      process: processName.optional(),
    })
    .describe("Where the right answer is read; it is never written down."),
  explanation: z.string().min(1).max(600),
});

export const labSchema = z
  .strictObject({
    $schema: z.string().max(200).optional(),
    id: uuid,
    title,
    summary: sentence,
    status: z.enum(["active", "beta", "deprecated"]).optional().describe("A deprecated lab is shown only to those who have begun it."),
    minutes: z.int().min(1).max(120),
    difficulty: z.enum(["first", "easy", "medium", "hard"]),
    concepts: z.array(z.string().min(1).max(40)).min(1).max(8),
    prerequisites: z.array(uuid).max(8),
    machine: z.strictObject({
      profile: z.string().max(40),
      patches: z
        .array(z.string().regex(/^[+-]?[a-z0-9-]{1,60}$/))
        .max(16)
        .optional(),
      config: z
        .record(z.string().regex(/^\/(sys|proc)\/[\w./-]{1,120}$/), z.string().max(40))
        .optional()
        .describe("Kernel files that are set before the learner begins."),
    }),
    setup: z.array(line).max(20).optional().describe("Lines that are carried out before the learner begins; each must change something."),
    checks: z.array(check).min(1).max(12),
    predictions: z.array(predictionSchema).max(8),
    badge: z.strictObject({
      kind: z.enum(["recorded", "documents", "simplified"]),
      reason: sentence.optional().describe("For documents and simplified: what it rests on, or what is left out."),
      recordings: z.array(z.string().max(120)).max(8).optional().describe("For recorded: files of the pack, each the solution recorded on a real kernel."),
    }),
    sources: z.array(z.string().min(1).max(200)).max(8).optional().describe("Where the facts come from."),
  })
  .describe("lab.json of a Hugelab lab");

export const manifestSchema = z
  .strictObject({
    $schema: z.string().max(200).optional(),
    formatVersion: z.literal(FORMAT_VERSION),
    id: uuid,
    title,
    version: z.string().regex(/^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})$/),
    language: z.string().regex(/^[a-z]{2,3}(-[A-Z]{2})?$/),
    authors: z.array(z.string().min(1).max(80)).min(1).max(20),
    license: z.string().min(1).max(40),
    description: sentence.optional(),
    after: z.array(uuid).max(8).optional().describe("Ids of packs that are better done first: where they are there, this one is shown behind them."),
    labs: z
      .array(z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/))
      .min(1)
      .max(MOST_LABS)
      .describe("Folders below labs/, in the order in which they are shown."),
  })
  .describe("pack.json of a Hugelab pack");

export type Manifest = z.infer<typeof manifestSchema>;
export type LabFile = z.infer<typeof labSchema>;
export type CheckDefinition = z.infer<typeof check>;
export type PredictionDefinition = z.infer<typeof predictionSchema>;
export type Condition = z.infer<typeof condition>;
export type Leaf = z.infer<typeof leaf>;
export type StateCondition = z.infer<typeof state>;
export type EventCondition = z.infer<typeof event>;
export type PredictionCondition = z.infer<typeof prediction>;
export type Pattern = z.infer<typeof pattern>;
export type Operator = (typeof OPERATORS)[number];

/** Front matter of a step's Markdown file. */
export const stepSchema = z.strictObject({ id, title });

/** The published JSON Schemas by file name. */
export function jsonSchemas(): Readonly<Record<string, unknown>> {
  const schemas = { pack: manifestSchema, lab: labSchema, step: stepSchema };
  const published = (name: string, schema: z.ZodType): unknown => ({
    $id: `hugelab:${name}`,
    ...z.toJSONSchema(schema, { target: "draft-2020-12", reused: "ref" }),
  });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [`${name}.schema.json`, published(name, schema)]));
}
