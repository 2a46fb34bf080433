import { describe, expect, it } from "vitest";
import { kernelMessagesEn } from "../kernel/messages.en.ts";
import { findProfile, type Profile } from "../kernel/profile/profile.ts";
import { observeMessagesEn } from "../observe/messages.en.ts";
import { shellMessagesEn } from "../shell/messages.en.ts";
import { renderer } from "../shell/renderMessage.ts";
import { sessionMessagesEn } from "./messages.en.ts";
import { terminalMessagesEn } from "./messages.enTerminal.ts";
import type { CompareChoice } from "./model.ts";
import type { SessionOptions } from "./shellSession.ts";
import { ShellSession } from "./shellSession.ts";

const boot = { profile: findProfile("debian-6.18.15") as Profile };
const render = renderer({ ...kernelMessagesEn, ...observeMessagesEn, ...shellMessagesEn, ...sessionMessagesEn, ...terminalMessagesEn });

function sessionOf(lines: readonly string[], options: Partial<SessionOptions> = {}): ShellSession {
  const session = new ShellSession({ boot, render, ...options });
  for (const line of lines) session.submit(line);
  return session;
}

const say = (session: ShellSession, line: string): string[] => {
  const text = session
    .submit(line)
    .output.map((part) => part.text)
    .join("");
  return text.split("\n").slice(0, -1);
};

const HUGE = ["mmap A 8M rw private anon", "touch A 64k w", "madvise A 8M hugepage", "touch A+2M w"];
const other = (choice: Partial<CompareChoice>): CompareChoice => ({ profile: "debian-6.18.15", patches: [], config: [], ...choice });
const ENABLED = "/sys/kernel/mm/transparent_hugepage/enabled";

describe("describe", () => {
  it("prints the twins of the pictures, and leaves no node behind", () => {
    const session = sessionOf(HUGE);
    const { id } = session.history.current;
    expect(say(session, "describe space")).toEqual(session.picture({ kind: "addressSpace", process: "P", first: 0, count: 200, cells: 64 }).twin);
    expect(say(session, "describe tables A+2M")).toEqual(session.picture({ kind: "pageTables", process: "P", address: "0x1000200000", level: null }).twin);
    expect(say(session, "describe tables")[0]).toBe("Page tables of P at A+0x0");
    expect(say(session, "describe memory")).toEqual(session.picture({ kind: "physical", firstPfn: 0, cells: 32, pagesPerCell: 32768, selected: null }).twin);
    expect(say(session, "describe memory 0x1400").join("\n")).toContain("P at A+0x0, by a PTE");
    expect(say(session, "describe counters thp_fault_alloc")).toContain("  thp_fault_alloc                                         1  (+1)");
    const changed = say(session, "describe counters changed");
    expect(changed.slice(2).filter((line) => line.startsWith("  ")).length).toBeGreaterThan(5);
    expect(changed.filter((line) => line.startsWith("  ") && !/\([+-]\d+\)$/.test(line))).toEqual([]);
    expect(session.history.current.id).toBe(id);
  });

  it("lists the mappings of a process without a word, and of another with its name", () => {
    const session = sessionOf([...HUGE, "fork C"]);
    const own = say(session, "describe");
    expect(own).toEqual(say(session, "describe P"));
    expect(own).toContain("  +0x200000  512 pages  one folio of order 9, mapped by a PMD, mapped 2 times");
    expect(say(session, "describe @C")).toEqual(say(session, "describe C"));
    expect(say(session, "describe space @C")[0]).toBe("Address space of C: 1 area");
    expect(say(session, "@C describe space")[0]).toBe("Address space of C: 1 area");
  });

  it("says what is wrong with its words", () => {
    const session = sessionOf(HUGE);
    for (const [line, answer] of [
      ["describe bogus", /there is no process bogus/],
      ["describe space more", /"more" is too much/],
      ["describe counters a b", /"b" is too much/],
      ["describe tables 12z", /"12z" is no address/],
      ["describe tables NOBODY", /is no address/],
      ["describe memory 0x999999999", /is no frame of this machine; the last one is 0xfffff/],
      ["describe memory -1", /is no frame/],
      ["describe space @X", /there is no process X/],
    ] as const)
      expect(say(session, line).join(), line).toMatch(answer);
    expect(session.world.slots.names()).toEqual(["A"]);
  });
});

