import { expect, it } from "vitest";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import { ShellSession } from "../../session/shellSession.ts";
import { Random } from "../generate/random.ts";
import { Aimer, placesByKind } from "./aim.ts";
import { AddressModel } from "../generate/addressModel.ts";

/** The history of a session: every state can be gone back to, and is what its commands lead to from the boot. */

const IS_LONG = process.env.HUGELAB_LONG === "1";
const SEED = IS_LONG ? Math.floor(Date.now() / 86_400_000) : 7;
const NODES = IS_LONG ? 10_000 : 1_000;
const JUMPS = NODES * 3;
/** nodes that are replayed from the boot */
const REPLAYED = IS_LONG ? 2_000 : 200;

/** snapshots: as many as there are, and so few that most states are replayed when they are gone to */
const CAPS = [Infinity, 6 * 2 ** 20];

const newSession = (historyBytes = Infinity): ShellSession =>
  new ShellSession({
    historyBytes,
    boot: { profile: findProfile("debian-6.18.15") as Profile, memoryMiB: 256 },
    render: (message) => `${message.key} ${JSON.stringify(message.args)}`,
  });

/** Commands that led to a node, first one first. */
function pathTo(session: ShellSession, id: number): string[] {
  const path: string[] = [];
  for (let node = session.history.find(id); node !== undefined && node.parent !== null; node = session.history.find(node.parent)) path.unshift(node.command);
  return path;
}

it.each(CAPS)(
  `finds every one of ${NODES} states again by jumps, and ${REPLAYED} of them by replay, with %d bytes of history`,
  (cap) => {
    if (IS_LONG) console.log(`seed ${SEED}`);
    const random = new Random(SEED, 1);
    const session = newSession(cap);
    const { world, history } = session;
    const hashes: string[] = [world.machine.hash()];
    const goto = (id: number): void => {
      if (id === history.current.id) return;
      expect(session.submit(`goto ${id}`).output.filter((o) => o.stream === "error")).toEqual([]);
      expect(history.current.id).toBe(id);
    };
    const grow = (line: string): void => {
      const said = session
        .submit(line)
        .output.map((part) => part.text)
        .join("");
      expect(history.current.mark, `${line}\n${said}`).toBe("done");
      if (history.current.id === hashes.length) hashes.push(world.machine.hash());
    };
    for (const line of ["sys thp enabled madvise", "sys khp pages_to_scan 100000"]) grow(line);
    const aimer = new Aimer(world, random, 0, nameOf(session));
    while (hashes.length < NODES) {
      // mostly on from where it stands, sometimes from a state that was left long ago
      if (random.chance(4)) goto(random.below(hashes.length));
      grow(aimer.line(placesByKind(world, random)));
      if (history.current.id % 25 === 0) expect(world.machine.check(), pathTo(session, history.current.id).join("\n")).toEqual([]);
    }
    for (let n = 0; n < (cap === Infinity ? JUMPS : NODES); n++) {
      const id = random.below(hashes.length);
      goto(id);
      if (world.machine.hash() !== hashes[id]) expect.fail(`state ${id} is not what it was:\n${pathTo(session, id).join("\n")}`);
    }
    let longest = 0;
    for (let n = 0; n < REPLAYED; n++) {
      const id = random.below(hashes.length);
      const path = pathTo(session, id);
      longest = Math.max(longest, path.length);
      const fresh = newSession();
      for (const line of path) fresh.submit(line);
      expect(fresh.world.machine.hash(), path.join("\n")).toBe(hashes[id]);
    }
    if (cap !== Infinity) {
      expect(session.memory.kept).toBeLessThan(NODES / 2);
      expect(session.memory.bytes).toBeLessThan(cap * 1.5);
    }
    // the tree has long branches, so that a state rests on many others
    expect(longest).toBeGreaterThan(20);
  },
  IS_LONG ? 0 : undefined,
);

/** Names for mappings: those that this branch of the history has not used yet, since a machine has room for 64. */
function nameOf(session: ShellSession): () => string {
  return () => {
    const used = new Set(session.world.slots.names());
    const model = new AddressModel();
    for (;;) {
      const name = model.newName();
      if (!used.has(name)) return name;
    }
  };
}
