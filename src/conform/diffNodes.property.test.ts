import { expect, it } from "vitest";
import type { Machine, MachineSnapshot } from "../kernel/machine.ts";
import type { Kernel } from "../kernel/mm/kernel.ts";
import { kpageflagsWord } from "../kernel/proc/pagemap.ts";
import { walkPages } from "../kernel/proc/taskMmu.ts";
import { findProfile } from "../kernel/profile/profile.ts";
import { observeMessagesEn } from "../observe/messages.en.ts";
import { meminfoText, vmstatText } from "../observe/systemText.ts";
import { mapsText } from "../observe/taskText.ts";
import { NodeDiffer, type DiffNode } from "../session/diff/diffNodes.ts";
import type { DiffView } from "../session/model.ts";
import { sessionMessagesEn } from "../session/messages.en.ts";
import { StateReader } from "../session/stateReader.ts";
import { ScriptHistory } from "../session/why/history.ts";
import { World } from "../session/world.ts";
import { parseScript } from "../shell/command/parseScript.ts";
import { renderer } from "../shell/renderMessage.ts";
import { generateScript } from "./generate/generate.ts";

/** Two states of random scripts: what the difference lists is what a comparison of everything finds. */

const SCRIPTS = process.env.HUGELAB_LONG === "1" ? 200 : 16;
const PROFILES = ["debian-6.18.15", "debian-6.12.107", "debian-6.1.176", "upstream-5.19"];
const render = renderer({ ...observeMessagesEn, ...sessionMessagesEn });

const rowsOf = (view: DiffView, title: string): DiffView["groups"][number]["rows"] => view.groups.find((group) => group.title === title)?.rows ?? [];

/** Each page of a process that is mapped or marked, as text. */
function pagesOf(k: Kernel, node: DiffNode, name: string): Map<number, string> {
  const out = new Map<number, string>();
  const process = node.world.processes.find((each) => each?.name === name);
  const task = process === undefined ? undefined : k.tasks.find(process.task);
  if (task === undefined) return out;
  for (const p of walkPages(k, task.mm, 0, k.geo.taskSizePages)) {
    if (p.state === "none") continue;
    const look = JSON.stringify([p.state, p.huge, p.zero, p.uffdWp, p.softDirty, p.young, p.dirty, p.writable]);
    for (let i = 0; i < p.pages; i++) out.set(p.vpn + i, p.state === "present" ? `${look} ${p.pfn + i}` : look);
  }
  return out;
}

function checkPages(view: DiffView, before: Kernel, after: Kernel, from: DiffNode, to: DiffNode): number {
  const listed = new Set<string>();
  for (const row of rowsOf(view, "Pages")) {
    const [, start, process, count] = /^0x([0-9a-f]+)(?: @(\w+))?(?:, (\d+) pages)?$/.exec(row.subject) ?? [];
    expect(start, row.subject).toBeDefined();
    for (let i = 0; i < Number(count ?? 1); i++) listed.add(`${process ?? "P"} ${parseInt(start, 16) / 4096 + i}`);
  }
  const found = new Set<string>();
  const names = [...new Set([...from.world.processes, ...to.world.processes].flatMap((process) => (process === undefined ? [] : [process.name])))];
  for (const name of names) {
    const [was, is] = [pagesOf(before, from, name), pagesOf(after, to, name)];
    for (const vpn of new Set([...was.keys(), ...is.keys()])) if (was.get(vpn) !== is.get(vpn)) found.add(`${name} ${vpn}`);
  }
  expect([...listed].sort()).toEqual([...found].sort());
  return found.size;
}

function checkFrames(view: DiffView, before: Kernel, after: Kernel): void {
  const listed = new Set<number>();
  for (const row of rowsOf(view, "Physical memory")) {
    const [, many, first] = /^(?:(\d+) frames from|frame) (0x[0-9a-f]+)(?: on)?$/.exec(row.subject) ?? [];
    for (let i = 0; i < Number(many ?? 1); i++) listed.add(Number(first) + i);
    expect(row.before).not.toBe(row.after);
  }
  const kinds = (k: Kernel, pfn: number): bigint => {
    const word = kpageflagsWord(k, pfn);
    // of a free block /proc marks the head only; what is neither anonymous nor a table here is free, a zero page or the like
    return word & ((1n << 12n) | (1n << 15n) | (1n << 16n) | (1n << 22n) | (1n << 24n) | (1n << 26n));
  };
  for (let block = 0; block < after.pageRows.chunks.length; block++) {
    const isShared = after.pageRows.chunks[block] === before.pageRows.chunks[block] && after.useRows.chunks[block] === before.useRows.chunks[block];
    for (let pfn = block * 512; !isShared && pfn < (block + 1) * 512; pfn++) {
      const isOther = kinds(before, pfn) !== kinds(after, pfn) || before.refcount.get(pfn) !== after.refcount.get(pfn);
      if (isOther) expect(listed.has(pfn), `frame ${pfn}`).toBe(true);
    }
  }
}

