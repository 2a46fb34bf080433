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
    const cells = row.cells.map(({ text, rule, differs }) => marked(rule === "" ? text : `${text} (${rule})`, differs).padEnd(CELL_WIDTH));
    lines.push([row.name.padEnd(NAME_WIDTH), ...cells].join("").trimEnd());
    if (row.title !== "") lines.push(`  ${row.title}`);
  }
  lines.push(say("observe.eligible.mark"), "");
  for (const row of picture.rows) {
    const texts = row.cells.map((cell, i) => ({ caller: picture.callers[i].title, cell }));
    lines.push(`${row.name}:`);
    for (const { caller, cell } of texts) {
      const by = cell.rule === "" ? cell.symbol : `${cell.symbol} ${cell.rule}`;
      lines.push(`  ${caller}: ${cell.text} (${by}: ${cell.reason})`);
    }
  }
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
  for (const { name, differing } of picture.versions) lines.push(`  ${String(differing).padStart(4)}  ${name}`);
  return lines;
}
