/** What the page lends for measuring, and a yardstick for the machine. Everything here runs in the page. */
import type { Page } from "@playwright/test";

interface Terminal {
  readonly buffer: {
    readonly active: { readonly baseY: number; readonly cursorY: number; getLine(row: number): { translateToString(trim: boolean): string } | undefined };
  };
  onWriteParsed(listener: () => void): { dispose(): void };
}

/** Times of one key, in milliseconds from its event. */
export interface KeyTimes {
  readonly buffer: readonly number[];
  readonly frame: readonly number[];
}

/**
 * Presses keys through real input events and takes, for each: when the terminal's buffer has what it changed, and when the frame after
 * that has been painted. The line is emptied again between rounds.
 */
export async function measureKeys(page: Page, count: number, pauseMs: number): Promise<KeyTimes> {
  await page.evaluate(() => {
    const seam = window as unknown as {
      __hugelabTerminal: Terminal;
      keyTimes: { pressed: number; buffer: number[]; frame: number[]; readonly stop: () => void };
    };
    const times = { pressed: 0, buffer: [] as number[], frame: [] as number[], stop: (): void => undefined };
    seam.keyTimes = times;
    const listening = new AbortController();
    // the event's own time: what it waited before anybody looked at it counts
    window.addEventListener("keydown", (event) => (times.pressed = event.timeStamp), { capture: true, signal: listening.signal });
    const written = seam.__hugelabTerminal.onWriteParsed(() => {
      if (times.pressed === 0) return;
      const { pressed } = times;
      times.pressed = 0;
      times.buffer.push(performance.now() - pressed);
      requestAnimationFrame(() => {
        // a task behind the frame: it was handed over for painting
        const channel = new MessageChannel();
        channel.port1.onmessage = () => times.frame.push(performance.now() - pressed);
        channel.port2.postMessage(0);
      });
    });
    times.stop = () => {
      listening.abort();
      written.dispose();
    };
  });
  for (let n = 0; n < count; n++) {
    await page.keyboard.press("x");
    await page.waitForTimeout(pauseMs);
    if (n % 40 === 39) await page.keyboard.press("Control+u");
  }
  await page.waitForTimeout(200);
  return await page.evaluate(() => {
    const { buffer, frame, stop } = (window as unknown as { keyTimes: KeyTimes & { readonly stop: () => void } }).keyTimes;
    stop();
    return { buffer, frame };
  });
}

/** Milliseconds between frames of a page in which nothing happens: what the screen allows at best. */
export async function measureFrames(page: Page): Promise<readonly number[]> {
  return await page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const gaps: number[] = [];
        let last = performance.now();
        const next = (now: number): void => {
          gaps.push(now - last);
          last = now;
          if (gaps.length < 120) requestAnimationFrame(next);
          else resolve(gaps.slice(1));
        };
        requestAnimationFrame(next);
      }),
  );
}

/** Milliseconds of a fixed loop of integer arithmetic in the page: its spread is the noise of the machine. */
export async function measureNoise(page: Page): Promise<readonly number[]> {
  return await page.evaluate(() =>
    Array.from({ length: 40 }, () => {
      const start = performance.now();
      let x = 1;
      for (let i = 0; i < 3_000_000; i++) x = Math.imul(x ^ i, 0x01000193) ^ (x >>> 15);
      return performance.now() - start + (x === 0.5 ? 1 : 0);
    }),
  );
}
