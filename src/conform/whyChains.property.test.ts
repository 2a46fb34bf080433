import { expect, it } from "vitest";
import { findProfile } from "../kernel/profile/profile.ts";
import type { Explanation } from "../session/why/explanation.ts";
import { renderExplanation } from "../session/why/explanation.ts";
import { ScriptHistory } from "../session/why/history.ts";
import { why, type Target } from "../session/why/why.ts";
import { whyMessagesEn } from "../session/why/messages.en.ts";
import { World } from "../session/world.ts";
import { parseScript } from "../shell/command/parseScript.ts";
import { renderer } from "../shell/renderMessage.ts";
import { generateScript } from "./generate/generate.ts";

/** Random scripts: whatever is asked about, the answer is a chain that ends in a command, a default at boot or the release. */

const SCRIPTS = process.env.HUGELAB_LONG === "1" ? 400 : 24;
const PROFILES = ["debian-6.18.15", "debian-6.12.107", "debian-6.1.176", "upstream-5.19"];
const render = renderer(whyMessagesEn);

function leavesOf(e: Explanation): Explanation[] {
  return e.children.length === 0 ? [e] : e.children.flatMap(leavesOf);
}

function check(history: ScriptHistory, target: Target, what: string): void {
  const explanation = why(history, target);
  const leaves = leavesOf(explanation);
  expect(leaves.length, what).toBeGreaterThan(0);
  for (const leaf of leaves) {
    expect(leaf.origin, `${what}: ${leaf.key}`).not.toBeNull();
    if (leaf.origin === "command") expect(leaf.step, what).toBeGreaterThan(0);
  }
  // every sentence is there, with everything it has braces for
  for (const line of renderExplanation(explanation, render)) expect(line).not.toMatch(/session\.why|\{[a-zA-Z]/);
}

it("takes the same way with a tracer as without", () => {
  let decisions = 0;
  for (let index = 0; index < SCRIPTS; index++) {
    const profile = findProfile(PROFILES[index % PROFILES.length]);
    if (profile === undefined) throw new Error("no such profile");
    const history = new ScriptHistory(new World(profile));
    const { machine } = history.world;
    for (const operation of parseScript(generateScript({ seed: 7, index, areas: ["anon"] })).operations) {
      history.run(operation);
      const step = history.lastStep;
      const hash = machine.hash();
      history.goBefore(step);
      machine.beginStep();
      machine.tracer = { decide: () => decisions++ };
      machine.run(() => history.operation(step));
      machine.tracer = null;
      expect(machine.hash(), `${index}: ${operation.text}`).toBe(hash);
      history.goBefore(step + 1);
    }
  }
  expect(decisions).toBeGreaterThan(SCRIPTS * 100);
});

it("explains the first page of every mapping and every failed operation of random scripts, and leaves the machine as it was", () => {
  let pages = 0;
  let failures = 0;
  for (let index = 0; index < SCRIPTS; index++) {
    const profile = findProfile(PROFILES[index % PROFILES.length]);
    if (profile === undefined) throw new Error("no such profile");
    const history = new ScriptHistory(new World(profile));
    const { operations } = parseScript(generateScript({ seed: 20261121, index, areas: ["anon"] }));
    const { world } = history;
    for (const operation of operations) {
      const result = history.run(operation);
      if (!("errno" in result) && !("sig" in result)) continue;
      failures++;
      const hash = world.machine.hash();
      check(history, { kind: "command" }, `${index}: ${operation.text}`);
      expect(world.machine.hash()).toBe(hash);
    }
    const hash = world.machine.hash();
    for (const process of world.living()) {
      const { mm } = world.task(process);
      for (const vma of world.machine.vmas(world.task(process))) {
        if (!world.slots.inSlots(vma.start * 4096)) continue;
        pages++;
        for (const kind of ["page", "folio", "vma", "khugepaged"] as const)
          check(history, { kind, mm, vpn: vma.start }, `${index}: ${kind} ${process.name} ${vma.start}`);
      }
    }
    for (const name of ["thp_fault_alloc", "thp_split_page", "thp_split_pmd", "thp_deferred_split_page", "pgfault", "nr_anon_pages"])
      check(history, { kind: "counter", name }, `${index}: ${name}`);
    expect(world.machine.hash()).toBe(hash);
  }
  // the scripts have to reach what this is about
  expect(pages).toBeGreaterThan(SCRIPTS * 2);
  expect(failures).toBeGreaterThan(SCRIPTS);
});
