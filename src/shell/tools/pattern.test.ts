import { expect, it } from "vitest";
import { cpuMilliseconds } from "../../../tests/cpuTime.ts";
import { compilePattern } from "./pattern.ts";

function match(pattern: string, extended: boolean, line: string, ignoreCase = false): boolean | string {
  const result = compilePattern(pattern, { extended, ignoreCase });
  return result.kind === "pattern" ? result.test(line) : result.key;
}

it.each<[pattern: string, extended: boolean, line: string, expected: boolean | string]>([
  ["a.c", false, "xabcx", true],
  ["^a*$", false, "aaa", true],
  ["^a*$", false, "aab", false],
  ["a|b", true, "b", true],
  ["a|b", false, "b", false],
  ["a\\|b", false, "b", true],
  ["(ab)+c", true, "ababc", true],
  ["^(ab){2}$", true, "abab", true],
  ["^(ab){2}$", true, "ab", false],
  ["^a{2,3}$", true, "aaaa", false],
  ["^a\\{2,\\}$", false, "aaaa", true],
  ["[[:digit:]]+ kB", true, "Rss:  12 kB", true],
  ["[^a-z]", false, "abc", false],
  ["[]a]", false, "]", true],
  ["*a", false, "x*a", true],
  ["a+", false, "a+", true],
  ["a||b", true, "zzz", true],
  ["^$", false, "", true],
  ["(a*)*$", true, "aaaa", true],
  [")", false, ")", true],
  ["x$y", false, "x$y", true],
  ["(", true, "", "shell.pattern.bracket"],
  ["[a", true, "", "shell.pattern.bracket"],
  ["+a", true, "", "shell.pattern.bad"],
  ["a{3,2}", true, "", "shell.pattern.bad"],
  ["(a)\\1", true, "", "shell.pattern.notSupported"],
  ["((a{200}){200}){9}", true, "", "shell.pattern.tooBig"],
])("%s (extended: %s) on %j: %s", (pattern, extended, line, expected) => {
  expect(match(pattern, extended, line)).toBe(expected);
});

it("ignores case", () => expect(match("anonHUGE", false, "AnonHugePages:", true)).toBe(true));

it("is not slowed down by patterns that make other engines hang", () => {
  const spent = cpuMilliseconds(() => {
    expect(match("^(a+)+$", true, `${"a".repeat(50_000)}b`)).toBe(false);
    expect(match("(((((((a*)*)*)*)*)*)*)*b", true, "a".repeat(20_000))).toBe(false);
  });
  expect(spent).toBeLessThan(5000);
});
