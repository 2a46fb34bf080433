/**
 * `npm run bench:ui`: what a person feels, measured in Chromium against the built host. Bars are those of issue 3, for a machine that
 * has nothing else to do; each is printed with its percentile. A second table has the same as ratios to what this machine can do at best.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "@playwright/test";
import { CHROMIUM_FLAGS, findChromium, NO_CHROMIUM } from "../../e2e/support/binaries.ts";
import build from "../../e2e/support/build.ts";
import { startHost } from "../../e2e/support/host.ts";
import { LabPage } from "../../e2e/support/labPage.ts";
import { LONG_COMMAND, PROMPT } from "../../e2e/support/terminal.ts";
import { noteRow, quantile, report, timeText, type Row } from "../lib/measure.ts";
import { measureFrames, measureKeys, measureNoise, type KeyTimes } from "./calibrate.ts";

const MS = 1e6;

/** A bar on a percentile of samples in milliseconds. */
function barRow(name: string, samples: readonly number[], share: number, barMs: number): Row {
  const value = quantile(samples, share);
  const text = (ms: number): string => timeText(ms * MS);
  return {
    name: `${name} (p${share * 100}, ${samples.length} times)`,
    measured: text(value),
    range: `median ${text(quantile(samples, 0.5))}, worst ${text(quantile(samples, 1))}`,
    bar: `< ${barMs} ms`,
    verdict: value < barMs ? "ok" : "over",
    failing: false,
  };
}

/** First paint until a line can be typed: a reload of the work screen, with the session resumed. */
async function measureStart(page: Page, lab: LabPage): Promise<number[]> {
  const samples: number[] = [];
  for (let n = 0; n < 7; n++) {
    await page.reload({ waitUntil: "commit" });
    await page.waitForFunction(
      (prompt) => {
        const seam = (
          window as unknown as {
            __hugelabTerminal?: {
              buffer: { active: { baseY: number; cursorY: number; getLine(row: number): { translateToString(trim: boolean): string } | undefined } };
            };
          }
        ).__hugelabTerminal;
        if (seam === undefined) return false;
        const { active } = seam.buffer;
        return new RegExp(prompt).test(active.getLine(active.baseY + active.cursorY)?.translateToString(true) ?? "");
      },
      PROMPT.source,
      { polling: "raf" },
    );
    samples.push(await page.evaluate(() => performance.now() - (performance.getEntriesByName("first-paint")[0]?.startTime ?? 0)));
    await lab.terminal.idle();
  }
  return samples;
}

/**
 * From Enter until the picture shows the state after the command: `change` gives the line, `shown` what of the picture must have changed.
 * Measured in the page: the observer of the picture's text is told with the frame in which it changes.
 */
async function measurePicture(page: Page, lab: LabPage, lines: readonly string[]): Promise<number[]> {
  const samples: number[] = [];
  for (const line of lines) {
    await lab.terminal.type(line);
    await page.waitForTimeout(50);
    await page.evaluate(() => {
      const seam = window as unknown as { pictureTime: Promise<number> };
      const picture = document.querySelector("[data-testid=picture]");
      if (picture === null) throw new Error("no picture");
      seam.pictureTime = new Promise((resolve) => {
        let pressed = 0;
        window.addEventListener("keydown", (event) => (pressed = event.timeStamp), { capture: true, once: true });
        const observer = new MutationObserver(() => {
          observer.disconnect();
          requestAnimationFrame(() => {
            resolve(performance.now() - pressed);
          });
        });
        observer.observe(picture, { subtree: true, childList: true, characterData: true, attributes: true });
      });
    });
    await page.keyboard.press("Enter");
    samples.push(await page.evaluate(() => (window as unknown as { pictureTime: Promise<number> }).pictureTime));
    await lab.terminal.idle();
  }
  return samples;
}

/** From the key until the timeline shows the other state, painted. */
async function measureSteps(page: Page, count: number): Promise<number[]> {
  const samples: number[] = [];
  for (let n = 0; n < count; n++) {
    await page.evaluate(() => {
      const seam = window as unknown as { stepTime: Promise<number> };
      const timeline = document.querySelector("[data-testid=timeline]");
      if (timeline === null) throw new Error("no timeline");
      seam.stepTime = new Promise((resolve) => {
        let pressed = 0;
        window.addEventListener("keydown", (event) => (pressed = event.timeStamp), { capture: true, once: true });
        const observer = new MutationObserver(() => {
          observer.disconnect();
          resolve(performance.now() - pressed);
        });
        observer.observe(timeline, { attributes: true, attributeFilter: ["aria-activedescendant"] });
      });
    });
    // ten back, ten forward, so that both count and the history is not left
    await page.keyboard.press(Math.floor(n / 10) % 2 === 0 ? "F8" : "F9");
    samples.push(await page.evaluate(() => (window as unknown as { stepTime: Promise<number> }).stepTime));
  }
  return samples;
}