it("marks what the last step changed, and nothing after a line that only chose another process", () => {
  const session = sessionOf([...HUGE, "fork C"]);
  const changed = (): boolean[] => {
    const space = session.picture({ kind: "addressSpace", process: "P", first: 0, count: 9, cells: 8 });
    const memory = session.picture({ kind: "physical", firstPfn: 0, cells: 1, pagesPerCell: 32768, selected: null });
    const counters = session.picture({ kind: "counters", filter: "", changedOnly: true });
    if (space.kind !== "addressSpace" || memory.kind !== "physical" || counters.kind !== "counters") throw new Error("another picture");
    return [space.areas.some((area) => area.changed), memory.cells[0].changed, counters.groups.length > 0];
  };
  expect(changed()).toEqual([true, true, true]);
  session.submit("@C");
  expect(changed()).toEqual([false, false, false]);
  session.submit("touch A w");
  expect(changed()[1]).toBe(true);
  session.move(1);
  expect(changed()).toEqual([true, false, true]);
  session.move(0);
  expect(changed()).toEqual([false, false, false]);
  const entry = (): number => {
    const picture = session.picture({ kind: "pageTables", process: "P", address: "0x1000200000", level: null });
    return picture.kind === "pageTables" ? (picture.walk.at(-1)?.changedBy ?? -1) : -1;
  };
  session.move(4);
  expect(entry()).toBe(4);
  // another branch: the number is that of its own node
  session.move(3);
  session.submit("touch A+2M 4k w");
  expect([session.history.current.id, entry()]).toEqual([8, 8]);
});

it("shows the tables of an address as the learner writes it, and says when it is none", () => {
  const session = sessionOf(HUGE);
  const tables = (address: string) => session.picture({ kind: "pageTables", process: null, address, level: null });
  expect(tables("A+2M")).toEqual(tables("0x1000200000"));
  expect(tables(" A + 2M")).toMatchObject({ walk: [] });
  expect(tables("B").title).toMatch(/^B is no address of a process/);
  expect(tables("0x1000200000")).toMatchObject({ level: 2, address: "0x1000200000" });
  expect(session.world.slots.names()).toEqual(["A"]);
});

