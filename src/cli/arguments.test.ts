import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseCommandLine } from "./arguments.ts";

const options = { profile: { type: "string" }, patch: { type: "string", multiple: true }, json: { type: "boolean" } } as const;
let said = "";

beforeEach(() => {
  said = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("parseCommandLine", () => {
  it("takes options before and behind the file", () => {
    for (const args of [
      ["--profile", "p", "--json", "--patch", "+a", "-"],
      ["-", "--patch=+a", "--json", "--profile=p"],
    ]) {
      const parsed = parseCommandLine("run", args, options);
      expect([{ ...parsed?.values }, parsed?.positionals]).toEqual([{ profile: "p", json: true, patch: ["+a"] }, ["-"]]);
    }
    expect(parseCommandLine("run", ["--", "--json"], options)?.positionals).toEqual(["--json"]);
  });

  it.each([
    [["--profil", "x"], "hugelab run: there is no option --profil; did you mean --profile?\n"],
    [["-q"], "hugelab run: there is no option -q; bin/hugelab run --help lists those there are.\n"],
    [["--json=yes"], "hugelab run: option --json takes no value.\n"],
  ])("explains %j", (args, sentence) => {
    expect(parseCommandLine("run", args, options)).toBe(null);
    expect(said).toBe(sentence);
  });

  it("explains a value that is missing", () => {
    expect(parseCommandLine("run", ["--profile"], options)).toBe(null);
    expect(said).toMatch(/^hugelab run: option --profile needs a value \(bin\/hugelab run .*\)\.\n$/);
    said = "";
    expect(parseCommandLine("run", ["--profile", "--json"], options)).toBe(null);
    expect(said).toMatch(/^hugelab run: option --profile needs a value/);
  });
});
