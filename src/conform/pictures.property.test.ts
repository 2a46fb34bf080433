import { expect, it } from "vitest";
import type { Machine } from "../kernel/machine.ts";
import type { Task } from "../kernel/mm/records.ts";
import { freePagesOf } from "../kernel/mm/pageAlloc.ts";
import { kpagecountWord, kpageflagsWord } from "../kernel/proc/pagemap.ts";
import { walkPages } from "../kernel/proc/taskMmu.ts";
import { findProfile } from "../kernel/profile/profile.ts";
import { observeMessagesEn } from "../observe/messages.en.ts";
import { pageTableWalk } from "../observe/pageTableText.ts";
import { buildPicture, type MachineRequest } from "../observe/picture/buildPicture.ts";
import type { PictureContext } from "../observe/picture/context.ts";
import type { AddressSpacePicture, CountersPicture, PageTablesPicture, PhysicalPicture } from "../observe/picture/model.ts";
import { Summaries } from "../observe/picture/summaries.ts";
import { meminfoText, vmstatText, buddyinfoText } from "../observe/systemText.ts";
import { smapsText } from "../observe/taskText.ts";
import { ScriptHistory } from "../session/why/history.ts";
import { StateReader } from "../session/stateReader.ts";
import { World } from "../session/world.ts";
import { parseScript } from "../shell/command/parseScript.ts";
import { renderer } from "../shell/renderMessage.ts";
import { generateScript } from "./generate/generate.ts";

/** Random scripts: the numbers of every picture are those of /proc and of a walk over everything, and the text twin says the same. */

const SCRIPTS = process.env.HUGELAB_LONG === "1" ? 200 : 8;
const PROFILES = ["debian-6.18.15", "debian-6.12.107", "debian-6.1.176", "upstream-5.19"];

const render = renderer(observeMessagesEn);

interface Scene {
  readonly world: World;
  readonly machine: Machine;
  readonly context: PictureContext;
}

const build = <P>(scene: Scene, request: MachineRequest): P => buildPicture(scene.machine.kernel, request, scene.context) as P;

function checkSpace(scene: Scene, name: string, task: Task, cells: number): void {
  const k = scene.machine.kernel;
  const picture = build<AddressSpacePicture>(scene, { kind: "addressSpace", process: name, first: 0, count: 200, cells });
  const smaps = [...smapsText(k, task).matchAll(/^Size: +(\d+) kB[^]*?^Rss: +(\d+) kB[^]*?^AnonHugePages: +(\d+) kB[^]*?^VmFlags: (.*)$/gm)];
  expect(picture.areas.map((area) => [area.sizeKb, area.rssKb, area.anonHugeKb, area.vmFlags.join(" ")])).toEqual(
    smaps.map(([, size, rss, huge, flags]) => [Number(size), Number(rss), Number(huge), flags.trim()]),
  );
  const said = picture.twin.map((line) => /(\S+)-\S+ [rwxps-]{4} {2}.*Rss (\d+) kB {2}AnonHugePages (\d+) kB/.exec(line)).filter((found) => found !== null);
  expect(said.map(([, start, rss, huge]) => [`0x${start}`, Number(rss), Number(huge)])).toEqual(
    picture.areas.map((area) => [area.start, area.rssKb, area.anonHugeKb]),
  );
  let end = 0;
  picture.areas.forEach((area, i) => {
    const vma = k.vmas.get(k.mms.get(task.mm).vmas[i]);
    expect(area.gapBeforeKb).toBe((vma.start - end) * 4);
    end = vma.end;
    expect(area.cells.length).toBeLessThanOrEqual(Math.max(2, cells));
    const mapped = new Map<number, number>();
    for (const p of walkPages(k, task.mm, vma.start, vma.end)) {
      if (p.state === "none") continue;
      for (let vpn = p.vpn; vpn < p.vpn + p.pages; vpn++) {
        const cell = Math.floor(vpn / area.pagesPerCell) - Math.floor(vma.start / area.pagesPerCell);
        mapped.set(cell, (mapped.get(cell) ?? 0) + 1);
      }
    }
    area.cells.forEach((cell, n) => {
      const first = (Math.floor(vma.start / area.pagesPerCell) + n) * area.pagesPerCell;
      const inside = Math.min(vma.end, first + area.pagesPerCell) - Math.max(vma.start, first);
      expect(cell.share).toBe((mapped.get(n) ?? 0) / inside);
      expect(cell.state === "none").toBe(cell.share === 0);
    });
  });
}

