import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RELEASES, type Release } from "../../kernel/era/releases.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import { asRelease, eraWith } from "../../kernel/thp/eligibility/asRelease.ts";
import { CONDITION_IDS } from "../../kernel/thp/eligibility/conditions.ts";
import { CALLERS } from "../../kernel/thp/eligibility/question.ts";
import { parseRules, printRules, RULES_FILE } from "../../kernel/thp/eligibility/ruleText.ts";
import type { RuleList } from "../../kernel/thp/eligibility/rules.ts";
import { kernelMessagesEn } from "../../kernel/messages.en.ts";
import { answerOf } from "../../observe/eligibility/answers.ts";
import { VERSIONS } from "../../observe/eligibility/versions.ts";
import { observeMessagesEn } from "../../observe/messages.en.ts";
import type { EligibilityPicture, RulesPicture } from "../../observe/picture/model.ts";
import { shellMessagesEn } from "../../shell/messages.en.ts";
import { renderer } from "../../shell/renderMessage.ts";
import { sessionMessagesEn } from "../messages.en.ts";
import { terminalMessagesEn } from "../messages.enTerminal.ts";
import { ShellSession } from "../shellSession.ts";
import { CASES, makeCase } from "./cases.ts";
import { DEFAULT_AGAINST } from "./rulesTool.ts";

const render = renderer({ ...kernelMessagesEn, ...observeMessagesEn, ...shellMessagesEn, ...sessionMessagesEn, ...terminalMessagesEn });
const sessionOn = (profile: string, patches: readonly string[] = []): ShellSession =>
  new ShellSession({ boot: { profile: findProfile(profile) as Profile, patches }, render });

interface Said {
  readonly out: string;
  readonly errors: string;
  readonly made: number | null;
}

function say(session: ShellSession, line: string): Said {
  const step = session.submit(line);
  const text = (stream: string): string => step.output.flatMap((part) => (part.stream === stream ? [part.text] : [])).join("");
  return { out: text("out"), errors: text("error"), made: step.made };
}

const rulesOf = (session: ShellSession): string => say(session, "rules text").out.trim();
const picture = (session: ShellSession, against = DEFAULT_AGAINST): RulesPicture => session.picture({ kind: "rules", against }) as RulesPicture;

