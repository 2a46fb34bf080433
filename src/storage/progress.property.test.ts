import fc from "fast-check";
import { expect, it } from "vitest";
import { addLearner, NOON_MS, sha, uuid } from "../../tests/storageSupport.ts";
import { appendEvents, readEvents, readProgress, startAttempt } from "./attempts.ts";
import { openMemoryStorage } from "./openStorage.ts";
import { putPack } from "./packs.ts";
import { labKey, type LabProgress, type SolvedMark } from "./progress.ts";

const runs = process.env["HUGELAB_LONG"] === "1" ? 5000 : 500;

// Two learners, two packs of which the second has two contents, two labs each: small, so that everything meets everything.
const contents = [
  { hash: sha(1), packId: uuid(101), version: "1.0.0" },
  { hash: sha(2), packId: uuid(102), version: "1.0.0" },
  { hash: sha(3), packId: uuid(102), version: "2.0.0" },
];

type Op =
  | { readonly what: "start"; readonly learner: number; readonly content: number; readonly lab: number }
  | { readonly what: "event"; readonly attempt: number; readonly kind: string; readonly payload: Readonly<Record<string, unknown>> };

const check = fc.constantFrom("c1", "c2", "__proto__");
const checkOrLab = fc.option(check, { freq: 3 });
const event: fc.Arbitrary<{ kind: string; payload: Readonly<Record<string, unknown>> }> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("stepEntered"), payload: fc.record({ step: fc.constantFrom("a", "b", "c") }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("checkPassed"), payload: fc.record({ check }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("hintShown"), payload: fc.record({ check: checkOrLab, rung: fc.nat(3) }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("solutionShown"), payload: fc.record({ check: checkOrLab }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: "labSolved", payload: {} }) },
  { weight: 1, arbitrary: fc.constant({ kind: "later", payload: { step: "z", check: "c1" } }) },
);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ what: fc.constant("start" as const), learner: fc.nat(1), content: fc.nat(2), lab: fc.nat(1) }) },
  { weight: 6, arbitrary: fc.tuple(fc.nat(30), event).map(([attempt, rest]) => ({ what: "event" as const, attempt, ...rest })) },
);

/** One event with all that the model asks about, in a flat list in the order of saving. */
interface Fact {
  readonly at: number;
  readonly learner: number;
  readonly lab: string;
  readonly attempt: number;
  readonly kind: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** The definition, said as questions to the list of facts of one learner and lab; progress.ts folds. */
function model(facts: readonly Fact[]): LabProgress {
  const isHelp = (fact: Fact) => fact.kind === "hintShown" || fact.kind === "solutionShown";
  const markOf = (solved: Fact, helps: (help: Fact) => boolean): SolvedMark =>
    facts.some((fact) => isHelp(fact) && helps(fact) && fact.at < solved.at) ? "assisted" : "unaided";
  const unique = (values: readonly string[]) => values.filter((value, index) => values.indexOf(value) === index);
  const stepsIn = (list: readonly Fact[]) => list.filter(({ kind }) => kind === "stepEntered").map(({ payload }) => String(payload["step"]));
  const checksIn = (list: readonly Fact[]) => unique(list.filter(({ kind }) => kind === "checkPassed").map(({ payload }) => String(payload["check"])));

  const passed = checksIn(facts).map((name): [string, SolvedMark] => {
    const first = facts.find(({ kind, payload }) => kind === "checkPassed" && payload["check"] === name)!;
    return [name, markOf(first, ({ payload }) => payload["check"] === name || payload["check"] === null)];
  });
  const solved = facts.find(({ kind }) => kind === "labSolved");
  const { attempt } = facts[facts.length - 1];
  const latest = facts.filter((fact) => fact.attempt === attempt);
  return {
    attempts: new Set(facts.map((fact) => fact.attempt)).size,
    stepsReached: unique(stepsIn(facts)),
    checks: new Map(passed),
    solved: solved === undefined ? null : { mark: markOf(solved, () => true), attempt: solved.attempt, timeMs: timeOf(solved.at) },
    resume: {
      attempt,
      step: stepsIn(latest).at(-1) ?? null,
      checksPassed: new Set(checksIn(latest)),
      isSolved: latest.some(({ kind }) => kind === "labSolved"),
    },
  };
}

/** A clock that goes back, as clocks of lab machines do. */
function timeOf(at: number): number {
  return NOON_MS + ((at * 7919) % 1000);
}

it("progress is what the model says, for each of two learners, and never falls", () => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
      const storage = openMemoryStorage();
      const { write } = storage;
      const learners = [addLearner(write, 1), addLearner(write, 2)];
      for (const content of contents) putPack(write, { ...content, place: "shipped", nowMs: NOON_MS });
      const facts: Fact[] = [];
      const attempts: { readonly attempt: number; readonly learner: number; readonly lab: string }[] = [];
      for (const [at, each] of ops.entries()) {
        if (each.what === "start") {
          const { hash, packId } = contents[each.content];
          const lab = uuid(200 + each.lab);
          const { attempt } = startAttempt(write, {
            learner: learners[each.learner],
            packHash: hash,
            lab,
            profile: "p",
            seed: at,
            behaviour: "1",
            nowMs: timeOf(at),
          });
          attempts.push({ attempt, learner: each.learner, lab: labKey({ packId, lab }) });
          facts.push({ at, ...attempts[attempts.length - 1], kind: "started", payload: {} });
        } else if (attempts.length > 0) {
          const target = attempts[each.attempt % attempts.length];
          const before = readProgress(write, learners[target.learner]).get(labKey(splitKey(target.lab)));
          appendEvents(write, { learner: learners[target.learner], attempt: target.attempt }, [each], timeOf(at));
          facts.push({ at, ...target, kind: each.kind, payload: each.payload });
          const after = readProgress(write, learners[target.learner]).get(labKey(splitKey(target.lab)));
          expect(after?.solved ?? null).toEqual(before?.solved ?? after?.solved ?? null);
          for (const [name, mark] of before?.checks ?? []) expect(after?.checks.get(name)).toBe(mark);
        }
      }
      for (const [learner, id] of learners.entries()) {
        const mine = facts.filter((fact) => fact.learner === learner);
        const labs = [...new Set(mine.map(({ lab }) => lab))];
        const expected = new Map(labs.map((lab) => [lab, model(mine.filter((fact) => fact.lab === lab))]));
        expect(new Map(readProgress(write, id))).toEqual(expected);
        for (const { attempt } of attempts.filter((each) => each.learner === learner)) {
          const stored = readEvents(write, { learner: id, attempt }).map(({ kind, payload }) => ({ kind, payload }));
          expect(stored).toEqual(mine.filter((fact) => fact.attempt === attempt).map(({ kind, payload }) => ({ kind, payload })));
        }
      }
      storage.close();
    }),
    { numRuns: runs },
  );
});

function splitKey(key: string): { readonly packId: string; readonly lab: string } {
  const [packId, lab] = key.split("/");
  return { packId, lab };
}
