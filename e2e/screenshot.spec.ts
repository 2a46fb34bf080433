/** The picture at the top of README.md: taken by this test when HUGELAB_SCREENSHOT=1, and looked at every time. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./support/binaries.ts";
import { FIRST_LAB, SOLUTION } from "./support/firstLab.ts";
import { expect, test } from "./support/fixtures.ts";

const FILE = "docs/images/hugelab.png";
const SIZE = { width: 1440, height: 900 };
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

test("takes the screenshot", async ({ lab }) => {
  test.skip(process.env.HUGELAB_SCREENSHOT !== "1", "only when HUGELAB_SCREENSHOT=1 asks for a new one");
  const { page, terminal } = lab;
  await page.setViewportSize(SIZE);
  await lab.beginAs("Ada");
  await lab.openLab(FIRST_LAB.title);
  const open = lab.id("prediction").locator("form");
  for (const line of SOLUTION.slice(0, 4)) {
    for (let left = await open.count(); left > 0; left--) {
      await open.first().getByRole("radio").last().check();
      await open.first().getByRole("button").click();
      await expect(open).toHaveCount(left - 1);
    }
    await terminal.run(line);
  }
  await terminal.run("why A+2M");
  // the level where both halves are seen: a table below, a page beside it
  await lab.showPicture("pageTables");
  await terminal.focus();
  await page.screenshot({ path: join(ROOT, FILE) });
});

test("README opens with the screenshot, which is a picture of that size", () => {
  const bytes = readFileSync(join(ROOT, FILE));
  expect(bytes.subarray(0, 8).equals(PNG)).toBe(true);
  expect({ width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }).toEqual(SIZE);
  const [, ...afterTitle] = readFileSync(join(ROOT, "README.md"), "utf8").split("\n");
  const first = afterTitle.find((line) => line.trim() !== "") ?? "";
  expect(first).toContain(`](${FILE})`);
  // it says in words what is seen
  expect(first).toMatch(/^!\[[^\]]{20,}\]/);
});
