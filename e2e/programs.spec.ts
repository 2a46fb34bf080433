/** Real programs: a recording is replayed and swept, stopped, and files of the learner's are brought in. */
import { AxeBuilder } from "@axe-core/playwright";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "../src/i18n/format.ts";
import { expect, test, type Page } from "./support/fixtures.ts";
import type { LabPage } from "./support/labPage.ts";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const SHORT = "c-two-buffers";

async function openPrograms(lab: LabPage): Promise<void> {
  await lab.beginAs("Ada");
  await lab.id("open-programs").click();
  await expect(lab.page.locator("#program")).toHaveValue(SHORT);
}

async function replay(lab: LabPage): Promise<void> {
  await lab.page.getByRole("button", { name: say("renderer.programs.replay"), exact: true }).click();
  await expect(lab.id("replay")).toBeVisible();
}

async function ownSettings(page: Page, lines: string): Promise<void> {
  await page.getByText(say("renderer.programs.ownSettings"), { exact: true }).click();
  await page.getByRole("textbox", { name: say("renderer.programs.ownSettingsWhat") }).fill(lines);
}

async function expectNone(page: Page, screen: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  expect(violations.flatMap(({ id, nodes }) => nodes.map((node) => `${screen}: ${id}: ${node.target.join(" ")}: ${node.failureSummary ?? ""}`))).toEqual([]);
}

test("a replay agrees with its recording, and the plot can be read by keyboard and as text", async ({ lab }) => {
  await openPrograms(lab);
  await replay(lab);
  await expect(lab.id("replay")).toContainText("67 of 67 faults");
  const slider = lab.page.getByRole("slider");
  await slider.focus();
  await lab.page.keyboard.press("End");
  await expect(lab.id("rss-point")).toContainText("anonymous 32.1 MiB");
  await lab.twins(true);
  expect((await lab.twinLines()).join("\n")).toContain("67 of 67 faults agree");
});

test("a sweep: sorted by a column, the reasons of a row, and stopped", async ({ lab }) => {
  const { page } = lab;
  await openPrograms(lab);
  await ownSettings(page, "enabled=never\n# a remark\nenabled=never,64k=always\nenabled=sometimes");
  await lab.id("run-sweep").click();
  const table = lab.id("sweep").getByRole("table");
  await expect(table.getByRole("row")).toHaveCount(5);
  await expect(table).toContainText("does not take sometimes");
  const faults = table.getByRole("columnheader", { name: say("conform.sweep.column.faults" as never) }).first();
  await faults.getByRole("button").click();
  await expect(faults).toHaveAttribute("aria-sort", "ascending");
  await table.getByRole("button", { name: "enabled=never", exact: true }).click();
  await expect(lab.id("sweep-why")).toContainText("transparent_hugepage/enabled is never");
  // a longer one is stopped, and says what is missing
  await page.locator("#program").selectOption("compiler");
  await page.getByRole("textbox", { name: say("renderer.programs.ownSettingsWhat") }).fill("");
  await lab.id("run-sweep").click();
  await expect(lab.id("program-progress")).toContainText("/");
  await lab.id("stop-work").click();
  await expect(lab.id("program-progress")).toBeHidden();
  await expect(page.getByText(/rows were not replayed|^Stopped\.$/)).toBeVisible();
});

test("files: a recording is kept, smaps becomes a sandbox, anything else one sentence", async ({ lab }) => {
  const { page } = lab;
  await openPrograms(lab);
  const recording = readFileSync(join(import.meta.dirname, `../conformance/programs/${SHORT}.json`), "utf8");
  await lab.id("import-file").setInputFiles({ name: "mine.json", mimeType: "application/json", buffer: Buffer.from(recording) });
  await expect(page.getByRole("button", { name: say("renderer.programs.forget", { name: SHORT }) })).toBeVisible();
  await replay(lab);
  await expect(lab.id("replay")).toContainText("67 of 67 faults");
  await page.getByRole("button", { name: say("renderer.programs.forget", { name: SHORT }) }).click();
  await expect(page.locator("#program").getByRole("option")).toHaveCount(4);

  await lab.id("import-file").setInputFiles({ name: "noise.bin", mimeType: "application/octet-stream", buffer: Buffer.from([1, 2, 3, 0, 255]) });
  await expect(page.getByRole("alert")).toContainText("noise.bin, line 1: ");

  const maps = "555555554000-555555556000 r-xp 00000000 fe:00 12   /bin/x\n7ffff0000000-7ffff0400000 rw-p 00000000 00:00 0\n";
  await lab.id("import-file").setInputFiles({ name: "maps", mimeType: "text/plain", buffer: Buffer.from(maps) });
  await expect(lab.id("imported-script")).toContainText("nothing is populated");
  await page.getByRole("button", { name: say("renderer.programs.openScript") }).click();
  await lab.terminal.idle();
  await expect(lab.id("announcer")).toContainText("3 lines were carried out");
  await lab.terminal.run("grep -c rw-p /proc/self/maps");
});

for (const theme of ["light", "dark", "contrast"] as const) {
  test(`axe finds nothing: ${theme}`, async ({ lab }) => {
    const { page } = lab;
    await page.emulateMedia(theme === "contrast" ? { contrast: "more" } : { colorScheme: theme });
    await openPrograms(lab);
    await expectNone(page, "programs");
    await replay(lab);
    await ownSettings(page, "enabled=never\nenabled=sometimes");
    await lab.id("run-sweep").click();
    await expect(lab.id("sweep")).toBeVisible();
    await expectNone(page, "replay and sweep");
    await lab.twins(true);
    await expectNone(page, "as text");
  });
}
