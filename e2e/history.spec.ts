/** Undo, redo, goto and branches, in the terminal and in the timeline: both show the same tree. */
import { say } from "../src/i18n/format.ts";
import { expect, test } from "./support/fixtures.ts";

test.beforeEach(async ({ lab }) => {
  await lab.sandboxAs("Ada");
  for (const line of ["mmap A 8M rw private anon", "touch A w", "touch A+4k w"]) await lab.terminal.run(line);
});

test("undo, redo, goto and a branch by commands", async ({ lab }) => {
  const { terminal } = lab;
  await terminal.run("undo");
  await expect(lab.now()).toContainText(say("renderer.timeline.step", { step: 2, count: 3 }));
  await terminal.run("redo");
  await expect(lab.now()).toContainText("touch A+4k w");
  await terminal.run("goto 1");
  expect((await terminal.read()).cursorLine).toMatch(/^\[1\]/);
  // another way on from there: the old one stays
  await terminal.run("touch A+8k r");
  await expect(lab.now()).toContainText(say("renderer.timeline.step", { step: 4, count: 4 }));
  expect(await terminal.run("history")).toContain("touch A+4k w");
});

test("the same in the timeline, by keyboard", async ({ lab }) => {
  const { page } = lab;
  await lab.press("goTimeline");
  await expect(lab.id("timeline")).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await expect(lab.node(2)).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("ArrowRight");
  await expect(lab.node(3)).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Home");
  await expect(lab.node(0)).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("End");
  await expect(lab.node(3)).toHaveAttribute("aria-selected", "true");
  // the terminal stands where the timeline does
  await page.keyboard.press("ArrowLeft");
  await expect(lab.node(2)).toHaveAttribute("aria-selected", "true");
  expect((await lab.terminal.read()).cursorLine).toMatch(/^\[2\]/);
});

test("the same with the mouse, and a branch between branches", async ({ lab }) => {
  const { page, terminal } = lab;
  await lab.node(1).click();
  await expect(lab.now()).toContainText(say("renderer.timeline.step", { step: 1, count: 3 }));
  await terminal.focus();
  await terminal.run("touch A+8k r");
  await expect(lab.node(4)).toHaveAttribute("aria-selected", "true");
  await lab.node(3).click();
  await expect(lab.node(3)).toHaveAttribute("aria-selected", "true");
  // what the machine shows is that of the branch: two pages there, one here
  await lab.showPicture("addressSpace");
  await expect(lab.id("picture")).toContainText(say("renderer.areas.rss", { rss: "8 KiB", pages: "2" }));
  await lab.press("goTimeline");
  await expect(lab.id("timeline")).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await expect(lab.node(4)).toHaveAttribute("aria-selected", "true");
});

test("keys step from anywhere, and what is typed stays", async ({ lab }) => {
  const { terminal } = lab;
  await terminal.focus();
  await terminal.type("touch A+12k");
  await lab.press("stepBack");
  await expect(lab.node(2)).toHaveAttribute("aria-selected", "true");
  await expect.poll(async () => (await terminal.read()).cursorLine).toMatch(/^\[2\] \S+> touch A\+12k$/);
  await lab.press("stepForward");
  await expect(lab.node(3)).toHaveAttribute("aria-selected", "true");
});