function checkTables(scene: Scene, name: string, task: Task): void {
  const k = scene.machine.kernel;
  let pages = 0;
  for (const p of walkPages(k, task.mm, 0, k.geo.taskSizePages)) if (p.state === "present") pages += p.pages;
  const root = build<PageTablesPicture>(scene, { kind: "pageTables", process: name, address: "0x0", level: k.geo.levels.length });
  expect(root.table?.entries.reduce((sum, entry) => sum + entry.present, 0)).toBe(pages);
  for (const vma of scene.machine.vmas(task).slice(0, 6)) {
    const address = `0x${(vma.start * 4096).toString(16)}`;
    const picture = build<PageTablesPicture>(scene, { kind: "pageTables", process: name, address, level: null });
    expect(picture.walk.map((entry) => `${entry.level} ${entry.index} ${entry.raw}`)).toEqual(
      pageTableWalk(k, task, vma.start).map((line) => line.replace(/^(\w+)\s+\[\s*(\d+)\]\s+(\S+).*/, "$1 $2 $3")),
    );
    for (const entry of picture.walk) expect(picture.twin.some((line) => line.startsWith(`${entry.level}[${entry.index}]  ${entry.raw}  `))).toBe(true);
    // the fields of an entry are all of its bits that are set
    for (const entry of picture.walk) {
      const whole = entry.fields.reduce((sum, f) => sum | (BigInt(f.value) << BigInt(f.bits.split("-")[0])), 0n);
      expect(whole).toBe(BigInt(entry.raw));
    }
  }
}

const BUDDY = 1n << 10n;

/** What a frame is, by the first of these flags of /proc/kpageflags that it has (bit numbers of kernel-page-flags.h). */
const STATES_OF_FLAGS: readonly (readonly [bit: number, states: readonly string[]])[] = [
  [10, ["free"]],
  [26, ["pageTable"]],
  [24, ["zero", "hugeZero"]],
  [22, ["anonHuge"]],
  [12, ["anon"]],
];

function checkMemory(scene: Scene, before: StateReader, was: Parameters<StateReader["at"]>[0]): void {
  const k = scene.machine.kernel;
  const all = build<PhysicalPicture>(scene, { kind: "physical", firstPfn: 0, cells: 64, pagesPerCell: 32768, selected: null });
  const used = (picture: PhysicalPicture): number => picture.cells.reduce((sum, cell) => sum + cell.used, 0);
  let free = 0;
  for (let slot = 1; slot <= k.zones.count; slot++) free += freePagesOf(k, slot);
  expect(used(all)).toBe(all.pageCount - free);
  expect(
    all.freeByOrder.map(({ zone, counts }) => `Node 0, zone ${zone.padStart(8)} ${counts.map((n) => `${String(n).padStart(6)} `).join("")}\n`).join(""),
  ).toBe(buddyinfoText(k));
  const busiest = all.cells.findIndex((cell) => cell.used > 0 && cell.changed);
  const blocks = build<PhysicalPicture>(scene, { kind: "physical", firstPfn: Math.max(0, busiest) * 32768, cells: 64, pagesPerCell: 512, selected: null });
  expect(used(blocks)).toBe(all.cells[Math.max(0, busiest)].used);
  const block = blocks.cells.findIndex((cell) => cell.changed);
  const firstPfn = blocks.firstPfn + Math.max(0, block) * 512;
  const pages = build<PhysicalPicture>(scene, { kind: "physical", firstPfn, cells: 512, pagesPerCell: 1, selected: firstPfn });
  expect(used(pages)).toBe(blocks.cells[Math.max(0, block)].used);
  expect(pages.cells.some((cell) => cell.changed)).toBe(blocks.cells[Math.max(0, block)].changed);
  const old = before.at(was);
  pages.cells.forEach((cell, i) => {
    const pfn = firstPfn + i;
    const shown = kpageflagsWord(k, pfn) !== kpageflagsWord(old, pfn) || kpagecountWord(k, pfn) !== kpagecountWord(old, pfn);
    // what /proc shows to be other was changed; a block of free pages that was cut or merged was not
    if (shown && cell.state !== "free") expect(cell.changed, `frame ${pfn}`).toBe(true);
    const wasFree = (kpageflagsWord(old, pfn) & ~BUDDY) === 0n;
    if (wasFree && cell.state === "free") expect(cell.changed, `free frame ${pfn}`).toBe(false);
    if (wasFree !== (cell.state === "free") && cell.state !== "reserved") expect(cell.changed, `frame ${pfn}`).toBe(true);
  });
  pages.cells.forEach((cell, i) =>
    expect(STATES_OF_FLAGS.find(([bit]) => (kpageflagsWord(k, firstPfn + i) & (1n << BigInt(bit))) !== 0n)?.[1] ?? ["free", "reserved"]).toContain(cell.state),
  );
  const states = new Set(pages.cells.filter((cell) => cell.used > 0).map((cell) => cell.state));
  if (states.size < 2) expect(blocks.cells[Math.max(0, block)].state).toBe([...states][0] ?? "free");
  const { selected } = pages;
  if (selected !== null) expect(pages.twin).toContain(selected.summary);
}

