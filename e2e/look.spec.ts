/** How the app looks and is reached: palette, keys, panes, colours, size, motion. */
import { SHORTCUTS } from "../src/host/api/shortcuts.ts";
import { say } from "../src/i18n/format.ts";
import { expect, test } from "./support/fixtures.ts";

test("palette: every command is found by its name, and the keys beside it do the same", async ({ lab }) => {
  const { page } = lab;
  await lab.sandboxAs("Ada");
  await lab.press("palette");
  const options = page.getByRole("listbox", { name: say("renderer.palette.commands") }).getByRole("option");
  await expect.poll(() => options.count()).toBeGreaterThan(20);
  await lab.paletteBox().fill("zzzzqqq");
  await expect(page.getByText(say("renderer.palette.none"))).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(lab.paletteBox()).toBeHidden();
  await expect(page.locator(".xterm-helper-textarea")).toBeFocused();

  await lab.palette(say("renderer.command.goTimeline"));
  await expect(lab.id("timeline")).toBeFocused();
  await lab.press("goTerminal");
  await expect(page.locator(".xterm-helper-textarea")).toBeFocused();
  await lab.press("twin");
  await expect(lab.id("twin")).toHaveAttribute("aria-pressed", "true");
});

test("the list of keys has every shortcut", async ({ lab }) => {
  await lab.sandboxAs("Ada");
  await lab.palette(say("renderer.command.keys"));
  const dialog = lab.page.getByRole("dialog");
  for (const name of Object.keys(SHORTCUTS) as (keyof typeof SHORTCUTS)[]) await expect(dialog).toContainText(say(`renderer.command.${name}`));
});

test("F6 goes through the panes and back", async ({ lab }) => {
  const { page } = lab;
  await lab.sandboxAs("Ada");
  const where = (): Promise<string | undefined> =>
    page.evaluate(() => document.activeElement?.closest<HTMLElement>("section[aria-label]")?.getAttribute("aria-label") ?? undefined);
  const [guide, picture, terminal, timeline] = [
    say("renderer.pane.guide"),
    say("renderer.pane.picture"),
    say("renderer.pane.terminal"),
    say("renderer.pane.timeline"),
  ];
  await lab.terminal.focus();
  for (const name of [timeline, guide, picture, terminal]) {
    await lab.press("nextPane");
    await expect.poll(where).toBe(name);
  }
  await lab.press("previousPane");
  await expect.poll(where).toBe(picture);
});

test("panes are resized by keyboard and mouse, closed, and remembered after a reload", async ({ lab }) => {
  const { page } = lab;
  await lab.sandboxAs("Ada");
  const guide = page.locator("#pane-guide");
  const widthOf = async (): Promise<number> => (await guide.boundingBox())?.width ?? 0;
  const separator = page.getByRole("separator", { name: say("renderer.pane.resize", { pane: say("renderer.pane.guide") }) });
  const before = await widthOf();
  await separator.focus();
  for (let n = 0; n < 5; n++) await page.keyboard.press("ArrowRight");
  await expect.poll(widthOf).toBeGreaterThan(before + 20);
  const wider = await widthOf();

  const bar = await separator.boundingBox();
  if (bar === null) throw new Error("the separator has no place");
  await page.mouse.move(bar.x + bar.width / 2, bar.y + 60);
  await page.mouse.down();
  await page.mouse.move(bar.x + 60, bar.y + 60, { steps: 5 });
  await page.mouse.up();
  await expect.poll(widthOf).toBeGreaterThan(wider + 20);
  const kept = await widthOf();
  await lab.press("toggleTimeline");
  await expect(lab.id("timeline")).toBeHidden();

  await page.reload();
  await lab.terminal.idle();
  await expect.poll(widthOf).toBeCloseTo(kept, -1);
  await expect(lab.id("timeline")).toBeHidden();
  await lab.palette(say("renderer.command.resetPanes"));
  await expect(lab.id("timeline")).toBeVisible();
  await expect.poll(widthOf).toBeCloseTo(before, -1);
});

test("colours: each theme is another one, and is kept", async ({ lab }) => {
  const { page } = lab;
  await lab.sandboxAs("Ada");
  const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const seen = new Set<string>();
  for (const theme of ["light", "dark", "contrast"] as const) {
    await lab.useTheme(theme);
    seen.add(await background());
  }
  expect(seen.size).toBe(3);
  await page.reload();
  await lab.terminal.idle();
  await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe("contrast");
});

