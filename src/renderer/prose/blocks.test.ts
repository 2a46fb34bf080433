import { describe, expect, it } from "vitest";
import { isAllowedLink, proseBlocks, type Block, type Inline } from "./blocks.ts";

const inlineText = (parts: readonly Inline[]): string =>
  parts.map((part) => ("children" in part ? inlineText(part.children) : part.kind === "break" ? "\n" : part.text)).join("");

/** All kinds that occur in it. */
function kinds(blocks: readonly Block[]): string[] {
  return JSON.stringify(blocks)
    .match(/"kind":"\w+"/g)!
    .map((text) => text.slice(8, -1));
}

describe("proseBlocks", () => {
  it("reads what labs are written with", () => {
    const blocks = proseBlocks("# T\n\nA **b** *c* `d`\ne\n\n- one\n- two\n  1. three\n\n> q\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n");
    expect(blocks.map(({ kind }) => kind)).toEqual(["heading", "paragraph", "list", "quote", "rule", "table"]);
    expect(blocks[1]).toEqual({
      kind: "paragraph",
      children: [
        { kind: "text", text: "A " },
        { kind: "strong", children: [{ kind: "text", text: "b" }] },
        { kind: "text", text: " " },
        { kind: "emphasis", children: [{ kind: "text", text: "c" }] },
        { kind: "text", text: " " },
        { kind: "code", text: "d" },
        { kind: "text", text: " " },
        { kind: "text", text: "e" },
      ],
    });
    expect(blocks[2]).toMatchObject({ ordered: false, items: [[{ kind: "paragraph" }], [{ kind: "paragraph" }, { kind: "list", ordered: true }]] });
    expect(blocks[5]).toMatchObject({ head: [[{ text: "a" }], [{ text: "b" }]], rows: [[[{ text: "1" }], [{ text: "2" }]]] });
  });

  it("marks lines that can be put into the terminal", () => {
    expect(proseBlocks("```hugelab\nmmap A 8M\ntouch A\n```\n\n```c\nint x;\n```")).toEqual([
      { kind: "code", lines: ["mmap A 8M", "touch A"], runnable: true },
      { kind: "code", lines: ["int x;"], runnable: false },
    ]);
  });

  it("takes no HTML: it shows as text", () => {
    const text = '<script>alert(1)</script>\n\n<img src=x onerror="alert(1)"> a <b>b</b>';
    const blocks = proseBlocks(text);
    expect(new Set(kinds(blocks))).toEqual(new Set(["paragraph", "text"]));
    expect(blocks.map((block) => ("children" in block ? inlineText(block.children as Inline[]) : "")).join("\n\n")).toBe(text);
  });

  it("keeps links to the sites a lab may point to, and the text of all others", () => {
    const linked = (href: string): boolean => kinds(proseBlocks(`[a](${href})`)).includes("link");
    expect(linked("https://docs.kernel.org/mm/transhuge.html")).toBe(true);
    for (const bad of [
      "http://docs.kernel.org/",
      "javascript:alert(1)",
      "https://docs.kernel.org.evil.example/",
      "https://x@lwn.net/",
      "//lwn.net",
      "file:///etc",
      "https://lwn.net:8443/",
    ]) {
      expect(linked(bad)).toBe(false);
      expect(isAllowedLink(bad)).toBe(false);
    }
  });

  it("shows an image as its words", () => {
    expect(kinds(proseBlocks("![a cat](https://lwn.net/cat.png)"))).toEqual(["paragraph", "text"]);
  });

  it("survives nesting that nobody writes, and odd ends", () => {
    expect(() => proseBlocks(`${">".repeat(3000)} x`)).not.toThrow();
    expect(() => proseBlocks(`${"- ".repeat(500)}x`)).not.toThrow();
    expect(() => proseBlocks(`${"**".repeat(4000)}[`)).not.toThrow();
    expect(proseBlocks("")).toEqual([]);
  });
});
