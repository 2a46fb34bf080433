import { join } from "node:path";
import { expect, it } from "vitest";
import { execute, root } from "../../tests/support.ts";

const hugelab = (...args: string[]) => execute(process.execPath, [join(root, "src", "cli", "main.ts"), ...args]);

it("serve refuses what it cannot do with status 2, before anything is opened", async () => {
  expect(await hugelab("serve", "--port", "70000")).toEqual({ status: 2, stdout: "", stderr: "--port wants a number from 0 to 65535, not 70000.\n" });
  expect(await hugelab("serve", "here")).toMatchObject({ status: 2, stdout: "" });
  expect((await hugelab("serve", "--prot", "1")).stderr).toContain("--port");
  expect((await hugelab("serve", "--help")).stdout).toContain("--no-open");
});

it("fidelity prints the committed measurement", async () => {
  const { status, stdout, stderr } = await hugelab("fidelity");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^Measured by Hugelab \d+\.\d+\.\d+ \(behaviour version \d+\)/);
  expect(stdout.match(/observations agree \(\d+\.\d\d%\)/g)?.length).toBeGreaterThan(5);
  expect((await hugelab("fidelity", "--all")).status).toBe(2);
});
