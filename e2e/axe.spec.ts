/** axe finds nothing on any screen, in light, dark and high contrast. */
import { AxeBuilder } from "@axe-core/playwright";
import { say } from "../src/i18n/format.ts";
import { expect, test, type Page } from "./support/fixtures.ts";
import type { LabPage, PictureTab } from "./support/labPage.ts";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const TABS: readonly PictureTab[] = ["addressSpace", "pageTables", "physical", "counters", "eligibility", "why", "diff", "compare"];

async function expectNone(page: Page, screen: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
  const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${screen}: ${id}: ${node.target.join(" ")}: ${node.failureSummary ?? ""}`));
  expect(found).toEqual([]);
}

async function dialogs(lab: LabPage, name: string): Promise<void> {
  const { page } = lab;
  for (const command of ["settings", "keys", "fidelity", "export", "transcript"] as const) {
    await lab.palette(say(`renderer.command.${command}`));
    await expect(page.getByRole("dialog")).toBeVisible();
    await expectNone(page, `${command}, ${name}`);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toBeHidden();
  }
  await lab.press("palette");
  await expect(lab.paletteBox()).toBeVisible();
  await expectNone(page, `palette, ${name}`);
  await page.keyboard.press("Escape");
}

for (const theme of ["light", "dark", "contrast"] as const) {
  test(`${theme}: the way in, the labs, a lab`, async ({ lab }) => {
    const { page } = lab;
    await page.emulateMedia(theme === "contrast" ? { contrast: "more" } : { colorScheme: theme });
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe(theme);
    await expect(page.locator("#learner-name")).toBeVisible();
    await expectNone(page, "first start");
    await lab.beginAs("Ada");
    await expectNone(page, "home");
    await page
      .getByRole("button", { name: new RegExp(`^${say("renderer.home.begin")}`) })
      .first()
      .click();
    await lab.terminal.idle();
    await expectNone(page, "a lab");
    await lab.twins(true);
    await expectNone(page, "a lab with its twin");
    await lab.goHome();
    await lab.palette(say("renderer.command.learners"));
    await expect(lab.id("learners")).toBeVisible();
    await expectNone(page, "who is learning");
  });

  test(`${theme}: every picture and its twin, every dialog`, async ({ lab }) => {
    const { page } = lab;
    await page.emulateMedia(theme === "contrast" ? { contrast: "more" } : { colorScheme: theme });
    await lab.sandboxAs("Ada");
    for (const line of ["mmap A 8M rw private anon", "madvise A 8M hugepage", "touch A+2M w", "touch A r", "nonsense"]) await lab.terminal.run(line);
    for (const tab of TABS) {
      const picture = await lab.showPicture(tab);
      if (tab === "why") {
        await page.locator("#why-words").fill("A");
        await page.keyboard.press("Enter");
        await expect(lab.id("why-chain")).toBeVisible();
      }
      if (tab === "compare") {
        await page.getByLabel(say("renderer.compare.file"), { exact: true }).fill("/sys/kernel/mm/transparent_hugepage/enabled");
        await page.getByLabel(say("renderer.compare.value"), { exact: true }).fill("never");
        await page.keyboard.press("Enter");
        await expect(picture.getByRole("status")).toBeVisible();
      }
      await expect(picture).not.toBeEmpty();
      await expectNone(page, tab);
    }
    await lab.twins(true);
    for (const tab of TABS) {
      await lab.showPicture(tab);
      await expectNone(page, `${tab} as text`);
    }
    await dialogs(lab, theme);
  });
}

test("a small window, one pane at a time", async ({ lab }) => {
  const { page } = lab;
  await lab.sandboxAs("Ada");
  await page.setViewportSize({ width: 640, height: 400 });
  const tabs = page.getByRole("navigation", { name: say("renderer.pane.all") });
  for (const pane of ["guide", "picture", "terminal", "timeline"] as const) {
    await tabs.getByRole("button", { name: say(`renderer.pane.${pane}`) }).click();
    await expectNone(page, `${pane} alone`);
  }
});
