/** Every lab that ships, solved in the app by the lines of its solution: what the linter proves without a screen. Takes minutes, so only in `npm run test:long`. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "../src/i18n/format.ts";
import { ROOT } from "./support/binaries.ts";
import { expect, test } from "./support/fixtures.ts";
import type { LabPage } from "./support/labPage.ts";

const isLong = process.env["HUGELAB_LONG"] === "1";
const labs = join(ROOT, "labs");
const folders = isLong ? readdirSync(labs).flatMap((pack) => readdirSync(join(labs, pack, "labs")).map((name) => join(labs, pack, "labs", name))) : [];

/** Goes on where a step is finished, and answers the questions that are open with their last choices, or with 1. */
async function answerAll(lab: LabPage): Promise<void> {
  if ((await lab.id("next-step").count()) > 0) {
    await lab.id("next-step").click();
    await expect(lab.id("next-step")).toHaveCount(0);
  }
  const open = lab.id("prediction").locator("form");
  for (let left = await open.count(); left > 0; left--) {
    const choices = open.first().locator("input[type=radio]");
    if ((await choices.count()) > 0) await choices.last().check();
    else await open.first().locator("input").fill("1");
    await open.first().locator("button").click();
    await expect(open).toHaveCount(left - 1);
  }
}

test("every lab is solved by its solution", () => {
  test.skip(!isLong, "takes minutes: npm run test:long");
  expect(folders.length).toBeGreaterThan(0);
});

for (const folder of folders) {
  test(`${folder.slice(labs.length + 1)} is solved by its solution`, async ({ lab }) => {
    const { title } = JSON.parse(readFileSync(join(folder, "lab.json"), "utf8")) as { title: string };
    const lines = readFileSync(join(folder, "solution.trace"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    await lab.beginAs("Ada");
    await lab.openLab(title);
    for (const line of lines) {
      await answerAll(lab);
      await lab.terminal.run(line);
    }
    await answerAll(lab);
    await expect(lab.id("success")).toContainText(say("renderer.success.title"));
  });
}
