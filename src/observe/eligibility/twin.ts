import type { Say } from "../picture/context.ts";
import type { EligibilityPicture, RulesPicture } from "../picture/model.ts";

/** The text twins of the pictures about eligibility. */

const NAME_WIDTH = 24;
const CELL_WIDTH = 22;

/** Marks what differs, as the picture does. */
const marked = (text: string, differs: boolean): string => `${differs ? "*" : " "}${text}`;

export function eligibilityTwin(say: Say, picture: EligibilityPicture): string[] {
  const lines = [picture.title];
  if (picture.area === null) return lines;
  lines.push(`  ${picture.area.label}`, `  VmFlags ${picture.area.vmFlags.join(" ")}`);
  lines.push([" ".repeat(NAME_WIDTH), ...picture.callers.map(({ title }) => ` ${title}`.padEnd(CELL_WIDTH))].join("").trimEnd());
  for (const row of picture.rows) {
    const cells = row.cells.map(({ text, rule, differs }) => marked(rule === "" ? text : `${text} (${rule})`, differs).padEnd(CELL_WIDTH - 1));
    lines.push([row.name.padEnd(NAME_WIDTH - 1), ...cells].join(" ").trimEnd());
    if (row.title !== "") lines.push(`  ${row.title}`);
  }
  lines.push(say("observe.eligible.mark"), say("observe.eligible.rules"));
  const cells = picture.rows.flatMap((row) => row.cells).filter(({ rule }) => rule !== "");
  const reasons = cells.map(({ symbol, rule, reason }) => `  ${rule.padEnd(4)} ${reason} (${symbol})`);
  lines.push(...[...new Set(reasons)].sort());
  return lines;
}

export function rulesTwin(say: Say, picture: RulesPicture): string[] {
  const lines = [picture.title];
  if (!picture.editable) return lines;
  lines.push(`${" ".repeat(11)}${picture.callers.map(({ title }) => title.padEnd(CELL_WIDTH)).join("")}`.trimEnd());
  picture.rules.forEach((rule, i) => {
    const answers = rule.answers.map((answer) => say(`observe.ruleAnswer.${answer}`).padEnd(CELL_WIDTH)).join("");
    lines.push(`${String(i).padStart(3)}  ${rule.id.padEnd(4)}  ${answers.trimEnd()}`, `           ${rule.condition}: ${rule.label}`);
  });
  lines.push(picture.summary);
  for (const each of picture.cases) {
    lines.push(`${each.name}:`);
    for (const cell of each.cells) {
      const { caller, enabled, mine, theirs, myRule, theirRule } = cell;
      lines.push(`  ${say("observe.rules.differs", { caller, enabled, mine, theirs, myRule, theirRule, against: picture.against })}`);
    }
  }
  lines.push(say("observe.rules.versions"));
  for (let i = 0; i < picture.versions.length; i++) {
    const { name, differing } = picture.versions[i];
    // patches stand for themselves; releases that differ alike are one line
    const isAlike = (other: RulesPicture["versions"][number]): boolean => other.differing === differing && !`${name}${other.name}`.includes("+");
    let last = i;
    while (last + 1 < picture.versions.length && isAlike(picture.versions[last + 1])) last++;
    const names = last === i ? name : say("observe.eligible.range", { from: name, to: picture.versions[last].name });
    lines.push(`  ${String(differing).padStart(4)}  ${names}`);
    i = last;
  }
  return lines;
}
