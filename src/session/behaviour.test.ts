import { expect, it } from "vitest";
import { findProfile, type Profile } from "../kernel/profile/profile.ts";
import { BEHAVIOUR } from "./behaviour.ts";
import { contentHash } from "./digest.ts";
import { newTestSession, someLine } from "./testSessions.ts";

/** What the lines below led to, by behaviour version. A version that was released stays as it is; a new one gets a line of its own. */
const DIGESTS: Readonly<Record<string, string>> = {
  "1": "e83bbd9a82be3320",
};

const LINES = [
  ...["mmap A 8M rw private anon", "mmap B 8M rw private anon", "madvise B hugepage", "mmap C 4M rw private anon", "touch B 6M w", "fork K0", "touch B+4k w"],
  ...["munmap B+64k 4k", "khugepaged scan 1", "madvise A 2M collapse", "mlock A 64k", "mremap A 64k 4M maymove"],
];

/** State and what was seen, of every node of some sessions. */
function digestNow(): string {
  const parts = ["debian-6.18.15", "debian-6.12.107", "debian-6.1.176", "upstream-5.19"].map((profile) => {
    const session = newTestSession({ boot: { profile: findProfile(profile) as Profile, memoryMiB: 512 } });
    for (const line of LINES) session.submit(line);
    for (let n = 0, x = 1; n < 250; n++) {
      x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
      session.submit(someLine(x >>> 7));
    }
    return session.history.all().map(({ stateHash, digest }) => [stateHash, digest]);
  });
  return contentHash(parts);
}

it("does what the behaviour version says", () => {
  const now = digestNow();
  expect(digestNow()).toBe(now);
  const known = DIGESTS[BEHAVIOUR];
  if (now !== known)
    expect.fail(
      `The simulator does something else than behaviour version ${BEHAVIOUR} did (digest ${now}, not ${known}). Sessions and submissions saved by it would be ` +
        `reported as different without a reason. If that is meant: raise BEHAVIOUR in src/session/behaviour.ts and add its digest here. Only while a version ` +
        `was never released may its digest be replaced.`,
    );
});
