import type { Kernel } from "../../kernel/mm/kernel.ts";
import { eraWith } from "../../kernel/thp/eligibility/asRelease.ts";
import { CONDITION_IDS } from "../../kernel/thp/eligibility/conditions.ts";
import type { Caller } from "../../kernel/thp/eligibility/question.ts";
import { editableRules } from "../../kernel/thp/eligibility/ruleLists.ts";
import { MOST_RULES, parseRule, parseRules, printRules, RULES_FILE, type RuleProblem } from "../../kernel/thp/eligibility/ruleText.ts";
import { VERDICTS, type Rule, type RuleList, type Verdict } from "../../kernel/thp/eligibility/rules.ts";
import type { Message } from "../../kernel/message.ts";
import { findVersion, VERSIONS } from "../../observe/eligibility/versions.ts";
import type { Picture, PictureRequest } from "../../observe/picture/model.ts";
import { closest } from "../../shell/editDistance.ts";
import type { ManTexts } from "../../shell/man/manText.ts";
import type { CommandSpec } from "../../shell/table/commandSpec.ts";
import { arg, optional, repeated, row, words } from "../../shell/table/rowHelpers.ts";
import { failure, success, textOfLines, type Tool, type ToolContext, type ToolResult } from "../../shell/tools/tool.ts";

/** The commands about who may have a huge page: `eligible` shows the decision table of a mapping, `rules` shows and edits the rules behind it. */

export interface EligibilityHost {
  readonly world: { readonly machine: { readonly kernel: Kernel } };
  readonly acting: string;
  picture(request: PictureRequest): Picture;
}

const ACTIONS = ["list", "try", "move", "drop", "add", "set", "load", "text", "release"] as const;
/** How callers are called on a command line. */
const CALLER_WORDS: Readonly<Record<string, Caller>> = { fault: "pageFault", khugepaged: "khugepaged", collapse: "forcedCollapse", smaps: "smaps" };
/** What the rules are compared with unless something else is said: what was merged in the end. */
export const DEFAULT_AGAINST = "6.1+huge-fault-fix-v3";

export const ELIGIBILITY_ROWS: readonly CommandSpec[] = [
  row("tool", "eligible", [optional(repeated(arg("ADDRESS|@PROCESS", "address")))], { seeAlso: ["rules", "why", "era", "compare"] }),
  row(
    "tool",
    "rules",
    [
      optional(words(ACTIONS.join("|"), ACTIONS)),
      optional(repeated(words("WORD", [...CONDITION_IDS, ...Object.keys(CALLER_WORDS), ...VERDICTS, ...VERSIONS.map(({ name }) => name)], "flags"))),
    ],
    { seeAlso: ["eligible", "era", "undo"] },
  ),
];

export const eligibilityManEn: ManTexts = {
  eligible: {
    summary: "show who may have a huge page in a mapping, in every release",
    description:
      "A line for your own machine, for each release and for each posted version of the fix; a column for each of those who ask: the page fault, khugepaged, MADV_COLLAPSE, and THPeligible of smaps. Each cell has the answer and the rule that gave it; the rules are explained below the table. A * marks an answer that is another than in the release before, or for a patch and for your machine than in the release alone. Without ADDRESS the first mapping is shown. The mapping and the settings are taken as they are on your machine; a setting that a release did not have is not looked at there.",
  },
  rules: {
    summary: "show and edit the rules of the eligibility check",
    description:
      "The check goes through a list of rules from the first to the last; the first whose condition holds, and that has an answer for the caller, decides. rules lists them: the number of the rule, its answers to the page fault, khugepaged, MADV_COLLAPSE and smaps (yes, no, as tmpfs says, or - for nothing: the next rule is asked), and its condition. Below the list stands how the answers to the table of cases differ from a release or a posted patch: rules try VERSION chooses which, for example 6.1 or 6.1+huge-fault-fix-v2.\n\nrules move N M puts rule N at place M. rules drop N takes it out. rules add CONDITION ANSWERS [N] puts a new one in, at place N or at the end; ANSWERS are four letters y, n, s or -, in the order of the columns. rules set N CALLER ANSWER changes one answer; CALLER is fault, khugepaged, collapse or smaps, ANSWER yes, no, next or shmem. rules load VERSION takes the list of another release. rules text prints the list as one line, and rules text LINE.. takes such a line. rules release brings the rules of your release back.\n\nThe edited rules are those of your machine, as with a live patch: faults, khugepaged, MADV_COLLAPSE and smaps obey them, and why names them. undo takes an edit back. They are also in /sys/kernel/livepatch/hugelab/eligibility_rules.",
    notes: "5.19 has three separate functions and no single list; there the rules cannot be edited.",
  },
};

