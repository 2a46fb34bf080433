/**
 * Markdown of labs as plain data, which components turn into elements: nothing of a pack is ever taken as HTML. markdown-it reads it with `html: false`;
 * of links only those to the sites that a lab may point to stay links, images and everything that has no place here show as their text.
 */
import MarkdownIt, { type Token } from "markdown-it";

export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "break" }
  | { readonly kind: "strong"; readonly children: readonly Inline[] }
  | { readonly kind: "emphasis"; readonly children: readonly Inline[] }
  | { readonly kind: "link"; readonly href: string; readonly children: readonly Inline[] };

export type Block =
  | { readonly kind: "paragraph"; readonly children: readonly Inline[] }
  | { readonly kind: "heading"; readonly level: number; readonly children: readonly Inline[] }
  /** `runnable`: each line is one of Hugelab's terminal */
  | { readonly kind: "code"; readonly lines: readonly string[]; readonly runnable: boolean }
  | { readonly kind: "list"; readonly ordered: boolean; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: "quote"; readonly children: readonly Block[] }
  | { readonly kind: "table"; readonly head: readonly (readonly Inline[])[]; readonly rows: readonly (readonly (readonly Inline[])[])[] }
  | { readonly kind: "rule" };

/** Where a lab's prose may point to. */
const LINK_HOSTS: readonly string[] = ["docs.kernel.org", "www.kernel.org", "lore.kernel.org", "git.kernel.org", "man7.org", "lwn.net"];
const RUNNABLE = /^(hugelab|console|sh|shell)$/;
const DEPTH_MOST = 12;

const markdown = new MarkdownIt("default", { html: false, linkify: false, typographer: false });

export function isAllowedLink(href: string): boolean {
  try {
    const { protocol, hostname, username, port } = new URL(href);
    return protocol === "https:" && username === "" && port === "" && LINK_HOSTS.includes(hostname);
  } catch {
    return false;
  }
}

/** Reads tokens one after the other; lives for one call. */
class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  blocks(end: string | null, depth: number): readonly Block[] {
    const blocks: Block[] = [];
    while (this.#at < this.#tokens.length) {
      const token = this.#tokens[this.#at++];
      if (token.type === end) break;
      const block = this.#block(token, depth);
      if (block !== null) blocks.push(block);
    }
    return blocks;
  }

  #block(token: Token, depth: number): Block | null {
    switch (token.type) {
      case "paragraph_open":
        return { kind: "paragraph", children: this.#inlineUntil("paragraph_close") };
      case "heading_open":
        return { kind: "heading", level: Number(token.tag.slice(1)), children: this.#inlineUntil("heading_close") };
      case "fence":
        return codeBlock(token.content, RUNNABLE.test(token.info.trim().split(/\s/)[0]));
      case "code_block":
        return codeBlock(token.content, false);
      case "hr":
        return { kind: "rule" };
      case "blockquote_open":
        return { kind: "quote", children: this.#nested("blockquote_close", depth) };
      case "bullet_list_open":
        return { kind: "list", ordered: false, items: this.#items("bullet_list_close", depth) };
      case "ordered_list_open":
        return { kind: "list", ordered: true, items: this.#items("ordered_list_close", depth) };
      case "table_open":
        return this.#table();
      case "inline":
        return { kind: "paragraph", children: inlines(token.children ?? []) };
      default:
        // html_block does not occur with html: false; its text would be shown
        return token.content === "" ? null : { kind: "paragraph", children: [{ kind: "text", text: token.content }] };
    }
  }

  /** Deeper nesting than anybody writes is read and not shown. */
  #nested(end: string, depth: number): readonly Block[] {
    const blocks = this.blocks(end, depth + 1);
    return depth >= DEPTH_MOST ? [] : blocks;
  }

  #items(end: string, depth: number): readonly (readonly Block[])[] {
    const items: (readonly Block[])[] = [];
    while (this.#at < this.#tokens.length) {
      const token = this.#tokens[this.#at++];
      if (token.type === end) break;
      if (token.type === "list_item_open") items.push(this.#nested("list_item_close", depth));
    }
    return items;
  }

  #inlineUntil(end: string): readonly Inline[] {
    const found: Inline[] = [];
    while (this.#at < this.#tokens.length) {
      const token = this.#tokens[this.#at++];
      if (token.type === end) break;
      found.push(...inlines(token.children ?? []));
    }
    return found;
  }

  #table(): Block {
    const rows: (readonly Inline[])[][] = [];
    while (this.#at < this.#tokens.length) {
      const token = this.#tokens[this.#at++];
      if (token.type === "table_close") break;
      if (token.type === "tr_open") rows.push([]);
      if (token.type === "inline") rows.at(-1)?.push(inlines(token.children ?? []));
    }
    const [head = [], ...body] = rows;
    return { kind: "table", head, rows: body };
  }
}

function codeBlock(content: string, runnable: boolean): Block {
  return { kind: "code", lines: content.replace(/\n$/, "").split("\n"), runnable };
}

/** The inline tokens of a block as a tree. */
function inlines(tokens: readonly Token[]): readonly Inline[] {
  const root: Inline[] = [];
  const open: { readonly token: Token; readonly children: Inline[] }[] = [];
  const put = (inline: Inline): void => {
    (open.at(-1)?.children ?? root).push(inline);
  };
  for (const token of tokens) {
    if (token.type === "text" || token.type === "html_inline" || token.type === "image") put({ kind: "text", text: token.content });
    else if (token.type === "code_inline") put({ kind: "code", text: token.content });
    else if (token.type === "softbreak") put({ kind: "text", text: " " });
    else if (token.type === "hardbreak") put({ kind: "break" });
    else if (token.nesting === 1) open.push({ token, children: [] });
    else if (token.nesting === -1) {
      const closed = open.pop();
      if (closed !== undefined) for (const inline of wrapped(closed.token, closed.children)) put(inline);
    }
  }
  // what was not closed is shown all the same
  for (const left of open) root.push(...left.children);
  return root;
}

function wrapped(token: Token, children: readonly Inline[]): readonly Inline[] {
  if (token.type === "strong_open") return [{ kind: "strong", children }];
  if (token.type === "em_open") return [{ kind: "emphasis", children }];
  if (token.type !== "link_open") return children;
  const href = String(token.attrGet("href") ?? "");
  return isAllowedLink(href) ? [{ kind: "link", href, children }] : children;
}

export function proseBlocks(text: string): readonly Block[] {
  return new Reader(markdown.parse(text, {})).blocks(null, 0);
}
