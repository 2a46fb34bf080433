import { describe, expect, it } from "vitest";
import { suites, type Suite } from "../tools/suites.mjs";
import { hasFiles, readPlaywrightReport, readReport, runSuites } from "../tools/test.mjs";
import { printed } from "../tools/testFailures.mjs";
import { root, withFolder } from "./support.ts";

const report = (passed: number, failed: number, files: readonly (readonly [status: string, ...tests: string[]])[] = []) =>
  JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    testResults: files.map(([status, ...tests], file) => ({
      name: `/place/src/${file}.test.ts`,
      status,
      message: tests.length === 0 ? "SyntaxError: what is this" : "",
      assertionResults: tests.map((test, index) => ({ status: test, ancestorTitles: ["group"], title: `test ${index}`, failureMessages: [`why ${index}`] })),
    })),
  });

describe("readReport", () => {
  it("counts tests and names those that failed", () => {
    expect(readReport(report(3, 0, [["passed", "passed"]]), 0, "/place")).toEqual({ passed: 3, failed: 0, note: "", failures: [] });
    expect(readReport(report(3, 2, [["passed"], ["failed", "failed", "passed", "failed"]]), 1, "/place")).toEqual({
      passed: 3,
      failed: 2,
      note: "",
      failures: [
        { name: "src/1.test.ts > group > test 0", message: "why 0" },
        { name: "src/1.test.ts > group > test 2", message: "why 2" },
      ],
    });
  });

  it("counts what has no failed test and is wrong all the same", () => {
    expect(readReport(report(3, 0, [["failed"]]), 1, "/place")).toEqual({
      passed: 3,
      failed: 1,
      note: "1 file(s) could not be run",
      failures: [{ name: "src/0.test.ts", message: "SyntaxError: what is this" }],
    });
    expect(readReport(report(3, 0), 1, "/place")).toMatchObject({ passed: 3, failed: 1 });
    expect(readReport(report(0, 0), 0, "/place")).toEqual({ passed: 0, failed: 1, note: "ran no test", failures: [] });
    expect(readReport(null, 0, "/place")).toMatchObject({ passed: 0, failed: 1 });
    expect(readReport("{", 0, "/place")).toMatchObject({ passed: 0, failed: 1 });
  });
});

describe("readPlaywrightReport", () => {
  const played = (expected: number, unexpected: number, skipped = 0, errors: readonly unknown[] = [], flaky = 0) =>
    JSON.stringify({ stats: { expected, unexpected, skipped, flaky }, errors });

  it("counts tests, and says how many were skipped", () => {
    expect(readPlaywrightReport(played(3, 0), 0)).toEqual({ passed: 3, failed: 0, note: "", failures: [] });
    expect(readPlaywrightReport(played(3, 2, 1), 1)).toEqual({ passed: 3, failed: 2, note: "1 skipped", failures: [] });
  });

  it("names tests that failed, of files and of groups in them", () => {
    const spec = (title: string, status: string, ...messages: string[]) => ({
      title,
      tests: [{ projectName: "browser", status, results: [{ errors: messages.map((message) => ({ message })) }] }],
    });
    const json = {
      stats: { expected: 1, unexpected: 2, skipped: 0, flaky: 0 },
      errors: [{ message: "the build failed" }],
      suites: [
        {
          title: "look.spec.ts",
          specs: [spec("fits", "unexpected", "Test timeout of 60000ms exceeded.", "waiting for a thing"), spec("shines", "expected")],
          suites: [{ title: "zoom", specs: [spec("is large", "unexpected", "too small")] }],
        },
      ],
    };
    expect(readPlaywrightReport(JSON.stringify(json), 1).failures).toEqual([
      { name: "[browser] look.spec.ts > fits", message: "Test timeout of 60000ms exceeded.\nwaiting for a thing" },
      { name: "[browser] look.spec.ts > zoom > is large", message: "too small" },
      { name: "outside any test", message: "the build failed" },
    ]);
  });

  it("counts what has no failed test and is wrong all the same", () => {
    expect(readPlaywrightReport(played(3, 0, 0, [{ message: "the build failed" }]), 1)).toMatchObject({ passed: 3, failed: 1 });
    expect(readPlaywrightReport(played(2, 0, 0, [], 1), 0)).toMatchObject({ passed: 2, failed: 1 });
    expect(readPlaywrightReport(played(3, 0), 1)).toMatchObject({ failed: 1 });
    expect(readPlaywrightReport(played(0, 0, 7), 0)).toEqual({ passed: 0, failed: 1, note: "7 skipped, ran no test", failures: [] });
    expect(readPlaywrightReport(null, 0)).toMatchObject({ failed: 1 });
    expect(readPlaywrightReport("{", 0)).toMatchObject({ failed: 1 });
  });
});

async function run(folder: string, chosen: Suite[]): Promise<{ status: number; lines: string[] }> {
  const lines: string[] = [];
  const status = await runSuites(chosen, { root: folder, long: false, print: (line) => lines.push(line) });
  return { status, lines };
}

/** What stands between the last suite and the table. */
const whatFailed = (lines: readonly string[]): readonly string[] => lines.slice(lines.indexOf("== what failed") + 1, lines.indexOf("== all suites"));

const command = (name: string, script: string, budgetSeconds = 60): Suite => ({ name, kind: "command", args: ["-e", script], budgetSeconds });

