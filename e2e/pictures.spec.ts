/** Pictures and their twins show one model: what the one says the other says too. Why, compare and export. */
import { readFileSync } from "node:fs";
import { say } from "../src/i18n/format.ts";
import { expect, test } from "./support/fixtures.ts";

test.beforeEach(async ({ lab }) => {
  await lab.sandboxAs("Ada");
  for (const line of ["mmap A 8M rw private anon", "madvise A 8M hugepage", "touch A w", "touch A+2M w"]) await lab.terminal.run(line);
});

test("address space: picture and twin say the same, and as smaps", async ({ lab }) => {
  const picture = await lab.showPicture("addressSpace");
  const smaps = await lab.terminal.run("cat /proc/self/smaps");
  const kb = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(smaps)?.[1]);
  const [rss, huge] = [kb("Rss"), kb("AnonHugePages")];
  expect([rss, huge]).toEqual([4096, 4096]);
  await expect(picture).toContainText(say("renderer.areas.rss", { rss: "4 MiB", pages: "1,024" }));
  await expect(picture).toContainText(say("renderer.areas.huge", { huge: "4 MiB" }));
  await lab.twins(true);
  const twin = (await lab.twinLines()).join("\n");
  expect(twin).toContain(`${rss} kB`);
  const start = /^([0-9a-f]+)-/.exec(smaps)?.[1] ?? "none";
  expect(twin.toLowerCase()).toContain(start);
  expect(twin).toContain("A");
});

test("page tables: the entry of the picture is that of pgtable", async ({ lab }) => {
  const { page } = lab;
  const text = await lab.terminal.run("pgtable A+2M");
  const start = /^([0-9a-f]+)-/.exec(await lab.terminal.run("cat /proc/self/smaps"))?.[1] ?? "none";
  const raw = /pmd\s+\[\s*\d+\]\s+0x0*([0-9a-f]+)/.exec(text)?.[1] ?? "none";
  await lab.showPicture("pageTables");
  await page.getByLabel(say("renderer.tables.address"), { exact: true }).fill(`0x${(BigInt(`0x${start}`) + 0x200000n).toString(16)}`);
  await page.keyboard.press("Enter");
  await expect(lab.id("picture")).toContainText(raw);
  await expect(lab.id("entry").first()).toContainText("pmd", { ignoreCase: true });
  await lab.twins(true);
  expect((await lab.twinLines()).join("\n")).toContain(raw);
});

test("page tables by keyboard: the cursor says in words what it stands on", async ({ lab }) => {
  const { page } = lab;
  await lab.showPicture("pageTables");
  const cells = lab.id("cells");
  await cells.focus();
  await page.keyboard.press("Home");
  const first = await lab.id("cell-text").innerText();
  await page.keyboard.press("ArrowRight");
  await expect(lab.id("cell-text")).not.toHaveText(first);
  await page.keyboard.press("ArrowLeft");
  await expect(lab.id("cell-text")).toHaveText(first);
});

test("physical memory: used and free agree with the twin", async ({ lab }) => {
  await lab.showPicture("physical");
  await expect(lab.id("cells")).toBeVisible();
  const buddyinfo = await lab.terminal.run("cat /proc/buddyinfo");
  await lab.twins(true);
  const counts = (/Normal((?:\s+\d+)+)/.exec(buddyinfo) ?? /DMA32((?:\s+\d+)+)/.exec(buddyinfo))?.[1].trim().split(/\s+/) ?? [];
  expect(counts.length).toBeGreaterThan(5);
  const twin = (await lab.twinLines()).join("\n").replace(/\s+/g, " ");
  expect(twin).toContain(counts.join(" "));
});

