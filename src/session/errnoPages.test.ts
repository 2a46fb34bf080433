import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findProfile, type Profile } from "../kernel/profile/profile.ts";
import { PAGE_FACTS } from "../shell/table/pageFacts.ts";
import type { ShellSession } from "./shellSession.ts";
import { newTestSession } from "./testSessions.ts";

/** Each errno on the page of a call is produced by running the call, and each errno that a call returns is on its page. */

const PAGES = [
  "mmap",
  "munmap",
  "mprotect",
  "mremap",
  "madvise",
  "mlock",
  "mlock2",
  "munlock",
  "mlockall",
  "munlockall",
  "mincore",
  "msync",
  "mseal",
  "brk",
  "prctl",
  "setrlimit",
  "fork",
] as const;
type Page = (typeof PAGES)[number];

const RW = "PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS";
const MAP = `a = mmap(NULL, 4M, ${RW}, -1, 0)`;
const SEALED = ["mmap A 64k rw private anon", "mseal A"];
const NOT_ROOT = "(no capabilities)";

/** What leads to the errno; the last line returns it. */
type Recipe = readonly string[];

const PRODUCED: Readonly<Record<Page, Readonly<Record<string, Recipe>>>> = {
  mmap: {
    EAGAIN: [NOT_ROOT, "rlimit memlock 4096", `mmap(NULL, 8192, ${RW}|MAP_LOCKED, -1, 0)`],
    EBADF: ["mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0)"],
    EEXIST: [MAP, `mmap(a, 4096, ${RW}|MAP_FIXED_NOREPLACE, -1, 0)`],
    EINVAL: [`mmap(NULL, 0, ${RW}, -1, 0)`],
    ENOMEM: [`mmap(NULL, 131072G, ${RW}, -1, 0)`],
    EPERM: [...SEALED, "mmap A 4k rw private anon fixed"],
  },
  munmap: {
    EINVAL: ["munmap(1, 4096)"],
    ENOMEM: ["mmap A 64k rw private anon", "echo 1 > /proc/sys/vm/max_map_count", "munmap A+16k 4k"],
    EPERM: [...SEALED, "munmap A"],
  },
  mprotect: { EINVAL: ["mprotect(1, 4096, PROT_READ)"], ENOMEM: ["mprotect A 4k r"], EPERM: [...SEALED, "mprotect A 4k r"] },
  mremap: {
    EAGAIN: ["mmap A 4k rw private anon", "mlock A", NOT_ROOT, "rlimit memlock 4096", "mremap A 4k 64k"],
    EFAULT: ["mremap A 4k 8k"],
    EINVAL: ["mremap(1, 4096, 8192, 0)"],
    ENOMEM: ["mmap A 4k rw private anon", "mmap A 4k r private anon at=A+4k", "mremap A 4k 8k"],
    EPERM: [...SEALED, "mremap A 64k 128k"],
  },
  madvise: {
    EAGAIN: ["mmap A 4M rw private anon", "touch A 2M w", "gup A w", "madvise A 2M collapse"],
    EFAULT: ["mmap A 64k rw private anon", "madvise A 4k guard_install", "madvise A populate_write"],
    EINVAL: ["madvise(0, 4096, 77)"],
    ENOMEM: ["madvise A 4k hugepage"],
    EPERM: ["mmap A 64k r private anon", "mseal A", "madvise A dontneed"],
  },
  mlock: {
    EAGAIN: ["echo 1 > /proc/sys/vm/overcommit_memory", "mmap A 2G rw private anon noreserve", "mlock A"],
    EINVAL: ["mlock(4096, -4096)"],
    ENOMEM: ["mlock A 4k"],
    EPERM: [NOT_ROOT, "rlimit memlock 0", "mmap A 4k rw private anon", "mlock A"],
  },
  mlock2: {
    EAGAIN: ["echo 1 > /proc/sys/vm/overcommit_memory", "mmap A 2G rw private anon noreserve", "mlock2 A"],
    EINVAL: [MAP, "mlock2(a, 4096, 8)"],
    ENOMEM: ["mlock2 A 4k"],
    EPERM: [NOT_ROOT, "rlimit memlock 0", "mmap A 4k rw private anon", "mlock2 A 4k onfault"],
  },
  munlock: { EINVAL: ["munlock(4096, -4096)"], ENOMEM: ["munlock A 4k"] },
  mlockall: {
    EINVAL: ["mlockall(0)"],
    ENOMEM: ["mmap A 64k rw private anon", NOT_ROOT, "rlimit memlock 4096", "mlockall current"],
    EPERM: [NOT_ROOT, "rlimit memlock 0", "mlockall current"],
  },
  munlockall: {},
  mincore: { EFAULT: ["mincore(0, 128G, vec)"], EINVAL: ["mincore(1, 4096, vec)"], ENOMEM: ["mincore A 4k"] },
  msync: { EINVAL: ["msync(1, 4096, MS_SYNC)"], ENOMEM: ["msync A 4k"] },
  mseal: { EINVAL: ["mseal(1, 4096, 0)"], ENOMEM: ["mseal A 4k"], ENOSYS: ["(release 6.1)", "mmap A 4k rw private anon", "mseal A"] },
  brk: { ENOMEM: ["sbrk(130000G)"] },
  prctl: { EINVAL: ["prctl(PR_SET_THP_DISABLE, 1, 7, 0, 0)"] },
  setrlimit: {
    EFAULT: ["setrlimit(RLIMIT_AS, NULL)"],
    EINVAL: ["setrlimit(RLIMIT_AS, {8, 4})"],
    EPERM: [NOT_ROOT, "setrlimit(RLIMIT_MEMLOCK, {4096, 4096})", "setrlimit(RLIMIT_MEMLOCK, {8192, 8192})"],
  },
  fork: {
    EAGAIN: [...["B", "C", "D", "E", "F", "G", "H"].map((name) => `fork ${name}`), "fork()"],
    ENOMEM: ["echo 1 > /proc/sys/vm/overcommit_memory", "mmap A 900M rw private anon noreserve", "touch A 900M w", "fork B"],
  },
};