/** A history of so many commands, by pastes: each line is a node of its own. */
async function growHistory(lab: LabPage, commands: number): Promise<void> {
  const lines = Array.from({ length: commands }, (_, n) => `touch A+${(n % 2048) * 4}k w`);
  const AT_ONCE = 500;
  for (let from = 0; from < lines.length; from += AT_ONCE) {
    await lab.terminal.paste(`${lines.slice(from, from + AT_ONCE).join("\n")}\n`);
    await lab.terminal.says(new RegExp(`\\[${from + Math.min(AT_ONCE, lines.length - from) + 1}\\] \\S+> ?$`), 600_000);
  }
}

interface BusyTimes extends KeyTimes {
  readonly totalMs: number;
}

/** Keys while the longest command runs, again and again until it has been five seconds in all. Rounds that outlast the command do not count. */
async function measureWhileBusy(page: Page, lab: LabPage): Promise<BusyTimes> {
  const TOTAL_MS = 5000;
  const buffer: number[] = [];
  const frame: number[] = [];
  let totalMs = 0;
  for (let round = 0; totalMs < TOTAL_MS; round++) {
    if (round === 60) throw new Error("the long command ends too soon to measure anything");
    await lab.terminal.type(LONG_COMMAND.line);
    await page.keyboard.press("Enter");
    const began = performance.now();
    const times = await measureKeys(page, 15, 15);
    const stillBusy = (await lab.id("busy").innerText()) !== "";
    if (stillBusy) {
      totalMs += performance.now() - began;
      buffer.push(...times.buffer);
      frame.push(...times.frame);
    }
    await page.keyboard.press("Control+c");
    await page.keyboard.press("Control+c");
    await lab.terminal.idle(30_000);
    // back to before it: its work would make the next one shorter
    await lab.terminal.run("undo", 30_000);
  }
  return { buffer, frame, totalMs };
}

/** What is being measured now, for whoever waits. */
function tell(what: string): void {
  process.stderr.write(`${what} ...\n`);
}

async function main(): Promise<void> {
  const executablePath = findChromium();
  if (executablePath === null) throw new Error(NO_CHROMIUM);
  build();
  const data = mkdtempSync(join(tmpdir(), "hugelab-bench-ui-"));
  const host = await startHost(data);
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  const rows: Row[] = [];
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(host.address);
    const lab = new LabPage(page);
    await lab.sandboxAs("Ada");
    const noise = await measureNoise(page);
    const frames = await measureFrames(page);
    rows.push(noteRow("frame of an idle page", timeText(quantile(frames, 0.5) * MS)));

    tell("first paint to prompt");
    rows.push(barRow("first paint to prompt", await measureStart(page, lab), 0.95, 2000));
    await lab.terminal.focus();
    tell("keys");
    const idle = await measureKeys(page, 200, 30);
    rows.push(barRow("key to terminal buffer, idle", idle.buffer, 0.95, 8), barRow("key to painted frame, idle", idle.frame, 0.95, 34));
    rows.push(noteRow("key to painted frame / frame of an idle page", (quantile(idle.frame, 0.95) / quantile(frames, 0.5)).toFixed(1)));
    await page.keyboard.press("Control+u");

    tell("keys while a command runs");
    for (const line of LONG_COMMAND.before) await lab.terminal.run(line);
    const busy = await measureWhileBusy(page, lab);
    rows.push(
      barRow("key to terminal buffer, while a command runs", busy.buffer, 0.95, 8),
      barRow("key to painted frame, while a command runs", busy.frame, 0.95, 34),
      noteRow("for so long, in all", timeText(busy.totalMs * MS)),
    );

    await lab.goHome();
    await lab.openSandbox();
    tell("a million pages");
    // a million 4 KiB pages, by reads: the machine need not have 4 GiB
    for (const line of [
      "echo 1 > /proc/sys/vm/overcommit_memory",
      "echo never > /sys/kernel/mm/transparent_hugepage/enabled",
      "mmap B 4G rw private anon",
      "mmap A 8M rw private anon",
    ])
      await lab.terminal.run(line);
    await lab.terminal.run("touch B 4G r", 60_000);
    for (const tab of ["addressSpace", "pageTables", "physical", "counters"] as const) {
      tell(`command to picture, ${tab}`);
      await lab.showPicture(tab);
      await lab.terminal.focus();
      const offset = { addressSpace: 0, pageTables: 40, physical: 80, counters: 120 }[tab];
      const lines = Array.from({ length: 40 }, (_, n) => `touch A+${(offset + n) * 4}k w`);
      rows.push(barRow(`command to picture, ${tab}, 1 M pages mapped`, await measurePicture(page, lab, lines), 0.95, 50));
    }

    await lab.goHome();
    await lab.openSandbox();
    await lab.terminal.run("mmap A 8M rw private anon");
    await lab.showPicture("addressSpace");
    await lab.terminal.focus();
    tell("a history of 10,000 commands");
    await growHistory(lab, 10_000);
    rows.push(barRow("one step back or forward, 10,000 commands", await measureSteps(page, 200), 0.95, 16));
    report(rows, quantile(noise, 0.9) / quantile(noise, 0.1), ["", "measured", "of them", "bar", ""]);
  } finally {
    await browser.close();
    await host.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

await main();