function checkCounters(scene: Scene, was: Map<string, number>): void {
  const picture = build<CountersPicture>(scene, { kind: "counters", filter: "", changedOnly: false });
  const now = countersOf(scene);
  for (const { name, value, delta } of picture.groups.flatMap((group) => group.rows)) {
    if (!now.has(name)) continue;
    expect(value, name).toBe(now.get(name));
    expect(delta, name).toBe(value - (was.get(name) ?? 0));
    const line = picture.twin.find((text) => text.trim().startsWith(`${name} `));
    expect(Number(line?.trim().split(/\s+/).at(name.split(" ").length)), name).toBe(value);
  }
  const changed = build<CountersPicture>(scene, { kind: "counters", filter: "", changedOnly: true });
  expect(changed.groups.flatMap((group) => group.rows)).toEqual(picture.groups.flatMap((group) => group.rows).filter((row) => row.delta !== 0));
}

/** The counters as the kernel files have them. */
function countersOf(scene: Pick<Scene, "machine">): Map<string, number> {
  const { machine } = scene;
  const out = new Map<string, number>();
  for (const [, name, value] of vmstatText(machine.kernel).matchAll(/^(\S+) (\d+)$/gm)) out.set(name, Number(value));
  for (const [, name, value] of meminfoText(machine.kernel).matchAll(/^(\S+): +(\d+) kB$/gm)) out.set(name, Number(value));
  for (const path of machine.filePaths().filter((file) => /hugepages-\d+kB\/stats\/|full_scans|pages_collapsed/.test(file)))
    out.set(path.replace("/sys/kernel/mm/transparent_hugepage/", ""), Number(machine.readFile(path)));
  return out;
}

it("shows what /proc and a walk over everything say, after every operation of random scripts", () => {
  let pictures = 0;
  let counters = 0;
  for (let index = 0; index < SCRIPTS; index++) {
    const profile = findProfile(PROFILES[index % PROFILES.length]);
    if (profile === undefined) throw new Error("no such profile");
    const world = new World(profile);
    const { machine } = world;
    const history = new ScriptHistory(world);
    const readers = [new StateReader(machine.kernel), new StateReader(machine.kernel)];
    const summaries = new Summaries();
    for (const operation of parseScript(generateScript({ seed: 4211, index, areas: ["anon"] })).operations) {
      const was = machine.snapshot();
      const old = countersOf({ machine });
      history.run(operation);
      const hash = machine.hash();
      const context: PictureContext = {
        print: (address) => world.slots.print(address),
        processes: world.living(),
        current: "P",
        before: readers[0].at(was),
        step: machine.kernel.step,
        nodeOfStep: (step) => step,
        summaries,
        render,
      };
      const scene: Scene = { world, machine, context };
      for (const process of world.living()) {
        checkSpace(scene, process.name, world.task(process), 1 + ((index * 7 + pictures) % 300));
        checkTables(scene, process.name, world.task(process));
        pictures += 2;
      }
      checkMemory(scene, readers[1], was);
      checkCounters(scene, old);
      counters += [...countersOf(scene)].filter(([name, value]) => value !== old.get(name)).length;
      expect(machine.hash()).toBe(hash);
      expect(machine.check()).toEqual([]);
    }
  }
  expect(pictures).toBeGreaterThan(SCRIPTS * 40);
  expect(counters).toBeGreaterThan(SCRIPTS * 20);
});