/** On the page because Linux returns it, for what is not simulated yet. Whoever simulates it moves it to the table above. */
const NOT_YET: Readonly<Partial<Record<Page, Readonly<Record<string, string>>>>> = {
  mmap: { EACCES: "files", ENODEV: "files", EOPNOTSUPP: "MAP_SYNC on files" },
  mprotect: { EACCES: "shared mappings of files" },
  madvise: { EACCES: "files", EBUSY: "memory cgroups and userfaultfd", EHWPOISON: "memory failure", EIO: "files" },
  mincore: { EAGAIN: "the kernel's own memory" },
  msync: { EBUSY: "MS_INVALIDATE", EIO: "files" },
  prctl: { EINTR: "signals while the call waits for mmap_lock" },
};

function sessionFor(recipe: Recipe): ShellSession {
  const profile = recipe.includes("(release 6.1)") ? "upstream-6.1" : "debian-6.18.15";
  return newTestSession({ boot: { profile: findProfile(profile) as Profile, memoryMiB: 512 } });
}

/** The errno of the last line, and the call. */
function lastErrno(session: ShellSession, lines: Recipe): unknown {
  let errno: unknown;
  session.onNode = (_node, outcome) => (errno = outcome?.fields.errno);
  for (const line of lines) {
    errno = undefined;
    const { machine } = session.world;
    if (line === NOT_ROOT) for (const task of machine.tasks()) machine.kernel.tasks.update(task.slot, { capIpcLock: false, capSysResource: false });
    else if (!line.startsWith("(")) session.submit(line);
  }
  return errno;
}

const cases = PAGES.flatMap((page) => Object.entries(PRODUCED[page]).map(([errno, recipe]): [string, string, Recipe] => [page, errno, recipe]));

describe("errnos of calls", () => {
  it.each(cases)("%s returns %s", (page, errno, recipe) => {
    const session = sessionFor(recipe);
    expect(lastErrno(session, recipe)).toBe(errno);
    expect(session.history.current.command).toMatch(new RegExp(page === "brk" ? "brk" : page));
  });

  it("has a recipe, or a reason, for each errno of a page, and no other", () => {
    for (const page of PAGES) {
      const known = [...Object.keys(PRODUCED[page]), ...Object.keys(NOT_YET[page] ?? {})];
      expect(known.sort(), page).toEqual([...PAGE_FACTS[page].errnos].sort());
    }
  });

  it("finds no errno that is not on the page", () => {
    const number = fc.oneof(
      fc.constantFrom(
        "0",
        "1",
        "4096",
        "8192",
        "2M",
        "4M",
        "131072G",
        "0x7fffffffffff",
        "0xffffffffffffffff",
        "-1",
        "-4096",
        "100",
        "a",
        "a+4096",
        "a+2M",
        "b",
        "b+1",
      ),
      fc.nat(1 << 24).map(String),
    );
    const call = fc.tuple(
      fc.constantFrom(...PAGES.filter((page) => page !== "setrlimit"), "sbrk"),
      fc.array(number, { minLength: 6, maxLength: 6 }),
      fc.constantFrom(
        "0",
        "1",
        "2",
        "3",
        "4",
        "7",
        "8",
        "14",
        "20",
        "22",
        "23",
        "25",
        "41",
        "42",
        "102",
        "103",
        "0x22",
        "0x32",
        "0x100022",
        "0x2022",
        "0x8022",
        "77",
      ),
    );
    const arity: Readonly<Record<string, number>> = {
      mmap: 6,
      munmap: 2,
      mlock: 2,
      munlock: 2,
      munlockall: 0,
      mlockall: 1,
      fork: 0,
      brk: 1,
      sbrk: 1,
      mremap: 5,
      prctl: 5,
      mincore: 3,
      mseal: 3,
    };
    const text = ([name, args, word]: [string, string[], string]): string => {
      const used = args.slice(0, arity[name] ?? 3);
      if (name === "mmap") [used[2], used[3], used[4], used[5]] = [String(used[2].length % 8), word, "-1", "0"];
      else if (name === "mlockall" || name === "prctl") used[0] = word;
      else if (used.length >= 3) used[name === "mremap" ? 3 : 2] = word;
      return `${name}(${used.join(", ")})`;
    };
    let seen = 0;
    fc.assert(
      fc.property(
        fc.array(call, { minLength: 5, maxLength: 25 }),
        fc.constantFrom("debian-6.18.15", "debian-6.1.176"),
        fc.boolean(),
        (calls, profile, isRoot) => {
          const session = newTestSession({ boot: { profile: findProfile(profile) as Profile, memoryMiB: 512 } });
          for (const line of [MAP, `b = mmap(NULL, 64k, ${RW}, -1, 0)`, "touch 0x10000 w"]) session.submit(line);
          if (!isRoot) lastErrno(session, [NOT_ROOT]);
          for (const each of calls) {
            const errno = lastErrno(session, [text(each)]);
            if (typeof errno !== "string") continue;
            seen++;
            const page = (each[0] === "sbrk" ? "brk" : each[0]) as Page;
            expect(PAGE_FACTS[page].errnos as readonly string[], `${text(each)} returned ${errno}`).toContain(errno);
          }
        },
      ),
      { numRuns: 150 },
    );
    expect(seen).toBeGreaterThan(300);
  });
});
