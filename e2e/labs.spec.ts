/** Labs: the way in, prediction before reveal, hints, solution, progress. */
import { say } from "../src/i18n/format.ts";
import { FIRST_LAB, FIRST_STEP_LINES, SOLUTION } from "./support/firstLab.ts";
import { expect, test } from "./support/fixtures.ts";
import type { LabPage } from "./support/labPage.ts";

async function begin(lab: LabPage): Promise<void> {
  await lab.beginAs("Ada");
  await lab.openLab(FIRST_LAB.title);
}

async function answer(lab: LabPage, text: string): Promise<void> {
  await lab.id("prediction").getByRole("radio", { name: text, exact: true }).check();
  await lab.page.getByRole("button", { name: say("renderer.prediction.send") }).click();
  await expect(lab.id("prediction")).toContainText(say("renderer.prediction.yours"));
}

/** Answers what the next open step asks, rightly or not. */
async function answerAll(lab: LabPage): Promise<void> {
  const goOn = lab.id("next-step");
  if ((await goOn.count()) > 0) await goOn.click();
  const open = lab.id("prediction").locator("form");
  for (let left = await open.count(); left > 0; left--) {
    await open.first().getByRole("radio").first().check();
    await open.first().getByRole("button").click();
    await expect(open).toHaveCount(left - 1);
  }
}

const [prediction] = FIRST_LAB.predictions;
const stepAt = (lab: LabPage, index: number) => lab.id("steps").locator("> li").nth(index);

test("from the first start to the first solved step, by what the screen says alone", async ({ lab }) => {
  const { page } = lab;
  // a name, and the lab that is marked as the next one
  await lab.beginAs("Ada");
  const next = lab
    .id("labs")
    .getByRole("listitem")
    .filter({ hasText: say("renderer.home.next") });
  await expect(next).toHaveCount(1);
  await next.getByRole("button").click();
  await lab.terminal.idle();
  await expect(stepAt(lab, 0)).toHaveAttribute("aria-current", "step");
  await answer(lab, prediction.choices[0].text);
  // its lines can be put into the terminal, and are run by Enter alone
  for (const line of FIRST_STEP_LINES) await lab.terminal.run(line);
  await expect(stepAt(lab, 0)).toContainText(say("renderer.lab.stepDone"));
  await expect(stepAt(lab, 1)).toHaveAttribute("aria-current", "step");
  await page.reload();
  await lab.terminal.idle();
  await expect(stepAt(lab, 1)).toHaveAttribute("aria-current", "step");
});

test("a prediction is asked for before anything is revealed, and judged when it happened", async ({ lab }) => {
  await begin(lab);
  const box = lab.id("prediction");
  await expect(box).toContainText(prediction.question);
  await expect(lab.page.getByText(say("renderer.lab.predictFirst"))).toBeVisible();
  await expect(box).not.toContainText(say("renderer.prediction.right"));
  await answer(lab, prediction.choices[0].text);
  for (const line of FIRST_STEP_LINES) await lab.terminal.run(line);
  // the step stays open with what came of the answer, until the learner goes on
  await expect(stepAt(lab, 0)).toContainText(say("renderer.prediction.wrong"));
  await expect(stepAt(lab, 0)).toContainText("512");
  await lab.id("next-step").click();
  await expect(stepAt(lab, 0)).not.toContainText("512");
  await expect(stepAt(lab, 1).getByRole("button", { expanded: true })).toBeFocused();
  await expect(lab.id("next-step")).toHaveCount(0);
});

test("hints come one by one, and after the solution the lab is solved with help", async ({ lab }) => {
  await begin(lab);
  const check = lab.id("check").first();
  await expect(lab.id("hints")).toHaveCount(0);
  await check.getByRole("button").first().click();
  await expect(lab.id("hints").getByRole("listitem")).toHaveCount(1);
  await check.getByRole("button").first().click();
  await expect(lab.id("hints").getByRole("listitem")).toHaveCount(2);

  await lab.id("show-solution").click();
  await lab.page.getByRole("button", { name: say("renderer.solution.no") }).click();
  await expect(lab.id("solution")).toHaveCount(0);
  await lab.id("show-solution").click();
  await lab.page.getByRole("button", { name: say("renderer.solution.yes") }).click();
  await expect(lab.id("solution")).toContainText(SOLUTION[0]);
  for (const line of SOLUTION) {
    await answerAll(lab);
    await lab.terminal.run(line);
  }
  await expect(lab.id("success")).toContainText(say("renderer.success.assisted"));
  await lab.goHome();
  await expect(lab.card(FIRST_LAB.title)).toContainText(say("renderer.lab.assisted"));
});

test("a line of the solution is put into the terminal, not run", async ({ lab }) => {
  await begin(lab);
  await lab.id("show-solution").click();
  await lab.page.getByRole("button", { name: say("renderer.solution.yes") }).click();
  await lab
    .id("solution")
    .getByRole("button", { name: say("renderer.prose.putLine", { line: SOLUTION[0] }) })
    .click();
  await expect.poll(async () => (await lab.terminal.read()).cursorLine).toContain(SOLUTION[0]);
  await expect(lab.now()).toContainText(say("renderer.timeline.step", { step: 0, count: 0 }));
});

test("a recognised mistake is named, and undo leads back", async ({ lab }) => {
  await begin(lab);
  await lab.terminal.run(FIRST_STEP_LINES[0]);
  await lab.terminal.run("touch A w");
  const check = lab.id("check").first();
  await expect(check).toHaveAttribute("data-passes", "false");
  await expect(check.getByRole("note")).toContainText("2M");
  await lab.terminal.run("undo");
  await expect(check.getByRole("note")).toHaveCount(0);
});

test("undo never takes progress away", async ({ lab }) => {
  await begin(lab);
  await answer(lab, prediction.choices[0].text);
  for (const line of FIRST_STEP_LINES) await lab.terminal.run(line);
  await expect(stepAt(lab, 0)).toContainText(say("renderer.lab.stepDone"));
  await lab.terminal.run("goto 0");
  await expect(stepAt(lab, 0)).toContainText(say("renderer.lab.stepDone"));
});
