import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { execute, root, withFolder, type Ended } from "../../tests/support.ts";
import { chooseMachine, type MachineValues } from "./machineOptions.ts";
import { runScript } from "../session/runScript.ts";

const launcher = join(root, "bin/hugelab");

const SCRIPT = `# a script with a bit of everything
mmap A 8M rw private anon
touch A w
madvise A 8M hugepage
touch A+2M w
mprotect A+1 4k r
touch B r
fork C
@C touch A+2M w
khugepaged scan 1
`;

/** Runs hugelab with a text on the standard input. */
const feed = (args: readonly string[], input: string): Promise<Ended> => execute(launcher, args, { input });

describe("hugelab run --json", () => {
  it("prints the header and one object for each operation, as the session makes them", async () => {
    const { status, stdout, stderr } = await feed(["run", "--profile", "debian-6.12.107", "--json", "-"], SCRIPT);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const [header, ...steps] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    const expected = runScript("debian-6.12.107", SCRIPT);
    expect(header).toEqual(JSON.parse(JSON.stringify(expected.header)));
    expect(steps).toEqual(JSON.parse(JSON.stringify(expected.steps)));
  });

  it("does not cut a long output that is read slowly, and ends quietly when the reader goes", async () => {
    const many = `mmap A 8M rw private anon\n${"touch A 8M w step=8k\ntouch A+4k w\nmunmap A 4M\nmmap A 4M rw private anon at=A\n".repeat(150)}`;
    const slow = await execute("sh", ["-c", `${launcher} run --json - | (sleep 1; wc -l)`], { input: many });
    expect(slow.stdout.trim()).toBe("602");
    const gone = await execute("bash", ["-c", `${launcher} run --json - | head -1 | cut -c1-8; echo "\${PIPESTATUS[0]}"`], { input: many });
    expect(gone).toMatchObject({ stdout: '{"hdr":1\n141\n', stderr: "" });
  });
});

it("tells a person what each operation did", async () => {
  const { status, stdout } = await feed(["run", "-"], SCRIPT);
  expect(status).toBe(0);
  expect(stdout).toBe(`mmap A 8M rw private anon
    = A
touch A w
    done
    1 page fault: A+0x0
    VmRSS +4 kB (4 kB)
madvise A 8M hugepage
    = 0
touch A+2M w
    done
    1 page fault: A+0x200000
    VmRSS +2048 kB (2052 kB)  AnonHugePages +2048 kB  thp_fault_alloc +1  2048kB.anon_fault_alloc +1  2048kB.nr_anon +1
mprotect A+1 4k r
    = -1 EINVAL (Invalid argument)
    The address must be a multiple of the page size, 4096.
touch B r
    not done
    SIGSEGV (SEGV_MAPERR) at B+0x0: nothing is mapped there, or a guard region is
    1 page fault: B+0x0
fork C
    = C
@C touch A+2M w
    done
    1 page fault: A+0x200000
    thp_split_pmd +1
khugepaged scan 1
    1 full pass
    VmRSS +2044 kB (4096 kB)  AnonHugePages +2048 kB  thp_collapse_alloc +1  thp_scan_exceed_share_pte +1  2048kB.nr_anon +1
`);
});

