import { expect, it } from "vitest";
import { findProfile } from "../../kernel/profile/profile.ts";
import { parseScript } from "../../shell/command/parseScript.ts";
import { renderer } from "../../shell/renderMessage.ts";
import { execute } from "../execute.ts";
import { LearnerWorld, type WorldSnapshot } from "../learnerWorld.ts";
import { sessionMessagesEn } from "../messages.en.ts";
import { World } from "../world.ts";
import { renderExplanation } from "./explanation.ts";
import { PathHistory, ScriptHistory, type PathNode } from "./history.ts";
import { SCENARIOS } from "./scenarios.ts";
import { readTarget, whyCommand } from "./whyTool.ts";

const render = renderer(sessionMessagesEn);
const profile = findProfile("debian-6.18.15");
if (profile === undefined) throw new Error("no profile");

function historyOf(source: string): ScriptHistory {
  const history = new ScriptHistory(new World(profile!));
  for (const operation of parseScript(source).operations) history.run(operation);
  return history;
}

const answer = (history: ScriptHistory | PathHistory, ...words: string[]): string[] => {
  const e = whyCommand(words, history, "P");
  return "error" in e ? [render(e.error)] : renderExplanation(e, render);
};

it("walks from the page to the fault, the rule, the setting and the command that wrote it", () => {
  const history = historyOf("sys thp enabled never\nmmap A 4M rw private anon\nmadvise A 4M hugepage\ntouch A w\n");
  expect(answer(history, "A").slice(0, 5)).toEqual([
    "A+0x0: a page of 4 KiB, rw",
    "  step 4: touch A w",
    "    thp_vma_allowable_orders: huge pages are switched off: no",
    "      /sys/kernel/mm/transparent_hugepage/enabled is never [step 1: sys thp enabled never]",
    "      /sys/kernel/mm/transparent_hugepage/hugepages-2048kB/enabled is inherit [as booted]",
  ]);
});

it("says what else would refuse when one check alone does not matter", () => {
  const history = historyOf("sys thp enabled never\nmmap A 1M rw private anon\ntouch A w\n");
  const text = answer(history, "A").join("\n");
  expect(text).toContain("and each of these alone would refuse as well:\n        the mapping is A+0x0 .. A+0x100000; the block is A+0x0 .. A+0x200000");
});

it("follows a fact through fork to where it was made", () => {
  const history = historyOf("mmap A 4M rw private anon\nmadvise A 4M hugepage\nfork C\n@C touch A w\n");
  const text = answer(history, "@C", "A").join("\n");
  expect(text).toContain("VM_HUGEPAGE is set at A+0x0\n        [step 3: fork C]\n          VM_HUGEPAGE is set at A+0x0 [step 2: madvise A 4M hugepage]");
});

it("explains the flags of a mapping, a counter and a refused call", () => {
  const history = historyOf("mmap A 4M rw private anon\nmadvise A 4M dontfork\ntouch A w\nmunmap A+1 4k\n");
  expect(answer(history, "vma", "A")).toContain("  VM_DONTCOPY [step 2: madvise A 4M dontfork]");
  expect(answer(history, "nr_anon_pages")[1]).toBe("  step 3: touch A w");
  expect(answer(history)).toEqual([
    "the last command failed with EINVAL:",
    "  step 4: munmap A+1 4k",
    "    do_vmi_munmap: not a multiple of the page size: EINVAL",
    "      address is 0x1000000001 [step 4: munmap A+1 4k]",
  ]);
});

it("says what is wrong with a question, and takes no name for it", () => {
  const history = historyOf("mmap A 4M rw private anon\n");
  expect(answer(history, "nothing")[0]).toMatch(/^"nothing" is neither an address nor a counter/);
  expect(answer(history, "A", "B")[0]).toMatch(/^"B" is too much here/);
  expect(answer(history, "@X", "A")).toEqual(["there is no process X"]);
  expect(answer(history, "0x7fffffffffff0000")).toEqual(["0x7fffffffffff0000 is no address of a user process"]);
  expect(history.world.slots.all().map((slot) => slot.name)).toEqual(["A"]);
  expect(readTarget(["64kB/split_deferred"], history, "P")).toEqual({ kind: "sizeCounter", order: 4, item: 14, name: "64kB/split_deferred" });
  expect(answer(historyOf(""))[0]).toBe("nothing was done yet");
});

it("works on a learner's branch, with the numbers of its nodes", () => {
  const world = new LearnerWorld({ profile });
  const keep = (): (() => WorldSnapshot) => {
    const snapshot = world.capture();
    return () => snapshot;
  };
  const path: PathNode[] = [{ id: 0, command: "", stopAt: null, snapshot: keep(), again: null }];
  const ids = [1, 2, 7];
  for (const [i, operation] of parseScript("mmap A 4M rw private anon\nmadvise A 4M hugepage\ntouch A w\n").operations.entries()) {
    world.machine.beginStep();
    world.machine.run(() => execute(world, operation));
    path.push({ id: ids[i], command: operation.text, stopAt: null, snapshot: keep(), again: () => execute(world, operation) });
  }
  const hash = world.machine.hash();
  const lines = answer(new PathHistory(world, path), "A");
  expect(lines[0]).toBe("A+0x0: a huge page (order 9), mapped by a PMD, rw");
  expect(lines[1]).toBe("  step 7: touch A w");
  expect(lines).toContain("      VM_HUGEPAGE is set at A+0x0 [step 2: madvise A 4M hugepage]");
  expect(world.machine.hash()).toBe(hash);
});

it("has at least 40 scenarios, each with a rule and causes", () => {
  expect(SCENARIOS.length).toBeGreaterThanOrEqual(40);
  expect(SCENARIOS.filter((scenario) => scenario.named.length === 0 || scenario.named.some((named) => named.length < 2)).map(({ name }) => name)).toEqual([]);
  expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
});
