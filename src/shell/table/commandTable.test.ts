import { expect, it } from "vitest";
import { OPERATION_NAMES } from "../command/parseLine.ts";
import { manEn } from "../man/man.en.ts";
import { helpText, manPage } from "../man/manPage.ts";
import { shellMessagesEn } from "../messages.en.ts";
import { renderer } from "../renderMessage.ts";
import { TOOLS } from "../tools/runShell.ts";
import { makeCommandTable } from "./baseTable.ts";
import { usageOf } from "./commandSpec.ts";
import { arg, row } from "./rowHelpers.ts";

const table = makeCommandTable();
const language = { texts: manEn, render: renderer(shellMessagesEn) };

it("has a row for each operation and each tool, and no other", () => {
  expect(table.names("command")).toEqual([...OPERATION_NAMES].sort());
  expect(table.names("tool")).toEqual(Object.keys(TOOLS).sort());
});

it("says for each errno of each row when it is returned, and for no other", () => {
  for (const [page, text] of Object.entries(manEn)) {
    const returned = new Set(table.specs.filter((spec) => spec.page === page).flatMap((spec) => spec.errnos));
    expect(Object.keys(text.errnos ?? {}).sort(), page).toEqual([...returned].sort());
  }
  expect(Object.keys(manEn).filter((page) => !table.specs.some((spec) => spec.page === page))).toEqual([]);
});

it("points only to pages that exist", () => {
  for (const spec of table.specs)
    expect(
      spec.seeAlso.filter((name) => table.all(name).length === 0),
      spec.name,
    ).toEqual([]);
});

it("makes a page for every name, in 78 columns", () => {
  for (const name of new Set(table.specs.map((spec) => spec.name.split(" ")[0]))) {
    const page = manPage(table, name, language) ?? "";
    expect(page, name).toMatch(/^[A-Z_0-9]+\(\d\)/);
    for (const head of ["NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"]) expect(page, name).toContain(`\n${head}\n`);
    expect(Math.max(...page.split("\n").map((line) => line.length)), name).toBeLessThanOrEqual(78);
  }
  expect(manPage(table, "mmap", language)).toContain("       ENOMEM\n");
  expect(manPage(table, "mmap", language, 3)).toBeNull();
  expect(helpText(table, "nothing", language)).toBeNull();
});

it("takes rows of later layers, and refuses a name twice", () => {
  const undo = row("tool", "undo", [arg("N", "number")]);
  expect(makeCommandTable([undo]).find("undo", "tool")).toEqual([undo]);
  expect(() => makeCommandTable([undo], [undo])).toThrow("twice");
  expect(usageOf(undo)).toBe("undo N");
});
