import type { Era } from "../../kernel/era/era.ts";
import type { Kernel } from "../../kernel/mm/kernel.ts";
import { eraWith, otherwise } from "../../kernel/thp/eligibility/asRelease.ts";
import { CONDITION_IDS } from "../../kernel/thp/eligibility/conditions.ts";
import { CALLERS } from "../../kernel/thp/eligibility/question.ts";
import { editableRules } from "../../kernel/thp/eligibility/ruleLists.ts";
import type { RuleList } from "../../kernel/thp/eligibility/rules.ts";
import { answerOf, type CallerAnswer } from "../../observe/eligibility/answers.ts";
import { findVersion, VERSIONS } from "../../observe/eligibility/versions.ts";
import { callerTitle, conditionText } from "../../observe/eligibility/words.ts";
import type { Say } from "../../observe/picture/context.ts";
import type { RulesPicture, RulesRequest } from "../../observe/picture/model.ts";
import { rulesTwin } from "../../observe/eligibility/twin.ts";
import { CASES, ENABLED, makeCase, type MadeCase } from "./cases.ts";

/** The picture of the rules of the check, and of what they answer to the table of cases, against a release or a posted patch. */

/** What every case is answered, one after the other: enabled outer, callers inner. */
type Answers = readonly CallerAnswer[];

/** The cases, made once for a machine, and what the versions answer to them. */
export class CaseTable {
  readonly #kernel: Kernel;
  #made: readonly MadeCase[] | null = null;
  readonly #versions = new Map<string, readonly Answers[]>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Answers of a behaviour with its own rules, or with others in their place. */
  answers(era: Era, rules: RuleList | null): readonly Answers[] {
    this.#made ??= CASES.map((each) => makeCase(each, this.#kernel.profile));
    return this.#made.map(({ k, vma }) =>
      ENABLED.flatMap((enabled) => {
        const view = otherwise(k, { era, globals: { enabled, eligibilityRules: rules } });
        return CALLERS.map((caller) => answerOf(view, vma, caller));
      }),
    );
  }

  /** Answers of a release or a posted patch, worked out once. */
  of(name: string): readonly Answers[] | null {
    const version = findVersion(name);
    if (version === undefined) return null;
    let known = this.#versions.get(name);
    if (known === undefined) {
      known = this.answers(eraWith(version.release, version.patches), null);
      this.#versions.set(name, known);
    }
    return known;
  }
}

/** Cells that both have and answer otherwise. */
const differing = (a: Answers, b: Answers): number[] =>
  a.flatMap((answer, i) => (answer.allowed === null || b[i].allowed === null || answer.allowed === b[i].allowed ? [] : [i]));

const yesNo = (answer: CallerAnswer): "yes" | "no" => (answer.allowed === true ? "yes" : "no");

export function rulesPicture(k: Kernel, table: CaseTable, request: RulesRequest, say: Say): RulesPicture {
  const callers = CALLERS.map((caller) => ({ id: caller, title: callerTitle(say, caller) }));
  const release = editableRules(k.era);
  const none = { kind: "rules", callers, rules: [], conditions: [], versions: [], cellCount: 0, cases: [], summary: "", twin: [] } as const;
  if (release === null || !k.geo.thp) {
    const title = say(k.geo.thp ? "session.rules.notEditable" : "session.rules.noThp");
    return { ...none, title, editable: false, edited: false, against: request.against, twin: [title] };
  }
  const against = findVersion(request.against)?.name ?? VERSIONS[0].name;
  const rules = k.g.eligibilityRules ?? release;
  const mine = table.answers(k.era, k.g.eligibilityRules);
  const theirs = table.of(against) ?? mine;
  const cases = CASES.flatMap((each, i) => {
    const cells = differing(mine[i], theirs[i]).map((at) => ({
      caller: callerTitle(say, mine[i][at].caller),
      enabled: ENABLED[Math.floor(at / CALLERS.length)],
      mine: yesNo(mine[i][at]),
      theirs: yesNo(theirs[i][at]),
      myRule: mine[i][at].rule?.id ?? "-",
      theirRule: theirs[i][at].rule?.id ?? "-",
    }));
    return cells.length === 0 ? [] : [{ name: each.name, script: each.script, cells }];
  });
  const cellCount = mine.reduce((sum, answers, i) => sum + answers.filter((answer, at) => answer.allowed !== null && theirs[i][at].allowed !== null).length, 0);
  const differs = cases.reduce((sum, each) => sum + each.cells.length, 0);
  const picture: RulesPicture = {
    ...none,
    title: say(k.g.eligibilityRules === null ? "session.rules.title" : "session.rules.titleEdited", { release: k.profile.kernelRelease }),
    editable: true,
    edited: k.g.eligibilityRules !== null,
    rules: rules.map((rule) => ({
      id: rule.id,
      condition: rule.condition,
      label: conditionText(say, rule.condition),
      answers: CALLERS.map((caller) => rule[caller]),
    })),
    conditions: CONDITION_IDS.map((id) => ({ id, label: conditionText(say, id) })),
    versions: VERSIONS.map(({ name }) => ({
      name,
      differing: mine.reduce((sum, answers, i) => sum + differing(answers, (table.of(name) ?? mine)[i]).length, 0),
    })),
    against,
    cellCount,
    cases,
    summary: say(differs === 0 ? "session.rules.same" : "session.rules.differs", { differs, count: cellCount, against }),
  };
  return { ...picture, twin: rulesTwin(say, picture) };
}