describe("rules", () => {
  it("repairs the regression of 6.1: three edits, and every case is answered as by the fix that was merged", () => {
    const session = sessionOn("upstream-6.1");
    expect(say(session, "rules").out).toContain("26 of 252 cells of the table of cases are answered otherwise than in 6.1+huge-fault-fix-v3:");
    for (const line of ["rules set 4 fault next", "rules set 4 smaps next", "rules add hugeFault y--y 8"]) expect(say(session, line).errors).toBe("");
    expect(say(session, "rules try").out).toContain(`All 252 cells of the table of cases are answered as in ${DEFAULT_AGAINST}.`);
    // and not only in the table: the driver's fault is huge now
    for (const line of ["mmap V 4M rw shared file=/dev/hugelab-mixed", "madvise V 4M hugepage", "touch V w"]) session.submit(line);
    expect(say(session, "cat /sys/kernel/debug/hugelab/huge_faults_pmd").out).toBe("1\n");
    expect(say(session, "why V").out).toMatch(/eligibility_rules/);
  });

  it("edits are steps of the history: undo takes them back one by one", () => {
    const session = sessionOn("upstream-6.1");
    const list = rulesOf(session);
    const lines = ["rules move 3 4", "rules drop 0", "rules add fileThp y--- 2", "rules set 5 collapse yes", "rules load 6.7", "rules release"];
    const after = lines.map((line) => {
      expect(say(session, line).made, line).not.toBeNull();
      return rulesOf(session);
    });
    expect(after.at(-1)).toBe(list);
    for (const wanted of [...after.slice(0, -1).reverse(), list]) {
      session.submit("undo");
      expect(rulesOf(session)).toBe(wanted);
    }
    session.submit("redo");
    expect(rulesOf(session)).toBe(after[0]);
    // what changes nothing makes no step
    expect(say(session, "rules").made).toBeNull();
    expect(say(session, "rules try 6.0").made).toBeNull();
  });

  it("move, drop, add, set and text do what they say", () => {
    const session = sessionOn("upstream-6.1");
    const list = rulesOf(session).split(" ");
    say(session, "rules move 3 4");
    expect(rulesOf(session).split(" ")).toEqual([...list.slice(0, 3), list[4], list[3], ...list.slice(5)]);
    say(session, "rules drop 12");
    expect(rulesOf(session).split(" ").at(-1)).toBe("noAnonVma:ynny");
    say(session, "rules add otherwise yy-n");
    expect(rulesOf(session).split(" ").at(-1)).toBe("otherwise:yy-n");
    say(session, "rules set 12 smaps yes");
    expect(rulesOf(session).split(" ").at(-1)).toBe("otherwise:yy-y");
    say(session, "rules text dax:ynnn otherwise:yyyy");
    expect(rulesOf(session)).toBe("dax:ynnn otherwise:yyyy");
    expect(say(session, `cat ${RULES_FILE}`).out).toBe("dax:ynnn otherwise:yyyy\n");
    say(session, `echo release > ${RULES_FILE}`);
    expect(rulesOf(session)).toBe(list.join(" "));
  });

  it.each(["6.0", "6.1+huge-fault-fix-v1", "6.1+huge-fault-fix-v2", "6.7", "6.8", "6.18"])(
    "the list of %s, loaded where its rules apply, answers as it does",
    (name) => {
      const { release, patches } = VERSIONS.find((each) => each.name === name) as (typeof VERSIONS)[number];
      const session = sessionOn(`upstream-${release}`, patches.length === 0 ? [] : ["-madv-collapse", "+madv-collapse"]);
      say(session, `rules load ${name}`);
      expect(picture(session, name).cases).toEqual([]);
      expect(picture(session, name).versions.find((each) => each.name === name)?.differing).toBe(0);
    },
  );

  it("says in one sentence what is wrong, and changes nothing", () => {
    const session = sessionOn("upstream-6.1");
    const before = rulesOf(session);
    const wrong = [
      ["rules mvoe 1 2", "Did you mean move?"],
      ["rules xyzzy", "It knows list"],
      ["rules move 1", "not the number of a rule"],
      ["rules move 1 13", "from 0 to 12"],
      ["rules move 1 2 3", "one word too many"],
      ["rules drop -1", "not the number of a rule"],
      ["rules drop 99999999999", "not the number of a rule"],
      ["rules add", "is no condition"],
      ["rules add hugeFalut y--y", "Did you mean hugeFault?"],
      ["rules add hugeFault yes", "four letters"],
      ["rules add hugeFault y--s", "only the rule about memory of tmpfs"],
      ["rules add hugeFault y--y 99", "from 0 to 13"],
      ["rules set 4 falt yes", "is no caller"],
      ["rules set 4 fault maybe", "is no answer"],
      ["rules set 4 fault shmem", "only the rule about memory of tmpfs"],
      ["rules load 6.99", "is no version"],
      ["rules load 5.19", "no single list"],
      ["rules try 6.1+huge-fault-fix-v9", "Did you mean 6.1+huge-fault-fix-v"],
      ["rules text special:nnnn nonsense", "is no condition"],
      [`rules text ${"dax:nnnn ".repeat(41)}`, "at most 40 rules"],
    ] as const;
    for (const [line, sentence] of wrong) {
      const { out, errors, made } = say(session, line);
      expect(errors, line).toContain(sentence);
      expect([errors.trim().split("\n").length, out, made], line).toEqual([1, "", null]);
    }
    expect(rulesOf(session)).toBe(before);
    expect(say(session, `echo nonsense > ${RULES_FILE}`).errors).not.toBe("");
    expect(rulesOf(session)).toBe(before);
  });

  it("has nothing to edit on 5.19, and says so", () => {
    const session = sessionOn("upstream-5.19");
    for (const line of ["rules", "rules drop 3", "rules load 6.1"]) expect(say(session, line).out, line).toContain("three separate functions");
    expect(say(session, `echo dax:nnnn > ${RULES_FILE}`).errors).not.toBe("");
    expect(session.history.all().length).toBe(1);
  });

  it("takes any words and any list without breaking", () => {
    const session = sessionOn("upstream-6.1");
    const word = fc.oneof(
      fc.constantFrom("move", "drop", "add", "set", "text", "load", "release", "try", "0", "3", "12", "fault", "yes", "hugeFault", "y--y", "special:nn-n"),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (args) => {
        const line = `rules ${args.map((each) => each.replace(/[^\w:.+-]/g, "")).join(" ")}`;
        const step = session.submit(line);
        expect(step.mark).toBe("done");
        expect("rules" in parseRules(rulesOf(session))).toBe(true);
      }),
      { numRuns: 60 },
    );
    const verdict = fc.constantFrom("yes", "no", "next");
    const rule = fc.record({
      id: fc.constant("x"),
      condition: fc.constantFrom(...CONDITION_IDS),
      pageFault: verdict,
      khugepaged: verdict,
      forcedCollapse: verdict,
      smaps: verdict,
    });
    fc.assert(
      fc.property(fc.array(rule, { minLength: 1, maxLength: 40 }), (list) => {
        const parsed = parseRules(printRules(list));
        expect("rules" in parsed && printRules(parsed.rules)).toBe(printRules(list as RuleList));
      }),
    );
  });
});