test("the system's wish for dark or for contrast is followed until somebody chooses", async ({ lab }) => {
  const { page } = lab;
  const theme = (): Promise<string | undefined> => page.evaluate(() => document.documentElement.dataset.theme);
  await page.emulateMedia({ colorScheme: "dark" });
  await expect.poll(theme).toBe("dark");
  await page.emulateMedia({ colorScheme: "light" });
  await expect.poll(theme).toBe("light");
  await page.emulateMedia({ colorScheme: "light", contrast: "more" });
  await expect.poll(theme).toBe("contrast");
});

test("reduced motion: nothing moves by itself", async ({ lab }) => {
  const { page } = lab;
  await page.emulateMedia({ reducedMotion: "reduce" });
  await lab.sandboxAs("Ada");
  const moving = await page.evaluate(() =>
    [...document.querySelectorAll("*")]
      .map((element) => [element, getComputedStyle(element)] as const)
      .filter(([, style]) => [...style.transitionDuration.split(","), ...style.animationDuration.split(",")].some((time) => Number.parseFloat(time) > 0.01))
      .map(([element]) => element.outerHTML.slice(0, 80)),
  );
  expect(moving).toEqual([]);
});

test("forced colours: what is chosen, pressed and focused can still be told", async ({ lab }) => {
  const { page } = lab;
  await page.emulateMedia({ forcedColors: "active" });
  await lab.sandboxAs("Ada");
  for (const line of ["mmap A 8M rw private anon", "touch A w"]) await lab.terminal.run(line);
  await lab.press("goTimeline");
  const look = (selector: string): Promise<string> =>
    page.evaluate((chosen) => {
      const element = document.querySelector(chosen);
      if (element === null) throw new Error(`no ${chosen}`);
      const own = getComputedStyle(element);
      const inner = getComputedStyle(element.querySelector("span") ?? element);
      return [
        own.outlineStyle,
        own.outlineWidth,
        own.borderBottomColor,
        own.borderBottomWidth,
        inner.borderColor,
        inner.borderWidth,
        inner.backgroundColor,
        inner.color,
      ].join(" ");
    }, selector);
  // the state where one stands looks other than its neighbour, without colours of ours
  expect(await look("#node-2")).not.toBe(await look("#node-1"));
  expect(await look("[role=tab][aria-selected=true]")).not.toBe(await look("[role=tab][aria-selected=false]"));
  expect(await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle)).not.toBe("none");
});

test("200% zoom: nothing is lost, nothing scrolls sideways, all panes are reached", async ({ lab }) => {
  const { page } = lab;
  await lab.sandboxAs("Ada");
  await lab.terminal.run("mmap A 8M rw private anon");
  // what a zoom of 200% leaves of a window of 1280 x 800
  await page.setViewportSize({ width: 640, height: 400 });
  const sideways = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await expect.poll(sideways).toBeLessThanOrEqual(0);
  const tabs = page.getByRole("navigation", { name: say("renderer.pane.all") });
  for (const pane of ["guide", "picture", "terminal", "timeline"] as const) {
    await tabs.getByRole("button", { name: say(`renderer.pane.${pane}`) }).click();
    await expect(pane === "terminal" ? lab.id("terminal") : page.locator(`#pane-${pane}`)).toBeVisible();
    expect(await sideways()).toBeLessThanOrEqual(0);
  }
  await lab.goHome();
  expect(await sideways()).toBeLessThanOrEqual(0);
});

test("text twice as large: nothing scrolls sideways", async ({ lab }) => {
  const { page } = lab;
  await lab.sandboxAs("Ada");
  await lab.palette(say("renderer.command.settings"));
  const size = page.getByLabel(say("renderer.settings.fontSize"));
  // the dialog opens a frame after the palette is gone: counting options before that finds none, and the last one is never there
  await expect(size).toBeVisible();
  const sizes = await size.locator("option").allInnerTexts();
  await size.selectOption(sizes[sizes.length - 1]);
  await expect(size).toHaveValue(sizes[sizes.length - 1]);
  await page.keyboard.press("Escape");
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  await expect(lab.id("terminal")).toBeVisible();
});

test("two learners have their own progress and looks", async ({ lab }) => {
  const { page } = lab;
  await lab.sandboxAs("Ada");
  await lab.useTheme("dark");
  await lab.terminal.run("mmap A 8M rw private anon");
  await lab.goHome();
  await lab.palette(say("renderer.command.learners"));
  await lab.beginAs("Grace");
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("light");
  await expect(page.getByRole("heading", { name: say("renderer.home.resume") })).toHaveCount(0);
  await lab.palette(say("renderer.command.learners"));
  await expect(lab.id("learners").getByRole("button")).toHaveCount(2);
  await lab.chooseLearner("Ada");
  await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
  await expect(page.getByRole("heading", { name: say("renderer.home.resume") })).toBeVisible();
});
