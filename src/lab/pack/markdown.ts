import MarkdownIt from "markdown-it";
import type { Token } from "markdown-it";
import type { ProblemList } from "./problem.ts";

/** What the Markdown of a pack may have: no HTML, links that stay inside or are https, images that come with the pack. */

/** As a reader: everything is let through, so that what may not be there can be named. */
function reader(): InstanceType<typeof MarkdownIt> {
  const md = new MarkdownIt("commonmark", { html: true, maxNesting: 20 });
  md.validateLink = () => true;
  return md.enable("table");
}

function* everyToken(tokens: readonly Token[]): Generator<Token> {
  for (const token of tokens) {
    yield token;
    if (token.children !== null) yield* everyToken(token.children);
  }
}

const INTERNAL = /^(#[a-z0-9-]{1,64}|step:[a-z][a-z0-9-]{0,31})$/;

function isHttps(target: string): boolean {
  if (!/^https:\/\/[a-z0-9]/i.test(target)) return false;
  // no name and password in front of the host, which could show another one than is gone to
  return /^https:\/\/[a-z0-9][a-z0-9.-]*(:\d{1,5})?(\/[\x21-\x7e]*)?$/i.test(target);
}

/** Checks a text; `asset` tells whether a picture of that name is in the lab, and `step` whether there is such a step (null: not known yet). */
export function checkMarkdown(
  file: string,
  text: string,
  firstLine: number,
  asset: (name: string) => boolean,
  problems: ProblemList,
): { readonly steps: readonly string[]; readonly assets: readonly string[] } {
  const steps: string[] = [];
  const assets: string[] = [];
  let line = firstLine;
  for (const token of everyToken(reader().parse(text, {}))) {
    if (token.map !== null) line = firstLine + token.map[0];
    const place = `line ${line}`;
    if (token.type === "html_block" || token.type === "html_inline") problems.add(file, place, "html", { found: token.content.trim() });
    else if (token.type === "link_open") {
      const target = String(token.attrGet("href") ?? "");
      if (target.startsWith("step:")) steps.push(target.slice(5));
      if (!INTERNAL.test(target) && !isHttps(target)) problems.add(file, place, "link", { target });
    } else if (token.type === "image") {
      const name = String(token.attrGet("src") ?? "");
      assets.push(name);
      if (!asset(name)) problems.add(file, place, "image", { name });
      if (token.content.trim() === "") problems.add(file, place, "altText", { name });
    }
  }
  return { steps, assets };
}

export interface HintSection {
  readonly check: string;
  /** line of the heading */
  readonly line: number;
  /** Markdown of each rung */
  readonly rungs: readonly string[];
}

/** hints.md: `## CHECK` headings, each with an ordered list whose items are the rungs. Anything else is named as a problem. */
export function readHints(file: string, text: string, problems: ProblemList): HintSection[] {
  const sections: { check: string; line: number; rungs: string[] }[] = [];
  const tokens = reader().parse(text, {});
  let item: string[] | null = null;
  let depth = 0;
  tokens.forEach((token, i) => {
    const line = (token.map?.[0] ?? 0) + 1;
    const section = sections.at(-1);
    switch (token.type) {
      case "heading_open":
        if (token.tag === "h2" && depth === 0) sections.push({ check: tokens[i + 1].content.trim(), line, rungs: [] });
        else if (token.tag !== "h1" || sections.length > 0) problems.add(file, `line ${line}`, "hintForm");
        return;
      case "ordered_list_open":
        depth++;
        if (section === undefined) problems.add(file, `line ${line}`, "hintForm");
        return;
      case "ordered_list_close":
        depth--;
        return;
      case "list_item_open":
        if (depth === 1) item = [];
        return;
      case "list_item_close":
        if (depth === 1 && item !== null) section?.rungs.push(item.join("\n\n"));
        if (depth === 1) item = null;
        return;
      case "inline":
      case "fence":
      case "code_block":
        if (item !== null) item.push(token.type === "inline" ? token.content : `\`\`\`\n${token.content}\`\`\``);
        else if (tokens[i - 1]?.type !== "heading_open") problems.add(file, `line ${line}`, "hintForm");
        return;
    }
  });
  return sections;
}

/** The prose of a text: no code blocks, no marks; paragraphs are sentences of their own. For counting words. */
export function proseOf(text: string): string {
  const lines: string[] = [];
  for (const token of reader().parse(text, {})) {
    if (token.type !== "inline") continue;
    const words = (token.children ?? []).map((child) => (child.type === "text" || child.type === "code_inline" ? child.content : " "));
    const line = words.join("").trim();
    if (line !== "") lines.push(/[.!?:]$/.test(line) ? line : `${line}.`);
  }
  return lines.join("\n");
}

/** Lines of fenced blocks of a text that are marked as lines for the terminal. */
export function terminalLines(text: string): string[] {
  return reader()
    .parse(text, {})
    .filter((token) => token.type === "fence" && token.info.trim() === TERMINAL_FENCE)
    .flatMap((token) => token.content.split("\n"))
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** What stands behind the backticks of a block whose lines can be put into the terminal. */
export const TERMINAL_FENCE = "hugelab";