describe("eligible", () => {
  const table = (session: ShellSession, address: string | null = "V"): EligibilityPicture =>
    session.picture({ kind: "eligibility", process: null, address }) as EligibilityPicture;

  it("says of the learner's mapping what each release says, with the rule, and marks what differs", () => {
    const session = sessionOn("debian-6.18.15");
    for (const line of ["mmap V 4M rw shared file=/dev/hugelab-mixed", "madvise V 4M hugepage"]) session.submit(line);
    const text = say(session, "eligible V").out;
    expect(text).toContain("R8a");
    expect(say(session, "eligible V").made).toBeNull();
    const rows = new Map(table(session).rows.map((row) => [row.name, row.cells.map((cell) => `${cell.answer} ${cell.rule}${cell.differs ? " *" : ""}`)]));
    expect(rows.get("5.19")).toEqual(["yes F7", "no K2", "none ", "no S5"]);
    expect(rows.get("6.0")).toEqual(["no R4 *", "no R4", "none ", "no R4"]);
    expect(rows.get("6.1+huge-fault-fix-v1")).toEqual(["no R9", "no R4", "no R4", "no R9"]);
    expect(rows.get("6.1+huge-fault-fix-v2")).toEqual(["yes R8a *", "no R4", "no R4", "no R8c"]);
    expect(rows.get("6.1+huge-fault-fix-v3")).toEqual(["yes R8a *", "no R4", "no R4", "yes R8a *"]);
    expect(rows.get("6.7")).toEqual(["yes R8a *", "no R4", "no R4", "yes R8a *"]);
    expect([...rows.keys()]).toContain("6.2 to 6.6");
  });

  it.each(["5.19", "6.0", "6.1", "6.2", "6.7", "6.8", "6.12", "6.18"] as const)(
    "%s answers a machine of 6.18 as a machine of its own would be answered",
    (release: Release) => {
      for (const each of CASES) {
        const here = makeCase(each, findProfile("upstream-6.18") as Profile);
        const there = makeCase(each, findProfile(`upstream-${release}`) as Profile);
        const view = asRelease(here.k, eraWith(release));
        for (const caller of CALLERS) {
          const a = answerOf(view, here.vma, caller);
          const b = answerOf(there.k, there.vma, caller);
          expect([a.allowed, a.rule?.id, a.orders, a.then, a.symbol], `${each.name}, ${caller}`).toEqual([b.allowed, b.rule?.id, b.orders, b.then, b.symbol]);
        }
      }
      expect(RELEASES).toContain(release);
    },
  );

  it("follows the settings, and says what it has nothing to say about", () => {
    const session = sessionOn("upstream-6.1");
    expect(say(session, "eligible").out).toContain("P has no mappings yet");
    session.submit("mmap V 4M rw private anon");
    const own = (): string =>
      table(session)
        .rows[0].cells.map((cell) => cell.answer)
        .join(" ");
    expect(own()).toBe("no no no no");
    session.submit("sys thp enabled always");
    expect(own()).toBe("yes no no yes");
    session.submit("touch V w");
    expect(own()).toBe("yes yes yes yes");
    expect(say(session, "eligible V+1G").out).toContain("nothing mapped");
    expect(say(session, "eligible V @Q").out).toContain("Q");
    expect(say(session, "eligible V W").errors).toContain("one word too many");
    session.submit("rules add otherwise nnnn 0");
    expect(own()).toBe("no no no no");
    expect(table(session).rows[0].title).toContain("by hand");
    // the releases do not know of it
    expect(table(session).rows.find((row) => row.name.startsWith("6.1"))?.cells[0].answer).toBe("yes");
  });

  it("the twin says all that the table says", () => {
    const session = sessionOn("debian-6.12.107");
    for (const line of ["mmap V 4M rw private anon", "touch V w"]) session.submit(line);
    const shown = table(session);
    const twin = shown.twin.join("\n");
    for (const row of shown.rows) {
      expect(twin).toContain(row.name);
      for (const cell of row.cells) if (cell.rule !== "") expect(twin).toContain(`${cell.rule.padEnd(4)} ${cell.reason} (${cell.symbol})`);
    }
    const rules = picture(session);
    for (const rule of rules.rules) expect(rules.twin.join("\n")).toContain(rule.label);
  });
});