describe("diff", () => {
  it("prints what differs between two states of any branches", () => {
    const session = sessionOf([...HUGE, "munmap A+3M 4k", "undo", "touch A+4M 4k r"]);
    expect(session.history.all().length).toBe(7);
    expect(say(session, "diff 4 5")).toEqual(session.diff(4, 5).twin);
    expect(say(session, "diff 4 5")).toContain("  thp_split_pmd: 0 -> 1");
    expect(say(session, "diff 4 5").join("\n")).toContain("  VMA A+0x301000: - -> 1000301000-1000800000 rw-p rd wr");
    expect(
      session
        .diff(5, 4)
        .groups.find((group) => group.title === "Mappings")
        ?.rows.map((row) => [row.subject, row.after === "-", row.why]),
    ).toEqual([
      ["VMA A+0x0", false, "vma 0x1000000000"],
      ["VMA A+0x301000", true, "0x1000301000"],
    ]);
    expect(say(session, "diff 5 6")).toContain("  thp_split_pmd: 1 -> 0");
    expect(say(session, "diff 6")).toEqual(["From state 6 to state 6:", "Nothing differs."]);
    expect(say(session, "diff 4 6").join("\n")).toContain("A+0x400000, 512 pages: nothing mapped -> the huge zero folio");
    const pages = session.diff(3, 4).groups.find((group) => group.title === "Pages");
    expect(pages?.rows).toHaveLength(1);
    expect(session.why(pages?.rows[0].why ?? "nothing").links[0].text).toBe("A+0x200000: a huge page (order 9), mapped by a PMD, rw");
  });

  it("shows settings and processes that came and went", () => {
    const session = sessionOf(["mmap A 2M rw private anon", `echo always > ${ENABLED}`, "fork C", "@C touch A w", "@C exit"]);
    expect(say(session, "diff 0 2")).toContain(`  ${ENABLED}: madvise -> always`);
    expect(say(session, "diff 2 3")).toContain("  C VmSize: - -> 2048 kB");
    expect(say(session, "diff 4 5")).toContain("  C VmSize: 2048 kB -> -");
    expect(say(session, "diff 3 4").join("\n")).toContain("A+0x0 @C, 512 pages: nothing mapped -> huge page");
  });

  it("says what is wrong with its numbers", () => {
    const session = sessionOf(HUGE);
    for (const line of ["diff", "diff 1 2 3"]) expect(say(session, line)[0]).toMatch(/the numbers of two states/);
    for (const line of ["diff 99", "diff 0 99", "diff x", "diff -1"]) expect(say(session, line)[0]).toMatch(/There is no state/);
  });
});

