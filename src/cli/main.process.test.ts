import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { execute, root, withFolder } from "../../tests/support.ts";
import { commands, laterCommands } from "./commands.ts";
import { join } from "node:path";

const mainFile = join(root, "src", "cli", "main.ts");
const hugelab = (...args: string[]) => execute(process.execPath, [mainFile, ...args]);

describe("hugelab", () => {
  it("lists its commands", async () => {
    const { status, stdout, stderr } = await hugelab("--help");
    expect([status, stderr]).toEqual([0, ""]);
    for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
    expect((await hugelab()).status).toBe(2);
  });

  it.each(commands.map((command) => [command.name, command.usage]))("%s --help says how it is called, wherever it stands", async (name, usage) => {
    const before = await hugelab(name, "--help", "FILE");
    const after = await hugelab(name, "FILE", "-h");
    expect([before.status, before.stderr]).toEqual([0, ""]);
    expect(before.stdout).toContain(usage);
    expect(after).toEqual(before);
    expect((await hugelab("help", name)).stdout).toEqual(before.stdout);
  });

  it("suggests what was meant", async () => {
    expect(await hugelab("confrom", "x")).toEqual({ status: 2, stdout: "", stderr: "hugelab: there is no command confrom; did you mean conform?\n" });
    expect((await hugelab("\u001b[31mzzzzzzzzzz")).stderr).toBe("hugelab: there is no command ?[31mzzzzzzzzzz; bin/hugelab --help lists those there are.\n");
    expect((await hugelab("constructor")).status).toBe(2);
    expect((await hugelab("q".repeat(100_000))).stderr.length).toBeLessThan(200);
  });

  it("says of a command that is to come that it is not there", async () => {
    for (const name of laterCommands) {
      expect(await hugelab(name, "x")).toEqual({ status: 3, stdout: "", stderr: `hugelab ${name}: this command comes with a later release.\n` });
    }
  });

  it("refuses an option that a command has not", async () => {
    const { status, stderr } = await hugelab("doctor", "--verbose");
    expect([status, stderr]).toEqual([2, "hugelab doctor: there is no option --verbose; bin/hugelab doctor --help lists those there are.\n"]);
  });

  it("ends quietly when its reader has gone", async () => {
    const child = spawn(process.execPath, [mainFile, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const status = await new Promise((resolve) => child.on("close", resolve));
    expect([status, stderr]).toEqual([141, ""]);
  });

  it("runs the same from another directory", async () => {
    await withFolder({}, async (folder) => {
      expect((await execute(process.execPath, [mainFile, "doctor"], { cwd: folder })).status).toBe(0);
    });
  });
});
