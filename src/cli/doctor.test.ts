import { chmodSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it } from "vitest";
import { execute, root, withFolder } from "../../tests/support.ts";
import { examine, findProgram, type MachineFacts } from "./doctor.ts";

const complete: MachineFacts = {
  nodeVersion: "24.21.0",
  stripsTypes: true,
  wantedNode: "24.21.0",
  platform: "linux",
  isRoot: true,
  hasThp: true,
  settingsWritable: true,
  compiler: "cc",
  browser: "chromium",
};

const absent = (facts: Partial<MachineFacts>) =>
  examine({ ...complete, ...facts })
    .filter((finding) => !finding.there)
    .map((finding) => finding.line);

describe("doctor", () => {
  it("finds nothing missing on a complete machine", () => {
    expect(absent({})).toEqual([]);
  });

  it.each<[Partial<MachineFacts>, RegExp]>([
    [{ nodeVersion: "22.20.0" }, /^absent {3}Node 24\.21\.0 in node_modules: .*22\.20\.0.* Run npm ci/],
    [{ stripsTypes: false }, /^MISSING {2}Node 24\.21\.0: .* Run npm ci/],
    [{ hasThp: false }, /^absent {3}a kernel with transparent huge pages: /],
    [{ isRoot: false }, /^absent {3}root: .* sudo\.$/],
    [{ settingsWritable: false }, /^absent {3}kernel settings that can be written: /],
    [{ compiler: null }, /^absent {3}a C compiler: .* apt-get install gcc/],
    [{ browser: null }, /^absent {3}a browser: .* apt-get install chromium/],
  ])("says of %j what it means and what to do", (facts, line) => {
    const lines = absent(facts);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
  });

  it("asks for nothing of Linux elsewhere", () => {
    expect(absent({ platform: "darwin", isRoot: false, hasThp: false, settingsWritable: false })).toEqual([expect.stringMatching(/^absent {3}Linux: /)]);
  });

  it("requires Node only", () => {
    expect(examine(complete).filter((finding) => finding.required)).toHaveLength(1);
  });

  it("finds programs on PATH in the order of preference", async () => {
    await withFolder({ "a/gcc": "", "b/cc": "", "b/clang": "" }, (folder) => {
      chmodSync(join(folder, "a", "gcc"), 0o755);
      chmodSync(join(folder, "b", "clang"), 0o755);
      const path = ["", join(folder, "a"), join(folder, "no"), join(folder, "b")].join(delimiter);
      expect(findProgram(["cc", "clang", "gcc"], path)).toBe("clang");
      expect(findProgram(["tcc"], path)).toBe(null);
    });
  });

  it("ends with a verdict and the status that belongs to it", async () => {
    const { status, stdout } = await execute(process.execPath, [join(root, "src", "cli", "main.ts"), "doctor"]);
    expect([status, stdout.trimEnd().split("\n").at(-1)]).toEqual([0, "Everything required is there."]);
  });
});