const PROBLEMS: Readonly<Record<RuleProblem, string>> = {
  tooMany: "session.rules.tooMany",
  empty: "session.rules.empty",
  condition: "session.rules.condition",
  letters: "session.rules.letters",
  shmem: "session.rules.shmemOnly",
};

class RulesMistake extends Error {
  readonly said: Message;
  constructor(key: string, args: Message["args"] = {}) {
    super(key);
    this.said = { key, args };
  }
}

/** The number of a rule, up to `most`. */
function numberOf(word: string | undefined, most: number): number {
  if (word === undefined || !/^\d{1,3}$/.test(word) || Number(word) > most) throw new RulesMistake("session.rules.number", { word: word ?? "", most });
  return Number(word);
}

function conditionProblem(word: string): RulesMistake {
  const near = closest(word.split(":")[0], [...CONDITION_IDS]);
  return near === null ? new RulesMistake("session.rules.condition", { word }) : new RulesMistake("session.rules.conditionNear", { word, suggestion: near });
}

function parsedRule(text: string): Rule {
  const parsed = parseRule(text, "new");
  if ("rule" in parsed) return parsed.rule;
  throw parsed.problem === "condition" ? conditionProblem(text) : new RulesMistake(PROBLEMS[parsed.problem], { word: parsed.word });
}

function changedAnswer(rule: Rule, callerWord: string | undefined, answer: string | undefined): Rule {
  const caller = Object.hasOwn(CALLER_WORDS, callerWord ?? "") ? CALLER_WORDS[callerWord ?? ""] : undefined;
  if (caller === undefined) throw new RulesMistake("session.rules.caller", { word: callerWord ?? "", callers: Object.keys(CALLER_WORDS).join(", ") });
  if (!(VERDICTS as readonly string[]).includes(answer ?? ""))
    throw new RulesMistake("session.rules.answer", { word: answer ?? "", answers: VERDICTS.join(", ") });
  if (answer === "shmem" && rule.condition !== "shmem") throw new RulesMistake("session.rules.shmemOnly", { word: rule.condition });
  return { ...rule, [caller]: answer as Verdict };
}

/** The list after an edit; null: the rules of the release. @throws RulesMistake */
function edited(rules: RuleList, [action, ...args]: readonly string[]): RuleList | null {
  const last = rules.length - 1;
  const surplus = { move: 2, drop: 1, add: 3, set: 3, load: 1, release: 0 }[action] ?? Infinity;
  if (args.length > surplus) throw new RulesMistake("session.rules.extra", { word: args[surplus] });
  switch (action) {
    case "move": {
      const from = numberOf(args[0], last);
      const rest = rules.filter((_, i) => i !== from);
      return rest.toSpliced(numberOf(args[1], last), 0, rules[from]);
    }
    case "drop": {
      const at = numberOf(args[0], last);
      if (rules.length === 1) throw new RulesMistake("session.rules.empty");
      return rules.filter((_, i) => i !== at);
    }
    case "add": {
      if (rules.length >= MOST_RULES) throw new RulesMistake("session.rules.tooMany", { most: MOST_RULES, word: args[0] ?? "" });
      const rule = parsedRule(`${args[0] ?? ""}:${args[1] ?? ""}`);
      return rules.toSpliced(args[2] === undefined ? rules.length : numberOf(args[2], rules.length), 0, rule);
    }
    case "set": {
      const at = numberOf(args[0], last);
      return rules.with(at, changedAnswer(rules[at], args[1], args[2]));
    }
    case "load": {
      const version = findVersion(args[0] ?? "");
      const list = version === undefined ? null : editableRules(eraWith(version.release, version.patches));
      if (version === undefined) throw versionMistake(args[0] ?? "");
      if (list === null) throw new RulesMistake("session.rules.noList", { version: version.name });
      return list;
    }
    case "text": {
      const parsed = parseRules(args.join(" "));
      if ("rules" in parsed) return parsed.rules;
      throw parsed.problem === "condition"
        ? conditionProblem(parsed.word)
        : new RulesMistake(PROBLEMS[parsed.problem], { most: MOST_RULES, word: parsed.word });
    }
    default:
      return null;
  }
}