const textRows = (text: string): Map<string, string> => new Map([...text.matchAll(/^([^\s:]+):? +(\d+)(?: kB)?$/gm)].map(([, name, value]) => [name, value]));

function checkCounters(view: DiffView, before: Kernel, after: Kernel): void {
  const rows = new Map(rowsOf(view, "Counters").map((row) => [row.subject, row]));
  for (const text of [vmstatText, meminfoText]) {
    const [was, is] = [textRows(text(before)), textRows(text(after))];
    for (const [name, row] of rows) {
      if (!is.has(name)) continue;
      expect([row.before.split(" ")[0], row.after.split(" ")[0]], name).toEqual([was.get(name), is.get(name)]);
    }
    for (const name of ["thp_fault_alloc", "pgfault", "nr_anon_pages", "thp_split_pmd", "AnonPages", "MemFree"])
      if (is.has(name)) expect(rows.has(name), name).toBe(was.get(name) !== is.get(name));
  }
}

interface Kept {
  readonly node: DiffNode;
  readonly machine: MachineSnapshot;
}

function keep(world: World, id: number): Kept {
  const machine = world.machine.snapshot();
  const names = { print: (address: number) => `0x${address.toString(16)}` };
  return { node: { id, world: { machine, names, processes: [...world.processes], current: "P" } }, machine };
}

function runScript(machine: Machine, history: ScriptHistory, world: World, index: number): Kept[] {
  const kept = [keep(world, 0)];
  for (const operation of parseScript(generateScript({ seed: 977, index, areas: ["anon"] })).operations) {
    history.run(operation);
    kept.push(keep(world, kept.length));
  }
  expect(machine.check()).toEqual([]);
  return kept;
}

it("lists what differs between any two states, and nothing else", () => {
  let pages = 0;
  for (let index = 0; index < SCRIPTS; index++) {
    const profile = findProfile(PROFILES[index % PROFILES.length]);
    if (profile === undefined) throw new Error("no such profile");
    const world = new World(profile);
    const { machine } = world;
    const kept = runScript(machine, new ScriptHistory(world), world, index);
    const hash = machine.hash();
    const differ = new NodeDiffer(machine.kernel, render, Infinity);
    const short = new NodeDiffer(machine.kernel, render);
    const readers = [new StateReader(machine.kernel), new StateReader(machine.kernel)];
    for (let n = 0; n < 12; n++) {
      const from = kept[(index * 5 + n * 7) % kept.length];
      const to = kept[n % 3 === 0 ? kept.indexOf(from) : (index * 3 + n * 13 + 1) % kept.length];
      const view = differ.diff(from.node, to.node);
      if (from === to) {
        expect(view.groups).toEqual([]);
        continue;
      }
      const [before, after] = [readers[0].at(from.machine), readers[1].at(to.machine)];
      pages += checkPages(view, before, after, from.node, to.node);
      checkFrames(view, before, after);
      checkCounters(view, before, after);
      const tasks = [before, after].map((k) => [...k.tasks.entries()].map(([, task]) => mapsText(k, task)).join("\n"));
      expect(rowsOf(view, "Mappings").length > 0 || tasks[0] === tasks[1] || view.groups.some((group) => group.title === "Processes")).toBe(true);
      const back = differ.diff(to.node, from.node);
      for (const group of view.groups)
        expect(
          rowsOf(back, group.title)
            .map((row) => [row.after, row.before])
            .sort(),
        ).toEqual(group.rows.map((row) => [row.before, row.after]).sort());
      const window = short.diff(from.node, to.node);
      expect(window.groups.map((group) => [group.title, group.rows.length + group.more])).toEqual(view.groups.map((group) => [group.title, group.rows.length]));
      expect(window.groups.every((group) => group.rows.length <= 40)).toBe(true);
      for (const group of window.groups) for (const row of group.rows) expect(window.twin).toContain(`  ${row.subject}: ${row.before} -> ${row.after}`);
    }
    expect(machine.hash()).toBe(hash);
  }
  expect(pages).toBeGreaterThan(SCRIPTS * 100);
});