describe("compare", () => {
  it("runs the same lines with a setting, marks the first difference and leaves the session as it is", () => {
    const session = sessionOf(HUGE);
    const hash = session.world.machine.hash();
    const view = session.compare(other({ config: [[ENABLED, "always"]] }));
    expect(view.rows.map((row) => row.differs)).toEqual([false, true, false, true]);
    expect(view.firstDifference).toBe(1);
    expect(view.rows[1].left).toContain("16 page faults: A+0x0 (x16, +0x1000)");
    expect(view.rows[1].right).toContain("1 page fault: A+0x0");
    expect(view.summary).toContainEqual({ subject: "thp_fault_alloc", before: "1", after: "2", why: null });
    expect(view.summary).toContainEqual({ subject: ENABLED, before: "madvise", after: "always", why: null });
    expect([view.leftTitle, view.rightTitle, view.error]).toEqual(["Debian, Linux 6.18.15", "Debian, Linux 6.18.15, enabled=always", null]);
    expect(view.twin.filter((line) => line.includes("the first difference"))).toEqual(["! touch A 64k w  <- the first difference"]);
    expect(session.world.machine.hash()).toBe(hash);
    expect(session.history.current.id).toBe(4);
    expect(say(session, "compare thp/enabled=always")).toEqual(view.twin);
  });

  it("does not call it a difference that one kernel counts more", () => {
    const view = sessionOf(HUGE).compare(other({ profile: "debian-6.1.176" }));
    expect(view.firstDifference).toBeNull();
    expect(view.rows[3].left.join()).toContain("2048kB.anon_fault_alloc +1");
    expect(view.rows[3].right.join()).not.toContain("2048kB.");
    expect(view.twin).toContain("Every line printed the same on both.");
  });

  it("finds what a release and a patch change", () => {
    const lines = ["mmap A 64k rw private anon", "touch A w", "mprotect A 64k r", "mprotect A 64k rw", "touch A w"];
    const old = sessionOf(lines).compare(other({ profile: "upstream-5.19" }));
    expect([old.firstDifference, old.rows[4].left.length < old.rows[4].right.length]).toEqual([4, true]);
    expect(old.rows[4].right.join()).toContain("page fault");
    const patches = ["-mprotect-writable-ptes", "-mprotect-writable"];
    const patched = sessionOf(lines).compare(other({ patches }));
    expect([patched.firstDifference, patched.rightTitle]).toEqual([4, `Debian, Linux 6.18.15, ${patches.join(", ")}`]);
    expect(say(sessionOf(lines), `compare ${patches.join(" ")}`)).toEqual(patched.twin);
  });

  it("says what is wrong with a choice, as a value", () => {
    const session = sessionOf(HUGE);
    for (const [choice, error] of [
      [{ profile: "debian-6.18.16" }, /no profile debian-6.18.16; did you mean debian-6.18.15/],
      [{ profile: "" }, /no profile/],
      [{ patches: ["+guard-region"] }, /no change guard-region; did you mean guard-regions/],
      [{ patches: ["+zzzzzzzzzzzz"] }, /no change zzzzzzzzzzzz; era lists them/],
      [{ config: [["/nothing", "1"]] }, /has no kernel file \/nothing/],
      [{ config: [[ENABLED, "sometimes"]] }, /does not take sometimes \(EINVAL\)/],
      [{ profile: "debian-6.1.176", config: [["/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled", "always"]] }, /6.1.176 has no kernel file/],
    ] as const) {
      const view = session.compare(other(choice));
      expect(view.error, JSON.stringify(choice)).toMatch(error);
      expect([view.rows, view.summary, view.twin]).toEqual([[], [], [view.error]]);
    }
    expect(say(session, "compare")[0]).toMatch(/say what the other machine has/);
    expect(say(session, "compare debian-6.18.15")[0]).toMatch(/say what the other machine has/);
    expect(say(session, "compare debian-6.1.176 upstream-5.19")[0]).toMatch(/one other profile at a time/);
    expect(say(session, "compare +nope").join()).toMatch(/no change nope/);
  });

  it("ends when whoever waits does not want to any more, with the lines it has", () => {
    let asked = 0;
    let most = Infinity;
    const session = sessionOf(HUGE, { probe: { stop: () => ++asked > most } });
    asked = 0;
    most = 2;
    const view = session.compare(other({ config: [[ENABLED, "always"]] }));
    expect(view.error).toMatch(/^Stopped after [0-3] of 4 lines\.$/);
    expect(view.rows.length).toBeLessThan(4);
    most = Infinity;
    expect(session.compare(other({ config: [[ENABLED, "always"]] })).rows.length).toBe(4);
  });

  it("stops a line where it was stopped, on both machines", () => {
    let looks = 0;
    const session = sessionOf(["mmap A 256M rw private anon"], { probe: { stop: () => ++looks > 3 } });
    looks = 0;
    session.submit("touch A 256M w");
    const { operationsDone } = session.history.current;
    expect(operationsDone).toBeGreaterThan(0);
    looks = -1000;
    const view = session.compare(other({ config: [["/sys/kernel/mm/transparent_hugepage/use_zero_page", "0"]] }));
    expect([view.error, view.firstDifference]).toEqual([null, null]);
    expect(view.summary.some((row) => row.subject === "pgfault")).toBe(false);
  });

  it("replays tools, pipes and other processes, and lines that watch", () => {
    const lines = [...HUGE, "watch thp_split_pmd", "fork C", "@C", "touch A w", `echo always > ${ENABLED} && cat ${ENABLED} | wc -l`, "munmap A+3M 4k"];
    const view = sessionOf(lines).compare(other({ config: [["/proc/sys/vm/overcommit_memory", "1"]] }));
    expect(view.rows.map((row) => row.command)).toEqual(lines);
    expect([view.firstDifference, view.summary.map((row) => row.subject)]).toEqual([null, ["/proc/sys/vm/overcommit_memory"]]);
  });
});

it("offers the words of describe and compare to complete", () => {
  const session = sessionOf(HUGE);
  const words = (text: string): string[] => session.complete(text, text.length).candidates.map((each) => each.text.trim());
  expect(words("describe ta")).toEqual(["tables"]);
  expect(words("compare debian-6.1.")).toEqual(["debian-6.1.176"]);
  expect(words("compare +guard")).toContain("+guard-regions");
});