function versionMistake(word: string): RulesMistake {
  const near = closest(
    word,
    VERSIONS.map(({ name }) => name),
  );
  return near === null ? new RulesMistake("session.rules.version", { word }) : new RulesMistake("session.rules.versionNear", { word, suggestion: near });
}

const show = (host: EligibilityHost, against: string): ToolResult => success(textOfLines(host.picture({ kind: "rules", against }).twin));

const rules =
  (host: EligibilityHost): Tool =>
  (args, _stdin, context) => {
    const [action = "list"] = args;
    const k = host.world.machine.kernel;
    if (!(ACTIONS as readonly string[]).includes(action)) return unknownAction(action);
    const release = editableRules(k.era);
    // a machine without a list says so, whatever is asked
    if (release === null || !k.geo.thp) return show(host, DEFAULT_AGAINST);
    if (action === "list") return args.length > 1 ? failure("session.rules.extra", { word: args[1] }) : show(host, DEFAULT_AGAINST);
    const now = k.g.eligibilityRules ?? release;
    try {
      if (action === "try") return tryAgainst(host, args);
      if (action === "text" && args.length === 1) return success(`${printRules(now)}\n`);
      return written(host, edited(now, args), context);
    } catch (error) {
      if (!(error instanceof RulesMistake)) throw error;
      return { stdout: "", errors: [error.said], status: 1 };
    }
  };

function unknownAction(word: string): ToolResult {
  const near = closest(word, [...ACTIONS]);
  return near === null
    ? failure("session.rules.action", { word, actions: ACTIONS.join(", ") })
    : failure("session.rules.actionNear", { word, suggestion: near });
}

function tryAgainst(host: EligibilityHost, args: readonly string[]): ToolResult {
  const name = args[1] ?? DEFAULT_AGAINST;
  if (args[2] !== undefined) return failure("session.rules.extra", { word: args[2] });
  if (findVersion(name) === undefined) throw versionMistake(name);
  return show(host, name);
}

/** Puts a list into the machine as a person would who writes the file. */
function written(host: EligibilityHost, list: RuleList | null, context: ToolContext): ToolResult {
  const errno = context.files.write(RULES_FILE, `${list === null ? "release" : printRules(list)}\n`, false);
  return errno === null ? show(host, DEFAULT_AGAINST) : failure("shell.tool.file", { tool: "rules", path: RULES_FILE, errno });
}

const eligible =
  (host: EligibilityHost): Tool =>
  (args) => {
    const process = args.find((word) => word.startsWith("@"))?.slice(1) ?? host.acting;
    const [address, extra] = args.filter((word) => !word.startsWith("@"));
    if (extra !== undefined) return failure("session.rules.extra", { word: extra });
    return success(textOfLines(host.picture({ kind: "eligibility", process, address: address ?? null }).twin));
  };

/** The tools, by name. */
export const eligibilityTools = (host: EligibilityHost): Readonly<Record<string, Tool>> => ({ eligible: eligible(host), rules: rules(host) });
