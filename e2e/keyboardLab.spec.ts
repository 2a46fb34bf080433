/**
 * One whole lab by keyboard alone, reading the text twins alone. In the middle the host is killed, as a crash of the machine would end it;
 * the lab goes on at the same step and ends as solved without help.
 */
import { say } from "../src/i18n/format.ts";
import { FIRST_LAB, SOLUTION } from "./support/firstLab.ts";
import { expect, test, type Page } from "./support/fixtures.ts";
import { LabPage } from "./support/labPage.ts";

/** Tab until the focus is on something that fits. */
async function tabTo(page: Page, selector: string, key = "Tab"): Promise<void> {
  for (let n = 0; n < 80; n++) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`Tab never came to ${selector}`);
}

const readList = (page: Page, id: string): Promise<string> => page.getByTestId(id).innerText();

/** Goes on to the next step where one is finished, and answers its questions, if there are any, with their last choices. */
async function answerByKeys(lab: LabPage): Promise<void> {
  const { page } = lab;
  if ((await lab.id("next-step").count()) > 0) {
    await lab.press("goGuide");
    await tabTo(page, "[data-testid=next-step]", "Shift+Tab");
    await page.keyboard.press("Enter");
    await expect(lab.id("next-step")).toHaveCount(0);
  }
  const open = lab.id("prediction").locator("form");
  for (let left = await open.count(); left > 0; left--) {
    await lab.press("goGuide");
    await tabTo(page, "[data-testid=prediction] form input[type=radio]");
    // the first press chooses the next one, and goes round
    await page.keyboard.press("ArrowUp");
    await tabTo(page, "[data-testid=prediction] form button");
    await page.keyboard.press("Enter");
    await expect(open).toHaveCount(left - 1);
  }
}

test("a whole lab by keyboard and text alone, through a kill -9", async ({ start, data, watch, carrier }) => {
  test.slow();
  // the page of the killed host says that it lost it
  watch.expectErrors(/WebSocket|ERR_CONNECTION_REFUSED|Failed to load resource/);
  let app = await start(data);
  let lab = new LabPage(app.page);
  let { page } = app;

  await expect(page.locator("#learner-name")).toBeFocused();
  await page.keyboard.type("Ada");
  await page.keyboard.press("Enter");
  const openLab = async (): Promise<void> => {
    await expect(page.getByRole("heading", { name: FIRST_LAB.title })).toBeVisible();
    await tabTo(page, `button[aria-label$=${JSON.stringify(`: ${FIRST_LAB.title}`)}]`);
    await page.keyboard.press("Enter");
    await lab.terminal.idle();
  };
  await openLab();
  await lab.press("twin");
  await expect(lab.id("lab-twin")).toBeVisible();

  const half = SOLUTION.findIndex((line) => line.startsWith("madvise")) + 1;
  for (const [at, line] of SOLUTION.entries()) {
    await answerByKeys(lab);
    await lab.press("goTerminal");
    await lab.terminal.run(line);
    // what happened is read from the twin of the timeline
    await expect.poll(() => readList(page, "timeline-twin")).toContain(line);
    if (at + 1 !== half) continue;

    // the first two steps are done, and the next one is open
    await expect.poll(() => readList(page, "lab-twin")).toMatch(/\[x\] 1\.[^]*\[x\] 2\.[^]*> \[ \] 3\./);
    const twin = await readList(page, "lab-twin");
    await app.kill();
    if (carrier === "browser") await expect(lab.id("disconnected")).toBeVisible();
    app = await start(data);
    ({ page } = app);
    lab = new LabPage(page);
    // who learned last has the focus
    await expect(lab.id("learners").getByRole("button").first()).toBeFocused();
    await page.keyboard.press("Enter");
    await openLab();
    await expect(lab.id("lab-twin")).toBeVisible();
    expect(await readList(page, "lab-twin")).toBe(twin);
    expect(await readList(page, "timeline-twin")).toContain(line);
  }

  await expect(lab.id("success")).toContainText(say("renderer.success.title"));
  await lab.press("home");
  await expect(lab.card(FIRST_LAB.title)).toContainText(say("renderer.lab.solved"));
  await expect(lab.card(FIRST_LAB.title)).not.toContainText(say("renderer.lab.assisted"));
});
