/** When something is wrong with the host or its files: one clear sentence, a way on, nothing lost. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { say } from "../src/i18n/format.ts";
import { startHost } from "./support/host.ts";
import { expect, test } from "./support/fixtures.ts";
import { LabPage } from "./support/labPage.ts";
import { LONG_COMMAND } from "./support/terminal.ts";

const databaseOf = (folder: string): string => join(folder, "progress.db");

/** A folder in which Ada has begun. */
async function withAda(start: (data: string) => Promise<{ page: LabPage["page"]; stop(): Promise<void> }>, data: string): Promise<void> {
  const app = await start(data);
  const lab = new LabPage(app.page);
  await lab.sandboxAs("Ada");
  await lab.terminal.run("mmap A 8M rw private anon");
  await app.stop();
}

test("a damaged file is set aside with every byte, and a new one is begun", async ({ start, data }) => {
  await withAda(start, data);
  const file = databaseOf(data);
  const bytes = readFileSync(file);
  bytes.fill(0x5a, 100);
  writeFileSync(file, bytes);
  const { page } = await start(data);
  await expect(page.getByTestId("notices")).toContainText(/damaged/);
  const kept = readdirSync(data).find((name) => name.includes("damaged")) ?? "none";
  expect(readFileSync(join(data, kept)).equals(bytes)).toBe(true);
  await new LabPage(page).sandboxAs("Grace");
});

test("a newer file is shown and not changed", async ({ start, data }) => {
  await withAda(start, data);
  const file = databaseOf(data);
  const db = new Database(file);
  db.pragma("user_version = 9999");
  db.close();
  const before = readFileSync(file);
  const { page } = await start(data);
  const lab = new LabPage(page);
  await expect(page.getByTestId("notices")).toContainText(/newer/i);
  // it is shown, and the lab works
  await lab.chooseLearner("Ada");
  await lab.openSandbox();
  expect(await lab.terminal.run("mmap A 8M rw private anon")).toContain("= A");
  expect(readFileSync(file).equals(before)).toBe(true);
});

test("a second host on the same folder says who has it, works without saving, and saves when the first has gone", async ({ start, data }) => {
  const first = await start(data);
  await new LabPage(first.page).beginAs("Ada");
  const second = await start(data);
  const lab = new LabPage(second.page);
  await expect(lab.id("notices")).toBeVisible();
  await expect(second.page.getByText(say("renderer.learner.notSaving"))).toBeVisible();
  await lab.sandboxAs("Grace");
  expect(await lab.terminal.run("mmap A 8M rw private anon")).toContain("= A");
  await first.stop();
  await second.page.reload();
  await expect(lab.id("notices")).toContainText(say("host.storage.back"));
  // what was done meanwhile is not lost: the session is on the screen again, or in the list of those to go on with
  await expect(second.page.getByRole("heading", { name: say("renderer.home.resume") }).or(lab.id("terminal"))).toBeVisible();
});

test("an engine that dies is started anew, the session stands where it was", async ({ app, lab }) => {
  await lab.sandboxAs("Ada");
  for (const line of [...LONG_COMMAND.before, "touch A w"]) await lab.terminal.run(line);
  await lab.terminal.type(LONG_COMMAND.line);
  await lab.terminal.press("Enter");
  await expect(lab.id("busy")).not.toBeEmpty();
  app.host?.killEngine();
  await expect(lab.id("busy")).toBeEmpty({ timeout: 20_000 });
  // it is said, and where: in the terminal
  const sentence = say("host.engine.died", { line: LONG_COMMAND.line });
  await expect.poll(async () => (await lab.terminal.text()).replace(/\s+/g, " ")).toContain(sentence);
  await lab.terminal.press("Control+c");
  await lab.terminal.idle(20_000);
  await expect(lab.now()).toContainText(LONG_COMMAND.line);
  // nothing of its work is there, everything before it is
  const pteKb = Number(/PageTables:\s+(\d+) kB/.exec(await lab.terminal.run("grep PageTables /proc/meminfo"))?.[1]);
  expect(pteKb).toBeLessThan(100);
  expect(await lab.terminal.run("cat /proc/self/smaps | grep Rss")).toMatch(/Rss:\s+4 kB/);
  await lab.terminal.run("undo");
});

test("an engine that dies while nothing runs is not noticed", async ({ app, lab }) => {
  await lab.sandboxAs("Ada");
  await lab.terminal.run("mmap A 8M rw private anon");
  app.host?.killEngine();
  expect(await lab.terminal.run("touch A w")).toContain("1 page fault");
  expect(await lab.terminal.run("cat /proc/self/smaps | grep Rss")).toMatch(/Rss:\s+4 kB/);
});

test("the connection is lost and comes back: the line that was being typed stays", async ({ data, start, watch }) => {
  watch.expectErrors(/WebSocket/);
  const { page } = await start(data);
  const lab = new LabPage(page);
  let cut: (() => Promise<void>) | null = null;
  let refuse = false;
  await page.routeWebSocket(/\/api$/, async (route) => {
    if (refuse) {
      await route.close({ code: 1001 });
      return;
    }
    route.connectToServer();
    cut = () => route.close({ code: 1001 });
  });
  await page.reload();
  await lab.sandboxAs("Ada");
  await lab.terminal.run("mmap A 8M rw private anon");
  await lab.terminal.type("touch A");
  refuse = true;
  await (cut as (() => Promise<void>) | null)?.();
  await expect(lab.id("disconnected")).toContainText(say("renderer.client.gone"));
  refuse = false;
  await expect(lab.id("disconnected")).toBeHidden({ timeout: 15_000 });
  await expect(lab.id("notices")).toContainText(say("renderer.client.back"));
  await expect.poll(async () => (await lab.terminal.read()).cursorLine).toMatch(/> touch A$/);
  await lab.terminal.type(" w");
  await lab.terminal.press("Enter");
  await lab.terminal.says("1 page fault");
});

test("a killed host: the page says so, and its saved session opens in the next one", async ({ start, data, watch }) => {
  watch.expectErrors(/WebSocket|ERR_CONNECTION_REFUSED/);
  const first = await start(data);
  const lab = new LabPage(first.page);
  await lab.sandboxAs("Ada");
  await lab.terminal.run("mmap A 8M rw private anon");
  await lab.terminal.run("touch A w");
  await first.kill();
  await expect(lab.id("disconnected")).toBeVisible();
  // what is typed into a page without a host is not lost
  await lab.terminal.type("touch A+4k w");
  await lab.terminal.press("Enter");
  await lab.terminal.says("touch A+4k w");

  const second = await start(data);
  const again = new LabPage(second.page);
  await again.chooseLearner("Ada");
  await second.page.getByRole("button", { name: new RegExp(say("renderer.home.commands", { count: 2 })) }).click();
  await again.terminal.idle();
  await expect(again.now()).toContainText("touch A w");
  expect(await again.terminal.run("cat /proc/self/smaps | grep Rss")).toMatch(/Rss:\s+4 kB/);
});

test("Ctrl-C ends the host with status 0, and its files are closed", async ({ data }) => {
  const host = await startHost(data);
  expect(await host.stop()).toBe(0);
  expect(readdirSync(data).filter((name) => /-wal$|-shm$|-journal$/.test(name))).toEqual([]);
});

test("a port that is taken is said in one sentence", async ({ data }) => {
  const host = await startHost(data);
  const port = Number(new URL(host.origin).port);
  await expect(startHost(`${data}`, port)).rejects.toThrow(String(port));
  await host.stop();
});
