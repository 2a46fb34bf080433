import { expect, it } from "vitest";
import { findProfile } from "../../kernel/profile/profile.ts";
import { parseScript } from "../../shell/command/parseScript.ts";
import { renderer } from "../../shell/renderMessage.ts";
import { sessionMessagesEn } from "../messages.en.ts";
import { World } from "../world.ts";
import type { WhyView } from "../model.ts";
import { renderExplanation } from "./explanation.ts";
import { ScriptHistory } from "./history.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { whyView } from "./view.ts";
import { whyCommand } from "./whyTool.ts";

/** Every answer as a chain of links: the text is that of `why`, and each link that has words leads to another answer. */

const render = renderer(sessionMessagesEn);

function run(scenario: Scenario): ScriptHistory {
  const found = findProfile(scenario.release ?? "debian-6.18.15");
  if (found === undefined) throw new Error(`no profile ${scenario.release}`);
  const profile = scenario.config === undefined ? found : { ...found, config: { ...found.config, [scenario.config]: true } };
  const world = new World(profile, { memoryMiB: scenario.memoryMiB ?? profile.memoryMiB });
  const history = new ScriptHistory(world);
  if (scenario.unprivileged === true) world.machine.kernel.tasks.update(world.processes[0]!.task, { capIpcLock: false, capSysResource: false });
  for (const name of ["A", "B"]) world.slots.get(name);
  for (const operation of parseScript(scenario.lines.join("\n")).operations) history.run(operation);
  return history;
}

/** Asks, checks the answer, and follows its links to others, each question once. Returns how many were followed. */
function follow(history: ScriptHistory, words: string, asked: Set<string>, depth: number): number {
  if (asked.has(words) || depth > 3) return 0;
  asked.add(words);
  const view = whyView(history, words, "P", render);
  checkView(history, words, view);
  return 1 + view.links.reduce((sum, link) => sum + (link.words === null ? 0 : follow(history, link.words, asked, depth + 1)), 0);
}

function checkView(history: ScriptHistory, words: string, view: WhyView): void {
  expect(view.error, words).toBeNull();
  const answer = whyCommand(
    words.split(" ").filter((word) => word !== ""),
    history,
    "P",
  );
  if ("error" in answer) throw new Error(`${words}: ${answer.error.key}`);
  expect(view.twin.slice(1)).toEqual(renderExplanation(answer, render));
  view.links.forEach((link, i) => {
    expect(link.depth).toBeLessThanOrEqual(i === 0 ? 0 : view.links[i - 1].depth + 1);
    expect(link.words).not.toBe(words);
    if (link.command !== null) expect(link.command).toBe(history.commandOf(link.node ?? -1));
  });
  // the chain ends: somebody's command, the machine as booted, or the release
  expect(view.links.some((link) => link.node !== null)).toBe(true);
}

const followed: number[] = [];
for (const scenario of SCENARIOS) {
  it(`${scenario.name}: each link can be followed`, () => {
    const history = run(scenario);
    const hash = history.world.machine.hash();
    followed.push(follow(history, scenario.target, new Set(), 0));
    expect(history.world.machine.hash()).toBe(hash);
  });
}

it("leads on from most of them", () => {
  expect(followed.filter((n) => n > 1).length).toBeGreaterThan(SCENARIOS.length / 2);
});

it("gives an error as a sentence", () => {
  const history = run(SCENARIOS[0]);
  for (const words of ["nothing", "/sys/nothing", "0xffffffffffffffff", "A B", "@X A"]) {
    const view = whyView(history, words, "P", render);
    expect(view.error).toMatch(/\S/);
    expect(view.error).not.toMatch(/session\.|[{}]/);
    expect(view.links).toEqual([]);
  }
});

it("tells who set a kernel file", () => {
  const profile = findProfile("debian-6.18.15");
  if (profile === undefined) throw new Error("no profile");
  const history = new ScriptHistory(new World(profile));
  for (const operation of parseScript("mmap A 4M rw private anon\nsys thp enabled always\ntouch A w\n").operations) history.run(operation);
  const [link] = whyView(history, "/sys/kernel/mm/transparent_hugepage/enabled", "P", render).links;
  expect(link).toMatchObject({ depth: 0, node: 2, command: "sys thp enabled always", words: null });
  expect(link.text).toBe("/sys/kernel/mm/transparent_hugepage/enabled is always [step 2: sys thp enabled always]");
  const setting = whyView(history, "A", "P", render).links.find((each) => each.words?.startsWith("/sys") === true);
  expect(setting?.words).toBe("/sys/kernel/mm/transparent_hugepage/enabled");
});

it("asks on about the process whose memory it is", () => {
  const profile = findProfile("debian-6.18.15");
  if (profile === undefined) throw new Error("no profile");
  const history = new ScriptHistory(new World(profile));
  for (const operation of parseScript("mmap A 4M rw private anon\nmadvise A 4M hugepage\nfork C\n@C touch A w\n").operations) history.run(operation);
  const flags = (words: string, process: string): (string | null)[] =>
    whyView(history, words, process, render)
      .links.filter((link) => link.text.startsWith("VM_HUGEPAGE is set"))
      .map((link) => link.words);
  expect(flags("A @C", "P")).toEqual(["vma 0x1000000000 @C", "vma 0x1000000000"]);
  expect(flags("A", "C")).toEqual(["vma 0x1000000000", "vma 0x1000000000 @P"]);
});
