import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { execute, root, withFolder } from "../../tests/support.ts";

const bisect = (...args: string[]) => execute(process.execPath, [join(root, "src/cli/main.ts"), "bisect", ...args]);

const SCRIPT = "sys thp enabled always\nmmap A 2M rw private anon\ntouch A r\ntouch A w\n";

it("names the change, shows both answers and where it comes from", () =>
  withFolder({}, async (folder) => {
    const file = join(folder, "zero.txt");
    writeFileSync(file, SCRIPT);
    const { status, stdout, stderr } = await bisect(file, "--good", "6.12", "--bad", "6.13", "--observe", "3:dv.thp_fault_alloc");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("operation 3, touch A w: dv.thp_fault_alloc\n");
    expect(stdout).toContain("huge-zero-write: a write to the huge zero folio allocates a THP\n");
    expect(stdout).toContain("Look for do_huge_zero_wp_pmd; described in kernel-semantics.md 2.6.\n");
    expect(stdout).toMatch(/6\.12, from documents, not recorded\n {4}\(not there\)\n/);
    const other = await bisect("--from", "6.12", "--to", "6.13", "--observation", "3:dv.thp_fault_alloc", "--json", file);
    expect(other.status).toBe(0);
    expect(JSON.parse(other.stdout)).toMatchObject({ from: "upstream-6.12", to: "upstream-6.13", change: "huge-zero-write", minimal: ["huge-zero-write"] });
  }));

it("takes the first difference when no observation is named, and tells of the others", () =>
  withFolder({}, async (folder) => {
    const file = join(folder, "zero.txt");
    writeFileSync(file, SCRIPT);
    const { status, stdout } = await bisect(file, "--good", "6.12", "--bad", "6.13");
    expect(status).toBe(0);
    expect(stdout).toContain("huge-zero-write");
    expect(stdout).toMatch(/Observations that differ too \(\d+\):\n {2}--observe 3:/);
    writeFileSync(file, "mmap A 2M rw private anon\n");
    const same = await bisect(file, "--good", "6.1", "--bad", "6.5", "--observe", "0:ret");
    expect([same.status, same.stdout]).toEqual([1, expect.stringContaining("Both answer the same")]);
    expect((await bisect(file, "--good", "6.12", "--bad", "6.13")).status).toBe(1);
  }));

it("ends with 2 and one sentence for what makes no sense", () =>
  withFolder({}, async (folder) => {
    const file = join(folder, "zero.txt");
    writeFileSync(file, SCRIPT);
    for (const [args, text] of [
      [[], "name one script"],
      [[file, file], "name one script"],
      [[join(folder, "none")], "there is no file"],
      [[file, "--good", "6.99"], "no profile or release 6.99"],
      [[file, "--observe", "flt.pf"], "OPERATION:FIELD"],
      [[file, "--observe", "9:flt.pf"], "count from 0 to 3"],
      [[file, "--observe", "3:flt.pff"], "did you mean flt.pf?"],
      [[file, "--config", "CONFIG_SHMEN=n"], "did you mean CONFIG_SHMEM?"],
      [[file, "--config", "CONFIG_SHMEM=m"], "y or n"],
    ] as const) {
      const { status, stdout, stderr } = await bisect(...args);
      expect([args, status, stdout]).toEqual([args, 2, ""]);
      expect(stderr).toContain(text);
    }
  }));
