/** Who may have a huge page: the table of releases and the editor of rules, by mouse and by keyboard, against the commands. */
import { say } from "../src/i18n/format.ts";
import { expect, test } from "./support/fixtures.ts";

test.beforeEach(async ({ lab }) => {
  await lab.sandboxAs("Ada");
  for (const line of ["mmap H 4M rw shared file=/dev/hugelab-mixed", "madvise H 4M hugepage", "mmap A 4M rw private anon"]) await lab.terminal.run(line);
  await lab.showPicture("eligibility");
});

test("the table shows each release and patch, marks what differs, and says why", async ({ lab }) => {
  const { page } = lab;
  const table = lab.id("eligible-table");
  const row = (name: string) => table.getByRole("row").filter({ has: page.getByRole("rowheader", { name, exact: false }) });
  await expect(row("6.1+huge-fault-fix-v2").getByRole("button").first()).toContainText("R8a");
  await expect(row("6.1+huge-fault-fix-v2").getByRole("button").first()).toContainText(say("renderer.eligible.differs"));
  await expect(row("6.1+huge-fault-fix-v1").getByRole("button").first()).not.toContainText(say("renderer.eligible.differs"));
  const cell = row("6.2").getByRole("button").first();
  await cell.focus();
  await page.keyboard.press("Enter");
  await expect(lab.id("eligible-why")).toContainText("VM_MIXEDMAP");
  await lab.id("eligible-area").selectOption({ label: "A" });
  await expect(row("6.2").getByRole("button").first()).toContainText("R7");
  await lab.twins(true);
  const twin = await lab.twinLines();
  const printed = (await lab.terminal.run("eligible A")).split("\n");
  expect(printed.map((line) => line.trimEnd()).filter((line) => line.startsWith("6."))).toEqual(
    twin.filter((line) => line.startsWith("6.")).map((line) => line.trimEnd()),
  );
});

test("a rule is changed, the cases follow, and undo takes it back", async ({ lab }) => {
  const { page } = lab;
  const rules = lab.id("rules");
  const summary = lab.id("rules-summary");
  await lab.id("rules-against").selectOption("6.18");
  await expect(summary).toHaveText(/^All /);
  const answer = rules.getByRole("row").filter({ hasText: "huge_fault" }).getByRole("button").first();
  await expect(answer).toHaveText(say("renderer.rules.yes"));
  await answer.focus();
  await page.keyboard.press("Enter");
  await expect(answer).toHaveText(say("renderer.rules.no"));
  await expect(summary).not.toHaveText(/^All /);
  await expect(rules.getByRole("table").filter({ hasText: "driver" }).first()).toBeVisible();
  await lab.terminal.run("undo");
  await expect(summary).toHaveText(/^All /);
  await expect(answer).toHaveText(say("renderer.rules.yes"));
});
