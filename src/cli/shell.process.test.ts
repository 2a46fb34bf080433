import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { execute, root, type Ended } from "../../tests/support.ts";

const launcher = join(root, "bin/hugelab");

/** Runs hugelab with a text on the standard input. */
const feed = (args: readonly string[], input: string): Promise<Ended> => execute(launcher, args, { input });

describe("hugelab shell", () => {
  it("reads lines from a pipe, without prompt and welcome, to its end or to quit", async () => {
    expect(await feed(["shell"], "mmap A 8M rw private anon\ntouch A w\nundo")).toEqual({
      status: 0,
      stdout: "= A\ndone\n1 page fault: A+0x0\nVmRSS +4 kB (4 kB)\nTook back: touch A w\n",
      stderr: "",
    });
    expect((await feed(["shell"], "quit\nmmap A 8M rw private anon\n")).stdout).toBe("");
    expect((await feed(["shell"], "")).stdout).toBe("");
  });

  it("boots the machine that its options name", async () => {
    const boot = await feed(
      ["shell", "--release", "6.1", "--config", "thp/enabled=always"],
      "dmesg | head -1\ncat /sys/kernel/mm/transparent_hugepage/enabled\nundo\n",
    );
    expect(boot.stdout).toContain("Linux version 6.1.0");
    expect(boot.stdout).toContain("[always] madvise never\nThis is the beginning");
    expect(await feed(["shell", "--config", "thp/enabled=often"], "")).toMatchObject({ status: 2, stdout: "" });
    expect((await feed(["shell", "--profile", "nothing"], "")).stderr).toContain("there is no profile nothing");
    expect((await feed(["shell", "script.txt"], "")).stderr).toContain("bin/hugelab run script.txt");
  });

  it("survives what a pipe may hold", async () => {
    const { status, stdout } = await feed(["shell"], `\u0000\u0007\n${"x".repeat(2_000_000)}\nmmap A 4k rw private anon\n`);
    expect(status).toBe(0);
    expect(stdout).toContain("= A");
    expect(stdout.length).toBeLessThan(2000);
  });

  it("prints a long output whole, and ends quietly when the reader goes", async () => {
    const script = "mmap A 8M rw private anon\ntouch A 8M w\n".concat("pagemap A 8M\n".repeat(20));
    const whole = await execute("sh", ["-c", `printf '%s' "$0" | ${launcher} shell | (sleep 1; wc -l)`, script]);
    expect(whole.stdout.trim()).toBe(String(4 + 20 * 2048));
    const cut = await execute("bash", ["-c", `printf '%s' "$0" | ${launcher} shell | head -1`, script]);
    expect(cut).toMatchObject({ stdout: "= A\n", stderr: "" });
  });
});
