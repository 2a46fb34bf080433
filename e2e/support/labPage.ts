/** The screens of the app, by the roles and test ids of docs/renderer.md. */
import { expect, type Locator, type Page } from "@playwright/test";
import type { ShortcutName } from "../../src/host/api/shortcuts.ts";
import { say } from "../../src/i18n/format.ts";
import { keyEverywhere } from "../../src/main/menu.ts";
import { TerminalPage } from "./terminal.ts";

export type PictureTab = "addressSpace" | "pageTables" | "physical" | "counters" | "eligibility" | "why" | "diff" | "compare";
export type Theme = "system" | "light" | "dark" | "contrast";

export class LabPage {
  readonly page: Page;
  readonly terminal: TerminalPage;

  constructor(page: Page) {
    this.page = page;
    this.terminal = new TerminalPage(page);
  }

  id(name: string): Locator {
    return this.page.getByTestId(name);
  }

  /** A key of a command that works wherever the focus is, as Playwright writes it. */
  keyOf(name: ShortcutName): string {
    const key = keyEverywhere(name);
    if (key === null) throw new Error(`${name} has no key that works everywhere`);
    return key.replace("$mod", "Control");
  }

  async press(name: ShortcutName): Promise<void> {
    await this.page.keyboard.press(this.keyOf(name));
  }

  // --- the way in

  /** Begins as somebody new, from the first screen. */
  async beginAs(name: string): Promise<void> {
    await this.page.locator("#learner-name").fill(name);
    await this.page.keyboard.press("Enter");
    await expect(this.page.getByRole("heading", { level: 1, name: say("renderer.home.title") })).toBeVisible();
  }

  async chooseLearner(name: string): Promise<void> {
    await this.id("learners").getByRole("button", { name }).click();
    await expect(this.page.getByRole("heading", { level: 1, name: say("renderer.home.title") })).toBeVisible();
  }

  card(title: string | RegExp): Locator {
    return this.id("labs")
      .getByRole("listitem")
      .filter({ has: this.page.getByRole("heading", { name: title }) });
  }

  async openLab(title: string | RegExp): Promise<void> {
    await this.card(title).getByRole("button").click();
    await this.terminal.idle();
  }

  async openSandbox(): Promise<void> {
    await this.id("open-sandbox").click();
    await this.terminal.idle();
  }

  /** Somebody new in a free session. */
  async sandboxAs(name: string): Promise<void> {
    await this.beginAs(name);
    await this.openSandbox();
  }

  async goHome(): Promise<void> {
    await this.press("home");
    await expect(this.page.getByRole("heading", { level: 1, name: say("renderer.home.title") })).toBeVisible();
  }

  // --- pictures

  async showPicture(tab: PictureTab): Promise<Locator> {
    await this.page.locator(`#tab-${tab}`).click();
    return this.id("picture");
  }

  /** Turns pictures into their text twins, or back. */
  async twins(on: boolean): Promise<void> {
    const button = this.id("twin");
    if ((await button.getAttribute("aria-pressed")) !== String(on)) await button.click();
    await expect(button).toHaveAttribute("aria-pressed", String(on));
  }

  twinLines(): Promise<string[]> {
    return this.id("picture-twin").getByRole("listitem").allInnerTexts();
  }

  // --- palette and settings

  paletteBox(): Locator {
    return this.page.getByRole("combobox", { name: say("renderer.palette.search") });
  }

  async palette(command: string): Promise<void> {
    await this.press("palette");
    const box = this.paletteBox();
    await expect(box).toBeFocused();
    await box.fill(command);
    const options = this.id("palette").getByRole("option");
    const chosen = this.id("palette").getByRole("option", { selected: true });
    const wanted = options.filter({ hasText: command }).first();
    await expect(wanted).toBeVisible();
    for (let n = 0; n < 30 && !(await chosen.innerText()).startsWith(command); n++) await this.page.keyboard.press("ArrowDown");
    await this.page.keyboard.press("Enter");
    await expect(box).toBeHidden();
  }

  async useTheme(theme: Theme): Promise<void> {
    const { page } = this;
    const current = await page.evaluate(() => document.documentElement.dataset.theme ?? "");
    if (current === theme) return;
    const name = say(`renderer.theme.${theme}`);
    await this.palette(say("renderer.look.useTheme", { theme: name }));
    await expect.poll(() => page.evaluate(() => document.documentElement.dataset.theme)).toBe(theme);
  }

  // --- history

  /** The text about where the learner stands in the history. */
  now(): Locator {
    return this.id("now");
  }

  node(id: number): Locator {
    return this.page.locator(`#node-${id}`);
  }
}