test("counters: what the last step changed, as vmstat has it", async ({ lab }) => {
  const { page } = lab;
  await lab.showPicture("counters");
  await page.getByLabel(say("renderer.counters.filter")).fill("thp_fault_alloc");
  const row = lab.id("picture").getByRole("row").filter({ hasText: "thp_fault_alloc" });
  await expect(row).toContainText("2");
  const vmstat = await lab.terminal.run("grep thp_fault_alloc /proc/vmstat");
  expect(vmstat).toContain("thp_fault_alloc 2");
  await lab.twins(true);
  await expect.poll(async () => (await lab.twinLines()).join("\n")).toMatch(/thp_fault_alloc\D+2\b/);
});

test("why: a chain that is walked by keyboard alone, back to its first question", async ({ lab }) => {
  const { page } = lab;
  await lab.palette(say("renderer.look.showPicture", { picture: say("renderer.picture.why") }));
  // the command gives its tab the focus; the field is the next thing behind it
  await expect(page.locator("#tab-why")).toBeFocused();
  await page.locator("#why-words").focus();
  await page.keyboard.type("A");
  await page.keyboard.press("Enter");
  const chain = lab.id("why-chain");
  await expect(chain.getByRole("listitem").first()).toBeVisible();
  // kernel names stand in it
  await expect(chain).toContainText(/thp_vma_allowable_orders|do_huge_pmd_anonymous_page|alloc_anon_folio/);
  const further = chain.getByRole("button", { name: new RegExp(say("renderer.why.furtherAbout", { words: "" })) });
  const count = await further.count();
  if (count > 0) {
    await further.first().focus();
    await page.keyboard.press("Enter");
    const trail = page.getByRole("navigation", { name: say("renderer.why.asked") });
    await trail.getByRole("button", { name: "A", exact: true }).focus();
    await page.keyboard.press("Enter");
    await expect(trail).toBeHidden();
  }
  // a link to the step that did it
  await chain
    .getByRole("button", { name: say("renderer.why.step", { step: 3 }) })
    .first()
    .focus();
  await page.keyboard.press("Enter");
  await expect(lab.now()).toContainText(say("renderer.timeline.step", { step: 3, count: 4 }));
});

test("compare: another setting, the first difference marked, the twin says it too", async ({ lab }) => {
  const { page } = lab;
  const picture = await lab.showPicture("compare");
  await page.getByLabel(say("renderer.compare.file"), { exact: true }).fill("/sys/kernel/mm/transparent_hugepage/enabled");
  await page.getByLabel(say("renderer.compare.value"), { exact: true }).fill("never");
  await page.keyboard.press("Enter");
  await expect(picture.getByText(say("renderer.compare.firstBadge"), { exact: true })).toHaveCount(1);
  await expect(picture.getByRole("status")).toContainText(say("renderer.compare.first", { step: 3, command: "touch A w" }));
  await lab.twins(true);
  await expect.poll(async () => (await lab.twinLines()).join("\n")).toContain("touch A w");
});

test("compare: the same machine says that nothing differs", async ({ lab }) => {
  const picture = await lab.showPicture("compare");
  await lab.page.getByRole("button", { name: say("renderer.compare.run"), exact: true }).click();
  await expect(picture.getByRole("status")).toHaveText(say("renderer.compare.same"));
});

test("export: each form as a file, the script runs again", async ({ lab }) => {
  const { page } = lab;
  await lab.palette(say("renderer.command.export"));
  const dialog = lab.id("export");
  const texts: string[] = [];
  for (const form of ["script", "strace", "c"] as const) {
    await dialog.getByRole("radio", { name: new RegExp(`^${say(`renderer.exportForm.${form}`)}`) }).check();
    const arrived = page.waitForEvent("download");
    await dialog.getByRole("button", { name: new RegExp(say("renderer.export.download", { file: "" }).trim()) }).click();
    texts.push(readFileSync(await (await arrived).path(), "utf8"));
  }
  const [script, strace, c] = texts;
  expect(script).toContain("mmap A 8M rw private anon");
  expect(strace).toContain("madvise(");
  expect(c).toContain("#include <sys/mman.h>");
  await expect(dialog.getByRole("alert")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
});
