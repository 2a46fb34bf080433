import { describe, expect, it } from "vitest";
import type { CancelProbe } from "./pacer.ts";
import type { ShellSession } from "./shellSession.ts";
import { newTestSession, savedNodes } from "./testSessions.ts";

/** Wants to stop at the n-th look. */
class At implements CancelProbe {
  left: number;
  constructor(left: number) {
    this.left = left;
  }
  stop(): boolean {
    return --this.left <= 0;
  }
}

const texts = (session: ShellSession, line: string): string =>
  session
    .submit(line)
    .output.map((part) => part.text)
    .join("");

function stopped(lines: readonly string[], last: string, at: number): { session: ShellSession; step: ReturnType<ShellSession["submit"]> } {
  const probe = new At(Infinity);
  const session = newTestSession({ probe });
  for (const line of lines) session.submit(line);
  probe.left = at;
  const step = session.submit(last);
  probe.left = Infinity;
  return { session, step };
}

/** Lines that keep what was done, with what leads to them. */
const SCAN = "/sys/kernel/mm/transparent_hugepage/khugepaged";
type Half = readonly [name: string, before: readonly string[], line: string, stops: readonly number[]];
const STOPS = [1, 2, 5, 9];
const HALF: readonly Half[] = [
  ["touch", ["mmap A 200M rw private anon"], "touch A 200M w", STOPS],
  ["touch of huge pages", ["mmap A 400M rw private anon", "madvise A 400M hugepage"], "touch A 400M w step=2M", [1, 2, 4, 6]],
  ["populate", [], "mmap A 200M rw private anon populate", STOPS],
  ["a call", [], "a = mmap(NULL, 200M, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE, -1, 0)", STOPS],
  ["mlock", ["mmap A 200M rw private anon"], "mlock A", [26, 27, 30, 40]],
  ["MADV_POPULATE_WRITE", ["mmap A 200M rw private anon"], "madvise A populate_write", STOPS],
  ["khugepaged", ["mmap A 200M rw private anon", "touch A 200M w", "madvise A hugepage"], "khugepaged scan 1", STOPS],
  ["MADV_COLLAPSE", ["mmap A 200M rw private anon", "touch A 200M w"], "madvise A 200M collapse", STOPS],
  [
    "a write to a kernel file",
    ["mmap A 200M rw private anon", "touch A 200M w", "madvise A hugepage", `echo 100000 > ${SCAN}/pages_to_scan`],
    `echo 10000 > ${SCAN}/scan_sleep_millisecs; cd /proc`,
    STOPS,
  ],
];

describe("a command that is stopped", () => {
  it.each(HALF)("keeps what it did, and comes to the same state again: %s", (_name, before, line, stops) => {
    const whole = stopped(before, line, Infinity);
    const hashes = new Set([whole.step.stateHash]);
    for (const at of stops) {
      const { session, step } = stopped(before, line, at);
      expect(step, `stop at ${at}`).toMatchObject({ mark: "cancelled", operationsDone: at, made: before.length + 1 });
      hashes.add(step.stateHash);
      expect(session.world.machine.check()).toEqual([]);
      const again = newTestSession();
      expect(again.restore(savedNodes(session), step.current)).toEqual({ differences: [], notice: null });
      expect(again.world.machine.hash()).toBe(session.world.machine.hash());
      // the node can be gone back from and to
      session.move("back");
      expect(session.move("forward").stateHash).toBe(step.stateHash);
      expect(texts(session, "history")).toMatch(/\n\* +\d+ /);
    }
    // each cut point is a state of its own
    expect(hashes.size).toBe(5);
  });

  it.each([
    ["munmap", "munmap A"],
    ["fork", "fork C"],
    ["exit", "exit"],
    ["mprotect", "mprotect A 200M r"],
    ["mremap", "mremap A 200M 200M maymove fixed=B"],
    ["MADV_DONTNEED", "madvise A dontneed"],
    ["a line of tools that only looks", "cat /proc/self/smaps | grep Rss"],
    ["kpageflags", "cat /proc/kpageflags | wc"],
  ])("is not done at all where half of it cannot be: %s", (_name, line) => {
    const before = ["mmap A 200M rw private anon", "touch A 200M w", "mprotect A+64k 4k r"];
    const { session, step } = stopped(before, line, 1);
    expect(step).toMatchObject({ mark: "cancelled", made: null, current: 3, operationsDone: 1 });
    expect(step.output.at(-1)?.text).toMatch(/session\.cancelled(Whole|Nothing)/);
    expect(step.stateHash).toBe(session.savedNode(3).stateHash);
    expect(session.world.machine.check()).toEqual([]);
    expect(session.submit(line).mark).toBe("done");
  });

  it("ends a line of tools where it was, and keeps what came before", () => {
    const write = "echo never > /sys/kernel/mm/transparent_hugepage/enabled";
    const { session, step } = stopped(["mmap A 200M rw private anon", "touch A 200M w"], `${write}; grep -c Rss /proc/self/smaps; cd /proc`, 2);
    expect(step).toMatchObject({ mark: "cancelled", made: 3 });
    expect(texts(session, "cat /sys/kernel/mm/transparent_hugepage/enabled; pwd")).toBe("always madvise [never]\n/\n");
  });

  it("tells how far it is, with the count that is kept", () => {
    const seen: number[] = [];
    const session = newTestSession({ onProgress: (done) => seen.push(done) });
    session.submit("mmap A 100M rw private anon");
    session.submit("touch A 100M w");
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i + 1));
    expect(seen.length).toBeGreaterThan(5);
  });

  it("stops a move that takes too long, and stays where it is", () => {
    const probe = new At(Infinity);
    const session = newTestSession({ probe, historyBytes: 1 });
    for (const line of ["mmap A 200M rw private anon", "touch A 200M w", "munmap A", "cd /proc"]) session.submit(line);
    const { stateHash } = session.move("back");
    probe.left = 3;
    const step = session.move(2);
    expect(step).toMatchObject({ current: 3, stateHash, made: null });
    expect(step.output[0].text).toContain("session.cancelledMove");
    probe.left = Infinity;
    expect(session.move(2).current).toBe(2);
    expect(session.world.machine.check()).toEqual([]);
  });

  it("stops an explanation that has to do commands again, and nothing else of its line counts it", () => {
    const probe = new At(Infinity);
    const session = newTestSession({ probe, historyBytes: 1 });
    for (const line of ["mmap A 200M rw private anon", "touch A 200M w", "munmap A+4k 4k", "touch A w v=9"]) session.submit(line);
    probe.left = 9;
    expect(session.submit("why A")).toMatchObject({ mark: "cancelled", made: null });
    probe.left = Infinity;
    const step = session.submit("why A");
    expect(step.output.map((part) => part.text).join("")).toContain("touch A 200M w");
    expect(step.made).toBe(null);
  });
});

it("explains over states that were dropped as over states that were kept", () => {
  const answers = [Infinity, 1].map((historyBytes) => {
    const session = newTestSession({ historyBytes });
    for (const line of ["mmap A 8M rw private anon", "madvise A 8M hugepage", "touch A 4M w", "fork C", "munmap A+4k 4k", "touch A+8k w"]) session.submit(line);
    return ["why A+8k", "why thp_split_pmd", "why vma A+8k", "why"].map((line) => texts(session, line));
  });
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[0][0].length).toBeGreaterThan(100);
});
