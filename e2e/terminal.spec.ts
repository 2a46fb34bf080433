/** The terminal: what is typed, pasted and pressed comes to what a shell would make of it. */
import { expect, test } from "./support/fixtures.ts";
import { LONG_COMMAND, PROMPT } from "./support/terminal.ts";

test.beforeEach(async ({ lab }) => {
  await lab.sandboxAs("Ada");
});

test("typing, and moving in the line", async ({ lab }) => {
  const { terminal } = lab;
  await terminal.type("touch w");
  await terminal.press("ArrowLeft", "ArrowLeft");
  await terminal.type(" A");
  await expect.poll(async () => (await terminal.read()).cursorLine).toMatch(/> touch A w$/);
  await terminal.press("Control+a");
  await expect.poll(async () => (await terminal.read()).cursorColumn).toBe("[0] P> ".length);
  await terminal.press("Control+k");
  await expect.poll(async () => (await terminal.read()).cursorLine).toMatch(PROMPT);
  await terminal.press("Control+y");
  await expect.poll(async () => (await terminal.read()).cursorLine).toMatch(/> touch A w$/);
});

test("wide characters, and characters of several code points, keep the cursor where it belongs", async ({ lab }) => {
  const { terminal, page } = lab;
  await page.keyboard.insertText("echo 大きな👩‍👩‍👧x");
  await expect.poll(async () => (await terminal.read()).cursorLine).toContain("大きな👩‍👩‍👧x");
  const { cursorColumn } = await terminal.read();
  // three of two columns each, the family of two, the x
  expect(cursorColumn).toBe("[0] P> echo ".length + 6 + 2 + 1);
  await terminal.press("ArrowLeft", "Backspace");
  await expect.poll(async () => (await terminal.read()).cursorLine).toMatch(/大きなx$/);
  await expect.poll(async () => (await terminal.read()).cursorColumn).toBe("[0] P> echo ".length + 6);
});

test("a paste of many lines runs them in order, and the last one waits", async ({ lab }) => {
  const { terminal } = lab;
  const lines = ["mmap A 8M rw private anon", ...Array.from({ length: 40 }, (_, i) => `touch A+${i * 4}k w`), "describe"];
  await terminal.paste(lines.join("\n"));
  // nothing runs before it is looked at, or all but the last does: in both cases Enter ends it
  await terminal.press("Enter");
  await terminal.says(/\[41\] \S+> ?$/, 20_000);
  const { lines: shown } = await terminal.read();
  expect(shown.join("\n")).toContain("Rss 160 kB");
});

test("Ctrl-C gives up a line, and stops a long command where it is", async ({ lab }) => {
  const { terminal } = lab;
  await terminal.type("touch nothing");
  await terminal.press("Control+c");
  await expect.poll(async () => (await terminal.read()).cursorLine).toMatch(PROMPT);

  // so much that nobody waits for its end; reads, which take page tables and no other memory
  for (const line of LONG_COMMAND.before) await terminal.run(line);
  await terminal.type(LONG_COMMAND.line);
  await terminal.press("Enter");
  await expect(lab.id("busy")).not.toBeEmpty();
  await terminal.press("Control+c");
  const began = Date.now();
  await terminal.idle(5000);
  expect(Date.now() - began).toBeLessThan(5000);
  await expect(lab.id("busy")).toBeEmpty();
  // it did a part of its work, and that part is a state as any other
  const pteKb = async (): Promise<number> => Number(/PageTables:\s+(\d+) kB/.exec(await terminal.run("grep PageTables /proc/meminfo"))?.[1]);
  const part = await pteKb();
  expect(part).toBeGreaterThan(8);
  expect(part).toBeLessThan(LONG_COMMAND.pageTablesKb);
  await terminal.run("undo");
  expect(await pteKb()).toBeLessThan(part);
  await terminal.run("redo");
  expect(await pteKb()).toBe(part);
});

test("Ctrl-R finds an earlier line, Ctrl-L clears the screen and keeps the line", async ({ lab }) => {
  const { terminal } = lab;
  await terminal.run("mmap A 8M rw private anon");
  await terminal.run("touch A w");
  await terminal.press("Control+r");
  await terminal.type("mma");
  await expect.poll(async () => (await terminal.read()).cursorLine).toContain("mmap A 8M");
  await terminal.press("Control+e");
  await expect.poll(async () => (await terminal.read()).cursorLine).toMatch(/> mmap A 8M rw private anon$/);
  await terminal.press("Control+l");
  await expect
    .poll(() =>
      lab.page.evaluate(() => {
        const { buffer } = (window as unknown as { __hugelabTerminal: { buffer: { active: { baseY: number; cursorY: number } } } }).__hugelabTerminal;
        return buffer.active.cursorY;
      }),
    )
    .toBe(0);
  await expect.poll(async () => (await terminal.read()).cursorLine).toMatch(/> mmap A 8M rw private anon$/);
});

test("Tab completes commands, names and paths", async ({ lab }) => {
  const { terminal } = lab;
  await terminal.run("mmap Arena 8M rw private anon");
  await terminal.type("tou");
  await terminal.press("Tab");
  await expect.poll(async () => (await terminal.read()).cursorLine).toMatch(/> touch $|> touch$/);
  await terminal.type("Ar");
  await terminal.press("Tab");
  await expect.poll(async () => (await terminal.read()).cursorLine).toContain("touch Arena");
  await terminal.press("Control+u");
  await terminal.type("cat /proc/self/sma");
  await terminal.press("Tab");
  await expect.poll(async () => (await terminal.read()).cursorLine).toContain("cat /proc/self/smaps");
  await terminal.press("Control+u");
  // several candidates: they are listed
  await terminal.type("m");
  await terminal.press("Tab", "Tab");
  await terminal.says(/madvise.*mmap|mmap.*madvise|madvise[\s\S]*mmap/);
});

test("a resized window wraps the line anew, and what was typed stays", async ({ lab }) => {
  const { terminal, page } = lab;
  const words = `echo ${"abcdefghi ".repeat(12).trim()}`;
  await terminal.type(words);
  const before = await terminal.read();
  await page.setViewportSize({ width: 1000, height: 800 });
  await expect.poll(async () => (await terminal.read()).columns).not.toBe(before.columns);
  await expect.poll(async () => (await terminal.read()).lines.at(-1)).toContain(words);
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect.poll(async () => (await terminal.read()).lines.at(-1)).toContain(words);
  await terminal.press("Enter");
  await terminal.says(/\n(abcdefghi ){11}abcdefghi\n/);
});

test("nonsense gets a caret and a suggestion, and control characters of a paste do nothing", async ({ lab }) => {
  const { terminal } = lab;
  expect(await terminal.run("tuch A w")).toContain("touch");
  expect(await terminal.run("mmap A 8Q rw private anon")).toMatch(/\| +\^$/m);
  const title = await lab.page.title();
  await terminal.paste("echo \u001b[31mred\u001b]0;title\u0007\u009b2J\u0000");
  await terminal.press("Enter");
  await terminal.idle();
  expect(await lab.page.title()).toBe(title);
  await terminal.says("red");
});
