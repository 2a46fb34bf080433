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
  "open",
  "memfd_create",
  "close",
  "dup",
  "ftruncate",
  "fallocate",
  "posix_fadvise",
  "read",
  "write",
  "lseek",
  "fsync",
  "fstat",
  "unlink",
  "shmget",
  "shmat",
  "shmdt",
  "shmctl",
] as const;
type Page = (typeof PAGES)[number];

const RW = "PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS";
const MAP = `a = mmap(NULL, 4M, ${RW}, -1, 0)`;
const OPEN = 'fd = open("/mnt/tmp/a", O_RDWR|O_CREAT, 0600)';
const READ_ONLY = 'fd = open("/mnt/tmp/a", O_RDONLY|O_CREAT, 0600)';
const SEGMENT = "s = shmget(IPC_PRIVATE, 8192, 0600)";
const SEALED = ["mmap A 64k rw private anon", "mseal A"];
const NOT_ROOT = "(no capabilities)";

/** What leads to the errno; the last line returns it. */
type Recipe = readonly string[];

const PRODUCED: Readonly<Record<Page, Readonly<Record<string, Recipe>>>> = {
  mmap: {
    EACCES: [READ_ONLY, "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0)"],
    EAGAIN: [NOT_ROOT, "rlimit memlock 4096", `mmap(NULL, 8192, ${RW}|MAP_LOCKED, -1, 0)`],
    EBADF: ["mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0)"],
    EEXIST: [MAP, `mmap(a, 4096, ${RW}|MAP_FIXED_NOREPLACE, -1, 0)`],
    EINVAL: [`mmap(NULL, 0, ${RW}, -1, 0)`],
    ENODEV: ["mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 0, 0)"],
    ENOMEM: [`mmap(NULL, 131072G, ${RW}, -1, 0)`],
    EOPNOTSUPP: [OPEN, "mmap(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE|MAP_SYNC, fd, 0)"],
    EOVERFLOW: [OPEN, "mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0x7ffffffffffff000)"],
    EPERM: [...SEALED, "mmap A 4k rw private anon fixed"],
  },
  munmap: {
    EINVAL: ["munmap(1, 4096)"],
    ENOMEM: ["mmap A 64k rw private anon", "echo 1 > /proc/sys/vm/max_map_count", "munmap A+16k 4k"],
    EPERM: [...SEALED, "munmap A"],
  },
  mprotect: {
    EACCES: [READ_ONLY, "a = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0)", "mprotect(a, 4096, PROT_READ|PROT_WRITE)"],
    EINVAL: ["mprotect(1, 4096, PROT_READ)"],
    ENOMEM: ["mprotect A 4k r"],
    EPERM: [...SEALED, "mprotect A 4k r"],
  },
  mremap: {
    EAGAIN: ["mmap A 4k rw private anon", "mlock A", NOT_ROOT, "rlimit memlock 4096", "mremap A 4k 64k"],
    EFAULT: ["mremap A 4k 8k"],
    EINVAL: ["mremap(1, 4096, 8192, 0)"],
    ENOMEM: ["mmap A 4k rw private anon", "mmap A 4k r private anon at=A+4k", "mremap A 4k 8k"],
    EPERM: [...SEALED, "mremap A 64k 128k"],
  },
  madvise: {
    EACCES: [OPEN, "ftruncate(fd, 4096)", "a = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE, fd, 0)", "madvise(a, 4096, MADV_REMOVE)"],
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
  msync: { EBUSY: [MAP, "mlock(a, 4096)", "msync(a, 4096, MS_SYNC|MS_INVALIDATE)"], EINVAL: ["msync(1, 4096, MS_SYNC)"], ENOMEM: ["msync A 4k"] },
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
  open: {
    EBADF: ['openat(55, "a", O_RDONLY)'],
    EEXIST: [OPEN, 'open("/mnt/tmp/a", O_RDWR|O_CREAT|O_EXCL, 0600)'],
    EFAULT: ["open(NULL, O_RDONLY)"],
    EISDIR: ['open("/mnt/tmp", O_RDWR)'],
    EMFILE: ["setrlimit(RLIMIT_NOFILE, {3, 3})", 'open("/mnt/tmp/a", O_RDWR|O_CREAT, 0600)'],
    ENAMETOOLONG: [`open("/mnt/tmp/${"n".repeat(256)}", O_RDWR|O_CREAT, 0600)`],
    ENOENT: ['open("/mnt/tmp/a", O_RDONLY)'],
    ENOTDIR: [OPEN, 'open("/mnt/tmp/a/b", O_RDWR|O_CREAT, 0600)'],
    EROFS: ['open("/a", O_RDWR|O_CREAT, 0600)'],
  },
  memfd_create: {
    EFAULT: ["memfd_create(NULL, 0)"],
    EINVAL: ['memfd_create("x", 64)'],
    EMFILE: ["setrlimit(RLIMIT_NOFILE, {3, 3})", 'memfd_create("x", 0)'],
  },
  close: { EBADF: ["close(3)"] },
  dup: { EBADF: ["dup(3)"], EINVAL: ["dup3(0, 0, 0)"], EMFILE: ["setrlimit(RLIMIT_NOFILE, {3, 3})", "dup(0)"] },
  ftruncate: {
    EBADF: ["ftruncate(3, 0)"],
    EFAULT: ["truncate(NULL, 0)"],
    EFBIG: ['fd = open("/mnt/ext4/a", O_RDWR|O_CREAT, 0600)', "ftruncate(fd, 16384G)"],
    EINVAL: [READ_ONLY, "ftruncate(fd, 4096)"],
    EISDIR: ['truncate("/mnt/tmp", 0)'],
    ENAMETOOLONG: [`truncate("/mnt/tmp/${"n".repeat(256)}", 0)`],
    ENOENT: ['truncate("/mnt/tmp/a", 0)'],
    ENOTDIR: [OPEN, 'truncate("/mnt/tmp/a/b", 0)'],
  },
  fallocate: {
    EBADF: [READ_ONLY, "fallocate(fd, 0, 0, 4096)"],
    EFBIG: ['fd = open("/mnt/ext4/a", O_RDWR|O_CREAT, 0600)', "fallocate(fd, 0, 16384G, 4096)"],
    EINVAL: [OPEN, "fallocate(fd, 0, 0, 0)"],
    ENODEV: ["fallocate(0, 0, 0, 4096)"],
    ENOMEM: ['fd = memfd_create("x", 0)', "fallocate(fd, 0, 0, 600M)"],
    ENOSPC: [OPEN, "fallocate(fd, 0, 0, 600M)"],
    EOPNOTSUPP: [OPEN, "fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096)"],
  },
  posix_fadvise: { EBADF: ["posix_fadvise(3, 0, 0, POSIX_FADV_NORMAL)"], EINVAL: [OPEN, "posix_fadvise(fd, 0, 0, 6)"] },
  read: {
    EBADF: ['fd = open("/mnt/tmp/a", O_WRONLY|O_CREAT, 0600)', MAP, "read(fd, a, 4096)"],
    EFAULT: [OPEN, "ftruncate(fd, 4096)", "read(fd, 65536, 4096)"],
    EINVAL: [OPEN, MAP, "pread(fd, a, 4096, -1)"],
    ESPIPE: [MAP, "pread(0, a, 4096, 0)"],
  },
  write: {
    EBADF: [READ_ONLY, 'write(fd, "a", 1)'],
    EFAULT: [OPEN, "write(fd, 65536, 4096)"],
    EFBIG: ['fd = open("/mnt/ext4/a", O_RDWR|O_CREAT, 0600)', 'pwrite(fd, "a", 1, 16384G)'],
    EINVAL: [OPEN, 'pwrite(fd, "a", 1, -1)'],
    ENOSPC: ["mount t tmpfs size=4k", 'fd = open("/mnt/ext4/t/a", O_RDWR|O_CREAT, 0600)', 'write(fd, "a", 1)', 'pwrite(fd, "a", 1, 4096)'],
    ESPIPE: ['pwrite(1, "a", 1, 0)'],
  },
  lseek: {
    EBADF: ["lseek(3, 0, SEEK_SET)"],
    EINVAL: [OPEN, "lseek(fd, -1, SEEK_CUR)"],
    ENXIO: [OPEN, "lseek(fd, 0, SEEK_DATA)"],
    ESPIPE: ["lseek(0, 0, SEEK_SET)"],
  },
  fsync: { EBADF: ["fsync(3)"], EINVAL: ["fdatasync(0)"] },
  fstat: { EBADF: ["fstat(3, &st)"], EFAULT: ["fstat(0, NULL)"] },
  unlink: {
    EFAULT: ["unlink(NULL)"],
    EISDIR: ['unlink("/mnt/tmp")'],
    ENAMETOOLONG: [`unlink("/mnt/tmp/${"n".repeat(256)}")`],
    ENOENT: ['unlink("/mnt/tmp/a")'],
    ENOTDIR: [OPEN, 'unlink("/mnt/tmp/a/b")'],
  },
  shmget: {
    EEXIST: ["shmget(5, 4096, IPC_CREAT|0600)", "shmget(5, 4096, IPC_CREAT|IPC_EXCL|0600)"],
    EINVAL: ["shmget(IPC_PRIVATE, 0, 0600)"],
    ENOENT: ["shmget(5, 4096, 0600)"],
    ENOMEM: ["shmget(IPC_PRIVATE, 1024G, 0600)"],
    ENOSPC: ["echo 0 > /proc/sys/kernel/shmmni", "shmget(IPC_PRIVATE, 4096, 0600)"],
  },
  shmat: {
    EAGAIN: [NOT_ROOT, "rlimit memlock 4096", SEGMENT, "mlockall future", "shmat(s, NULL, 0)"],
    EINVAL: ["shmat(0, NULL, 0)"],
    ENOMEM: [SEGMENT, "shmat(s, 0x7ffffffff000, 0)"],
    EPERM: [SEGMENT, ...SEALED, "shmat(s, 0x1000000000, SHM_REMAP)"],
  },
  shmdt: { EINVAL: ["shmdt(0x10000)"] },
  shmctl: { EFAULT: [SEGMENT, "shmctl(s, IPC_STAT, NULL)"], EINVAL: ["shmctl(0, IPC_RMID, NULL)"] },
};

/** On the page because Linux returns it, for what is not simulated yet. Whoever simulates it moves it to the table above. */
const NOT_YET: Readonly<Partial<Record<Page, Readonly<Record<string, string>>>>> = {
  madvise: { EBUSY: "memory cgroups and userfaultfd", EHWPOISON: "memory failure", EIO: "disks that fail" },
  mincore: { EAGAIN: "the kernel's own memory" },
  msync: { EIO: "disks that fail" },
  read: { EIO: "disks that fail" },
  write: { EIO: "disks that fail" },
  fsync: { EIO: "disks that fail" },
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
    const named: Readonly<Partial<Record<Page, string>>> = { ftruncate: "truncate", fsync: "sync" };
    expect(session.history.current.command).toMatch(new RegExp(named[page as Page] ?? page));
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
      memfd_create: 2,
      close: 1,
      dup: 1,
      ftruncate: 2,
      fallocate: 4,
      posix_fadvise: 4,
      fsync: 1,
      fstat: 2,
      unlink: 1,
      shmdt: 1,
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
          for (const line of [MAP, OPEN, 'memfd_create("m", 0)', "dup(0)", `b = mmap(NULL, 64k, ${RW}, -1, 0)`, "touch 0x10000 w"]) session.submit(line);
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
