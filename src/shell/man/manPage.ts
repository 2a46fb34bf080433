import type { RenderMessage } from "../renderMessage.ts";
import { usageOf, type CommandForm, type CommandSpec } from "../table/commandSpec.ts";
import type { CommandTable } from "../table/commandTable.ts";
import type { ManText, ManTexts } from "./manText.ts";

/** columns of a page */
const WIDTH = 78;
const INDENT = "       ";
const FORMS: readonly CommandForm[] = ["call", "command", "tool"];
const FORM_NAMES: Readonly<Record<CommandForm, string>> = { call: "shell.man.formCall", command: "shell.man.formCommand", tool: "shell.man.formTool" };
const HELP_HEADS: Readonly<Record<CommandForm, string>> = { call: "shell.help.calls", command: "shell.help.operations", tool: "shell.help.tools" };

/** What a page is made of besides its rows: its words and the headings. */
export interface ManLanguage {
  readonly texts: ManTexts;
  readonly render: RenderMessage;
}

const NO_TEXT: ManText = { summary: "", description: "" };

/**
 * The manual page of a name, made from its rows: NAME, SYNOPSIS, DESCRIPTION, ERRORS, NOTES, SEE ALSO.
 * `section` null: any. Null when the table has no such page.
 */
export function manPage(table: CommandTable, name: string, language: ManLanguage, section: number | null = null): string | null {
  const rows = table.all(name).filter((spec) => section === null || spec.section === section);
  const first = rows[0];
  if (first === undefined) return null;
  const say = (key: string): string => language.render({ key, args: {} });
  const pages = [...new Set(rows.map((spec) => spec.page))].map((page) => textOf(language, page));
  const title = `${name.toUpperCase()}(${first.section})`;
  const lines = [`${title}${" ".repeat(Math.max(1, WIDTH - 2 * title.length))}${title}`, ""];
  lines.push(say("shell.man.headName"), ...wrap(`${name} - ${pages[0].summary}`, INDENT), "");
  lines.push(say("shell.man.headSynopsis"), ...synopsis(rows, say), "");
  lines.push(say("shell.man.headDescription"), ...pages.flatMap((page) => paragraphs(page.description)));
  const errnos = [...new Set(rows.flatMap((spec) => spec.errnos))].sort();
  const sentenceOf = (errno: string): string => pages.map((page) => page.errnos?.[errno]).find((text) => text !== undefined) ?? "";
  if (errnos.length > 0)
    lines.push(say("shell.man.headErrors"), ...errnos.flatMap((errno) => [INDENT + errno, ...wrap(sentenceOf(errno), `${INDENT}    `), ""]));
  const notes = pages.flatMap((page) => page.notes ?? []);
  if (notes.length > 0) lines.push(say("shell.man.headNotes"), ...notes.flatMap(paragraphs));
  const others = [...new Set(rows.flatMap((spec) => spec.seeAlso))].flatMap((other) => {
    const there = table.all(other)[0];
    return there === undefined ? [] : [`${other}(${there.section})`];
  });
  if (others.length > 0) lines.push(say("shell.man.headSeeAlso"), ...wrap(others.join(", "), INDENT));
  while (lines[lines.length - 1] === "") lines.pop();
  return `${lines.join("\n")}\n`;
}

/** `help`: every command with its summary, by form; `help NAME`: how its rows are typed. Null when there is no such name. */
export function helpText(table: CommandTable, name: string | null, language: ManLanguage): string | null {
  const say = (key: string): string => language.render({ key, args: {} });
  if (name !== null) {
    const rows = table.all(name);
    if (rows.length === 0) return null;
    return `${[...wrap(`${name}: ${textOf(language, rows[0].page).summary}`, ""), ...synopsis(rows, say)].join("\n")}\n`;
  }
  const lines: string[] = [];
  for (const form of FORMS) {
    const names = table.names(form);
    if (names.length === 0) continue;
    lines.push(say(HELP_HEADS[form]));
    for (const each of names) lines.push(`  ${each.padEnd(12)} ${textOf(language, table.find(each, form)[0].page).summary}`);
    lines.push("");
  }
  lines.push(say("shell.help.more"));
  return `${lines.join("\n")}\n`;
}

function textOf(language: ManLanguage, page: string): ManText {
  return Object.hasOwn(language.texts, page) ? language.texts[page] : NO_TEXT;
}

function synopsis(rows: readonly CommandSpec[], say: (key: string) => string): string[] {
  const forms = FORMS.filter((form) => rows.some((spec) => spec.form === form));
  return forms.flatMap((form) => {
    const heading = forms.length > 1 ? [`${INDENT}${say(FORM_NAMES[form])}:`] : [];
    const deeper = forms.length > 1 ? `${INDENT}    ` : INDENT;
    return [...heading, ...rows.filter((spec) => spec.form === form).flatMap((spec) => wrap(usageOf(spec), deeper, `${deeper}    `))];
  });
}

/** A text of paragraphs (separated by an empty line), each followed by an empty line. */
function paragraphs(text: string): string[] {
  return text.split("\n\n").flatMap((paragraph) => [...wrap(paragraph, INDENT), ""]);
}

/** Breaks a text at blanks. A word longer than a line keeps a line of its own. */
export function wrap(text: string, indent: string, nextIndent = indent): string[] {
  const lines: string[] = [];
  let line = indent;
  let empty = true;
  for (const word of text.split(/\s+/)) {
    if (word === "") continue;
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = nextIndent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  lines.push(line);
  return lines;
}
