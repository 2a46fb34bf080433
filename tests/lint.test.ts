import { ESLint, Linter } from "eslint";
import ts from "typescript-eslint";
import { describe, expect, it } from "vitest";
import { root } from "./support.ts";

const eslint = new ESLint({ cwd: root });

/** Whether our own syntax rules, as configured for a file of that name, refuse the text. (Alone: the typed rules would need the file to exist.) */
async function refused(file: string, text: string): Promise<boolean> {
  const { rules } = (await eslint.calculateConfigForFile(file)) as { rules: Linter.RulesRecord };
  const messages = new Linter({ cwd: root }).verify(
    text,
    [{ files: ["**/*.ts"], languageOptions: { parser: ts.parser }, rules: { "no-restricted-syntax": rules["no-restricted-syntax"] } }],
    { filename: file },
  );
  expect(messages.filter((message) => message.fatal)).toEqual([]);
  return messages.length > 0;
}

describe("state outside the store", () => {
  it.each([
    "let count = 0;",
    "export let count = 0;",
    "const seen = new Map<number, number>();",
    "export const seen: Set<string> = new Set();",
    "const queue: number[] = [];",
    "class A { static count = 0; }",
  ])("is refused: %s", async (text) => {
    for (const folder of ["kernel", "observe", "shell"]) expect(await refused(`src/${folder}/x.ts`, text)).toBe(true);
    expect(await refused("src/kernel/x.test.ts", text)).toBe(false);
    expect(await refused("src/session/x.ts", text)).toBe(false);
  });

  it.each([
    "const limit = 3;",
    "const names: ReadonlyMap<string, number> = new Map([['a', 1]]);",
    "const none: readonly number[] = [];",
    "function f(): number { let sum = 0; sum += 1; return sum; }",
    "class A { static readonly limit = 3; count = 0; }",
  ])("constants and locals are none: %s", async (text) => {
    expect(await refused("src/kernel/x.ts", text)).toBe(false);
  });
});

describe("releases", () => {
  it.each(["if (name === '6.18') f();", "if (profile.release >= other) f();", "switch (name) { case 'linux-6.1': f(); }", "const old = release !== '5.19';"])(
    "are not compared: %s",
    async (text) => {
      expect(await refused("src/kernel/mm/x.ts", text)).toBe(true);
      expect(await refused("src/session/x.ts", text)).toBe(true);
      expect(await refused("src/kernel/era/x.ts", text)).toBe(false);
    },
  );

  it("may be named", async () => {
    expect(await refused("src/kernel/mm/x.ts", "const profile = profileOf('6.18'); if (count === 6.18) f(); if (name === 'release') f();")).toBe(false);
  });
});

it("refuses enum everywhere", async () => {
  for (const file of ["src/kernel/x.ts", "src/kernel/era/x.ts", "src/session/x.ts", "src/cli/x.ts", "src/kernel/x.test.ts"]) {
    expect(await refused(file, "export enum Kind { a, b }")).toBe(true);
  }
});
