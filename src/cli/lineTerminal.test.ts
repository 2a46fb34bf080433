import { spawn, spawnSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root } from "../../tests/support.ts";

/** script(1) of util-linux gives a program a terminal; its options are not those of BSD's. */
const hasScript = process.platform === "linux" && /util-linux/.test(spawnSync("script", ["--version"], { encoding: "utf8" }).stdout ?? "");

/** What is typed, each when the terminal has shown what stands before it; a number waits so many ms first. */
type Typed = readonly (readonly [shown: RegExp, keys: string, waitMs?: number])[];

/** Runs `hugelab shell` on a terminal of 80 columns and gives what it showed. */
function talk(typed: Typed): Promise<string> {
  const command = `stty cols 80 rows 24; exec ${join(root, "bin/hugelab")} shell`;
  const child = spawn("script", ["-qec", command, "/dev/null"], { env: { ...process.env, TERM: "xterm", SHELL: "/bin/sh" } });
  return new Promise((resolve, reject) => {
    let shown = "";
    let from = 0;
    let next = 0;
    const go = (): void => {
      if (next >= typed.length) return;
      const [wanted, keys, waitMs = 0] = typed[next];
      const found = wanted.exec(shown.slice(from));
      if (found === null) return;
      from += found.index + found[0].length;
      next++;
      setTimeout(() => {
        child.stdin.write(keys);
        go();
      }, waitMs);
    };
    child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
      go();
    });
    child.on("error", reject);
    child.on("close", () => resolve(next === typed.length ? shown : `${shown}\n(waited for ${String(typed[next][0])})`));
    setTimeout(() => child.kill("SIGKILL"), 200_000).unref();
  });
}

describe.skipIf(!hasScript)(`hugelab shell on a terminal${hasScript ? "" : " (skipped: script of util-linux is not here)"}`, () => {
  it("edits, completes, recalls, takes pastes, and puts the terminal back", async () => {
    const shown = await talk([
      [/\[0\] P> /, "mmp\u001b[D"],
      [/mmp/, "a\u001b[F A 8M rw private anon\r"],
      [/= A\r*\n/, "pagem"],
      [/\[1\] P> .*pagem/, "\t"],
      [/ap/, "A\r", 100],
      [/page 0x|none/, "\u001b[200~pwd\nps\n\u001b[201~"],
      [/PID[\s\S]*\[1\] P> /, "\u001b[A\u001b[A"],
      [/pwd/, "\r"],
      [/\/\r*\n[\s\S]*\[1\] P> /, "given up\u0003"],
      [/\^C/, "\u0004"],
    ]);
    expect(stripVTControlCharacters(shown)).not.toContain("(waited for");
    expect(
      stripVTControlCharacters(shown)
        .split("\n")
        .filter((line) => line.replace(/\r/g, "") === "/"),
    ).toHaveLength(2);
    expect(shown).toContain("\u001b[?2004h");
    expect(shown.trimEnd().endsWith("\u001b[?2004l")).toBe(true);
  });

  it("stops a line that runs with Ctrl-C, and takes an ESC alone for the key", async () => {
    const shown = await talk([
      [/\[0\] P> /, "mmap A 3G rw private anon\r"],
      [/\[1\] P> /, "touch A 3G w\r"],
      [/touch A 3G w\r*\n/, "\u0003", 60],
      [/Stopped\. What was done[\s\S]*\[2\] P> /, "ech\u0012"],
      [/search/, "\u001b", 20],
      [/\[2\] P> /, "quit\r", 120],
      [/./, "\u0015quit\r", 200],
    ]);
    expect(stripVTControlCharacters(shown)).toMatch(/\d+ of \d+ accesses done/);
  });
});