describe("the machine", () => {
  const header = async (...args: string[]): Promise<unknown> => JSON.parse((await feed(["run", "--json", ...args, "-"], "")).stdout) as unknown;

  it("is chosen by profile, release, patches, settings and architecture", async () => {
    expect(await header()).toMatchObject({ profile: "debian-6.18.15", thp: "madvise" });
    expect(await header("--release", "6.1")).toMatchObject({ profile: "upstream-6.1", kernel: "6.1.0" });
    expect(await header("--config", "thp/enabled=always")).toMatchObject({ thp: "always" });
    expect(await header("--arch", "ppc-8xx")).toMatchObject({ slot_base: "0x10000000" });
    const mthp = "sys set thp/enabled always\nmmap A 4k rw private anon\nsys get mthp/64kB/enabled\n";
    expect((await feed(["run", "--release", "6.1", "--patch", "+mthp", "-"], mthp)).stdout).toContain("    never\n");
    expect((await feed(["run", "--release", "6.1", "-"], mthp)).stdout).toContain("ENOENT");
    const touched = await feed(["run", "--arch", "x86-64-la57", "-"], "mmap A 4k rw private anon\ntouch A w\n");
    expect(touched.stdout).toContain("VmRSS +4 kB");
    expect((await feed(["run", "--arch", "ppc-8xx", "-"], "mmap A 4k rw private anon\ntouch A w\n")).stdout).toContain("VmRSS +4 kB");
  });

  it.each<[MachineValues, string]>([
    [{ profile: "debian-6.18" }, "hugelab run: there is no profile debian-6.18; did you mean debian-6.18.15?"],
    [{ release: "6.99" }, "hugelab run: there is no release 6.99; did you mean 6.9?"],
    [{ release: "7" }, "hugelab run: there is no release 7; there are: 5.19, 6.0, "],
    [{ release: "6.1", profile: "vm-6.18.44" }, "hugelab run: --release R means --profile upstream-R; give one of the two."],
    [{ patch: ["+mtph"] }, "hugelab run: there is no patch mtph; did you mean mthp?"],
    [{ arch: "x86" }, "hugelab run: there is no architecture x86; "],
    [{ config: ["thp/enabled"] }, "hugelab run: --config takes PATH=VALUE, for example thp/enabled=always, not thp/enabled."],
  ])("%j is refused in one sentence", (values, sentence) => {
    const choice = chooseMachine("run", values);
    expect(typeof choice === "string" ? choice.slice(0, sentence.length) : choice).toBe(sentence);
  });

  it("refuses settings that the kernel refuses, with exit status 2", async () => {
    expect(await feed(["run", "--config", "thp/enabled=often", "-"], "")).toEqual({
      status: 2,
      stdout: "",
      stderr: "hugelab run: /sys/kernel/mm/transparent_hugepage/enabled does not take often (EINVAL).\n",
    });
    expect((await feed(["run", "--config", "thp/enabeld=always", "-"], "")).stderr).toBe(
      "hugelab run: there is no kernel file /sys/kernel/mm/transparent_hugepage/enabeld; did you mean /sys/kernel/mm/transparent_hugepage/enabled?\n",
    );
  });
});

describe("a script that cannot be run", () => {
  it("is refused whole, with every mistake under its caret", async () => {
    await withFolder({ "bad.txt": "mmap A 8M rw private anon\nmmap B 8M rw privat\ntuch A w\n" }, async (folder) => {
      const path = join(folder, "bad.txt");
      const { status, stdout, stderr } = await execute(launcher, ["run", path]);
      expect(status).toBe(2);
      expect(stdout).toBe("");
      expect(stderr).toBe(
        `${path}:2:14: FLAG cannot be "privat"\n 2 | mmap B 8M rw privat\n   |              ^^^^^^ did you mean private?\n${path}:3:1: there is no operation "tuch"\n 3 | tuch A w\n   | ^^^^ did you mean touch?\n`,
      );
    });
  });

  it.each<[string, readonly string[], RegExp]>([
    ["no file", ["/nonexistent"], /^hugelab run: there is no file \/nonexistent\.\n$/],
    ["a folder", ["/"], /^hugelab run: \/ is a folder; name a script\.\n$/],
    ["two files", ["a", "b"], /^hugelab run: name one script/],
    ["none", [], /^hugelab run: name one script/],
  ])("%s: one sentence", async (_name, args, sentence) => {
    const { status, stderr } = await execute(launcher, ["run", ...args]);
    expect(stderr).toMatch(sentence);
    expect(status).toBe(2);
  });

  it("binary bytes and a line of a megabyte cost a sentence", async () => {
    const binary = await feed(["run", "-"], "\u0000\u0001\u0002\n");
    expect(binary.stderr).toContain("stdin:1:1: this is no text");
    const long = await feed(["run", "-"], `touch A${"+1".repeat(500_000)} w\n`);
    expect(long.status).toBe(2);
    expect(long.stderr.length).toBeLessThan(1000);
  });
});
