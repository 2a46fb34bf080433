import { writeFileSync, symlinkSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { smallPack } from "../../tests/packSupport.ts";
import { execute, root, withFolder } from "../../tests/support.ts";

const mainFile = join(root, "src", "cli", "main.ts");
const lab = (args: readonly string[], input?: string) => execute(process.execPath, [mainFile, "lab", ...args], input === undefined ? {} : { input });

function writePack(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

describe("hugelab lab", () => {
  it("lists the labs with their badges", async () => {
    const { status, stdout } = await lab(["list"]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^first-fault\s+12 min\s+recorded\s+Why was my first fault not huge\?$/m);
    // in the order in which they are to be done, each by a name of its own
    expect(stdout.match(/^\S+/gm)).toEqual([
      ...["first-fault", "pmd-fault", "small-hole"],
      ...["page-cache", "tmpfs-huge", "shared-memory", "private-copies", "collapse-and-punch", "three-settings"],
      ...[
        "thpeligible",
        "settings",
        "sizes",
        "khugepaged",
        "collapse",
        "deferred-split",
        "since-when",
        "regression",
        "smaps-wrong",
        "driver",
        "uprobe",
        "review",
      ],
    ]);
  });

  it("runs a lab to its end", async () => {
    const lines = [
      "mmap A 4M rw private anon",
      "madvise A hugepage",
      "predict rss huge",
      "predict page-size small",
      "touch A+1M w",
      "predict tables table",
      "touch A+2M w",
      "predict 0",
      "touch A 4M w",
      "lab",
    ];
    const { status, stdout, stderr } = await lab(["run", "pmd-fault"], `${lines.join("\n")}\n`);
    expect([status, stderr]).toEqual([0, ""]);
    for (const part of ["Reached: A is 4 MiB long", "Right: 2048 kB, a whole huge page", "Step 2: Write one byte", "Solved!", "What one huge fault changed"])
      expect(stdout).toContain(part);
  });

  it("says which labs there are", async () => {
    expect(await lab(["run", "first-falut"])).toEqual({
      status: 2,
      stdout: "",
      stderr: "hugelab lab: there is no lab first-falut; did you mean first-fault?\n",
    });
    expect((await lab(["run", "zzzzzzzz"])).stderr).toContain("first-fault, pmd-fault, small-hole");
    for (const args of [[], ["list", "x"], ["run"], ["check"], ["lint", "x"]]) expect((await lab(args)).status).toBe(2);
  });

  it("checks packs: 0 when right, 1 with file, place, what and how to put it right", async () => {
    await withFolder({}, async (folder) => {
      writePack(join(folder, "good"), smallPack());
      const files = smallPack();
      files["labs/01-touch/decoys/late.trace"] = "# fails: mapped\nmmap A 4M rw private anon\n";
      files["labs/01-touch/steps/20-touch.md"] += "\n<b>now</b>\n";
      writePack(join(folder, "bad"), files);
      expect(await lab(["check", join(folder, "good")])).toEqual({ status: 0, stdout: "Small: 1 labs, nothing to put right.\n", stderr: "" });
      const both = await lab(["check", join(folder, "bad"), join(folder, "good")]);
      expect(both.status).toBe(1);
      expect(both.stdout).toContain(`${join(folder, "bad")}: labs/01-touch/steps/20-touch.md: line 7: HTML: <b>. Use Markdown`);
      expect(both.stdout).toContain("nothing to put right");
      delete files["labs/01-touch/steps/20-touch.md"];
      writePack(join(folder, "bad"), { "labs/01-touch/steps/20-touch.md": smallPack()["labs/01-touch/steps/20-touch.md"] });
      expect((await lab(["check", join(folder, "bad")])).stdout).toContain(
        "labs/01-touch/decoys/late.trace: the check mapped passes, and the decoy says that it fails. Make the check stricter",
      );
    });
  });

  it("says what is no folder, and follows no link", async () => {
    expect(await lab(["check", "/nowhere/at/all"])).toEqual({
      status: 2,
      stdout: "",
      stderr: "hugelab lab: /nowhere/at/all is no folder that can be read (ENOENT).\n",
    });
    await withFolder({}, async (folder) => {
      writePack(folder, smallPack());
      symlinkSync("/etc/passwd", join(folder, "LICENSE"));
      expect((await lab(["check", folder])).stderr).toContain("LICENSE is neither a file nor a folder");
    });
  });
});