describe("runSuites", () => {
  it("runs all, sums up in its last line and fails when one did", async () => {
    await withFolder({}, async (folder) => {
      const good = await run(folder, [command("one", "0"), command("two", "0")]);
      expect([good.status, good.lines.at(-1)]).toEqual([0, "2 passed, 0 failed"]);
      const bad = await run(folder, [command("one", "process.exit(3)"), command("two", "0")]);
      expect([bad.status, bad.lines.at(-1)]).toEqual([1, "1 passed, 1 failed"]);
    });
  });

  it("says at its end what failed, and nothing when all passed", async () => {
    await withFolder({ "src/a.test.ts": "" }, async (folder) => {
      const message = ["\u001b[31mError: no\u001b[39m", ...Array.from({ length: 20 }, (_, line) => `    at ${line}`)].join("\n");
      const json = report(1, 1, [["failed", "failed"]])
        .replace('"why 0"', JSON.stringify(message))
        .replaceAll("/place", folder);
      const writer = `const path = process.argv.find((each) => each.startsWith("--outputFile")).split("=")[1]; require("node:fs").writeFileSync(path, ${JSON.stringify(json)}); process.exit(1)`;
      const unit: Suite = { name: "unit", kind: "vitest", args: ["-e", writer, "--"], budgetSeconds: 60, ending: ".test.ts" };
      const talks = command("talks", "for (let n = 0; n < 40; n++) console.log('line', n); process.exit(2)");
      const { lines } = await run(folder, [talks, command("one", "0"), unit]);
      expect(whatFailed(lines)).toEqual([
        "talks: failed; the end of its output",
        ...Array.from({ length: 15 }, (_, n) => `    line ${25 + n}`),
        "unit: src/0.test.ts > group > test 0",
        "    Error: no",
        ...Array.from({ length: 14 }, (_, n) => `        at ${n}`),
        "    ... 6 more lines",
      ]);
      expect((await run(folder, [command("one", "0")])).lines).not.toContain("== what failed");
    });
  });

  it("shows the names alone when very many failed", () => {
    const many = Array.from({ length: 30 }, (_, n) => ({ name: `test ${n}`, message: "no" }));
    expect(printed("unit", many).slice(36)).toEqual([
      "unit: test 18",
      "    no",
      "unit: test 19",
      "    no",
      ...many.slice(20).map(({ name }) => `unit: ${name}`),
    ]);
  });

  it("gives its suites a closed stdin", async () => {
    await withFolder({}, async (folder) => {
      const reader = "process.stdin.on('end', () => process.exit(0)).resume(); setTimeout(() => process.exit(1), 60_000)";
      expect((await run(folder, [command("reads", reader)])).status).toBe(0);
    });
  });

  it("ends a suite that hangs and says when one is slow", async () => {
    await withFolder({}, async (folder) => {
      const { status, lines } = await run(folder, [command("hangs", "setInterval(() => {}, 1000)", 0.05)]);
      expect(status).toBe(1);
      expect(lines.join("\n")).toMatch(/hangs .* OVER BUDGET: 0 passed, 1 failed \(ended after 0\.25 s\)/);
    });
  });

  it("does not fail for a suite that has no file yet, nor pass for nothing", async () => {
    await withFolder({ "src/a.ts": "" }, async (folder) => {
      const suite: Suite = { name: "explorer", kind: "vitest", args: ["-e", "process.exit(1)"], budgetSeconds: 60, ending: ".explorer.test.ts" };
      const alone = await run(folder, [suite]);
      expect(alone.lines.join("\n")).toMatch(/explorer .*: 0 passed, 0 failed \(no file ends in \.explorer\.test\.ts yet\)/);
      expect([alone.status, alone.lines.at(-1)]).toEqual([1, "0 passed, 0 failed"]);
      expect((await run(folder, [command("one", "0"), suite])).status).toBe(0);
    });
  });

  it("counts a vitest suite that wrote no report as failed", async () => {
    await withFolder({ "src/a.test.ts": "" }, async (folder) => {
      const { status, lines } = await run(folder, [{ name: "unit", kind: "vitest", args: ["-e", "0"], budgetSeconds: 60, ending: ".test.ts" }]);
      expect([status, lines.at(-1)]).toEqual([1, "0 passed, 1 failed"]);
    });
  });
});

describe("suites", () => {
  it("count a run of Playwright by its report", async () => {
    await withFolder({}, async (folder) => {
      const writer = `require("node:fs").writeFileSync(process.env.PLAYWRIGHT_JSON_OUTPUT_FILE, '{"stats":{"expected":2,"skipped":1,"unexpected":0,"flaky":0},"errors":[]}')`;
      const { status, lines } = await run(folder, [{ name: "e2e", kind: "playwright", args: ["-e", writer, "--"], budgetSeconds: 60 }]);
      expect([status, lines.at(-1)]).toEqual([0, "2 passed, 0 failed"]);
      expect(lines.join("\n")).toContain("(1 skipped)");
    });
  });

  it("fit the budgets of the project", () => {
    const budget = (names: string[]) => suites.filter((suite) => names.includes(suite.name)).reduce((sum, suite) => sum + suite.budgetSeconds, 0);
    expect(budget(["types", "lint", "layers", "format"])).toBe(90);
    expect(["unit", "conformance", "property", "explorer", "e2e"].map((name) => budget([name]))).toEqual([60, 60, 240, 60, 360]);
  });

  it("see their files", () => {
    expect([hasFiles(root, ".test.ts"), hasFiles(root, ".nosuch.test.ts")]).toEqual([true, false]);
  });
});
