import * as fc from "fast-check";
import { expect, it } from "vitest";
import { BEHAVIOUR } from "./behaviour.ts";
import type { SavedNode } from "./model.ts";
import { MOST_QUANTA_WATCHED } from "./pacer.ts";
import type { ShellSession } from "./shellSession.ts";
import { newTestSession, savedNodes, someLine } from "./testSessions.ts";

const RUNS = process.env.HUGELAB_LONG === "1" ? 1000 : 40;

const START = ["mmap A 8M rw private anon", "mmap B 8M rw private anon", "madvise B 8M hugepage", "mmap C 4M rw private anon"];

/** One thing a learner does: a line, a move, or a line that is stopped at some look. */
type Act =
  | { readonly kind: "line"; readonly n: number }
  | { readonly kind: "move"; readonly n: number }
  | { readonly kind: "stopped"; readonly n: number; readonly at: number };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("line" as const), n: fc.nat(2 ** 30) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("move" as const), n: fc.nat(2 ** 30) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("stopped" as const), n: fc.nat(2 ** 30), at: fc.integer({ min: 1, max: 12 }) }) },
);

/** Lines that take several looks; the first three can be left half done. */
const LONG = [
  "mmap A 512M rw private anon populate",
  "touch A 60M w",
  "khugepaged scan 3",
  "munmap A",
  "fork L",
  "cat /proc/self/smaps > /dev/null; echo never > /sys/kernel/mm/transparent_hugepage/enabled",
];

class Stopper {
  #left = Infinity;

  stopAfter(looks: number): void {
    this.#left = looks;
  }

  stop(): boolean {
    return --this.#left <= 0;
  }
}

function play(session: ShellSession, stopper: Stopper, acts: readonly Act[]): void {
  for (const line of START) session.submit(line);
  for (const each of acts) {
    if (each.kind === "line") session.submit(someLine(each.n));
    else if (each.kind === "move") session.move(each.n % 3 === 0 ? "back" : each.n % session.history.all().length);
    else {
      stopper.stopAfter(each.at);
      session.submit(LONG[each.n % LONG.length]);
      stopper.stopAfter(Infinity);
    }
  }
}

const sessionWith = (stopper: Stopper, historyBytes: number): ShellSession => newTestSession({ historyBytes, probe: stopper });

it("restores a random session: the same tree, the same states, the same digests, stopped commands too", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), fc.constantFrom(Infinity, 2 ** 20), (acts, cap) => {
      const stopper = new Stopper();
      const first = sessionWith(stopper, cap);
      play(first, stopper, acts);
      const saved = savedNodes(first);
      const second = sessionWith(new Stopper(), cap);
      const { current } = first.history;
      expect(second.restore(saved, current.id)).toEqual({ differences: [], notice: null });
      expect(second.history.current.id).toBe(current.id);
      expect(second.world.machine.hash()).toBe(first.world.machine.hash());
      expect(second.prompt()).toBe(first.prompt());
      // every node, also those that nobody went to yet
      for (const { id, stateHash } of first.history.all()) {
        expect(second.move(id).stateHash, `${id} ${first.history.find(id)?.command}`).toBe(stateHash);
        first.move(id);
        expect(second.world.machine.hash()).toBe(first.world.machine.hash());
      }
      expect(second.differences).toEqual([]);
      const all = (session: ShellSession): unknown => session.timeline(0, 1000).nodes;
      expect(all(second)).toEqual(all(first));
      expect(savedNodes(second)).toEqual(saved);
      expect(second.world.machine.check()).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});

it("takes no harm from a list of nodes that cannot be", () => {
  const honest = (() => {
    const session = newTestSession();
    for (const line of [...START, "touch A w", "undo", "touch A r"]) session.submit(line);
    return savedNodes(session);
  })();
  const junk = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.constant(undefined), fc.constant("undo"), fc.constant("goto 3"));
  const change = fc.record({
    at: fc.nat(honest.length - 1),
    key: fc.constantFrom<keyof SavedNode>("node", "parent", "command", "operationsDone", "stateHash", "digest"),
    to: junk,
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), fc.integer(), (changes, current) => {
      const nodes = honest.map((node) => ({ ...node })) as Record<string, unknown>[];
      for (const { at, key, to } of changes) nodes[at][key] = to;
      const session = newTestSession();
      const { differences, notice } = session.restore(nodes as unknown as SavedNode[], current);
      expect(session.history.all().length).toBeGreaterThan(0);
      expect(session.submit("mmap Z 4k rw private anon").output.length).toBeGreaterThan(0);
      if (session.history.all().length - 1 < nodes.length || !(current in nodes)) expect(notice).toMatch(/^session\.restore\./);
      for (const { node } of differences) expect(session.history.find(node)).toBeDefined();
    }),
    { numRuns: RUNS * 3 },
  );
  const tooMuch: SavedNode = { ...honest[1], operationsDone: MOST_QUANTA_WATCHED + 1 };
  expect(newTestSession().restore([honest[0], tooMuch], 1).notice).toContain("badNode");
  expect(newTestSession().restore([], 0)).toEqual({ differences: [], notice: null });
});

it("reports what a newer simulator does otherwise, and keeps it", () => {
  const session = newTestSession();
  for (const line of [...START, "touch A w"]) session.submit(line);
  const saved = savedNodes(session);
  expect(saved[5]).toMatchObject({ node: 5, parent: 4, command: "touch A w", behaviour: BEHAVIOUR, operationsDone: null });
  saved[2] = { ...saved[2], stateHash: "00ff" };
  saved[4] = { ...saved[4], digest: "00ee" };
  const later = newTestSession();
  const { differences } = later.restore(saved, 5);
  expect(differences).toEqual([
    { node: 2, what: "state", command: START[1], savedHash: "00ff", hash: session.history.find(2)?.stateHash },
    { node: 4, what: "seen", command: START[3], savedHash: "00ee", hash: session.history.find(4)?.digest },
  ]);
  expect(later.history.current.id).toBe(5);
  expect(later.move(2).stateHash).toBe(session.history.find(2)?.stateHash);
});
