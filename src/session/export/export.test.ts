import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findProfile } from "../../kernel/profile/profile.ts";
import { parseScript } from "../../shell/command/parseScript.ts";
import { ERRNOS } from "../../shell/call/errnos.ts";
import type { ShellSession } from "../shellSession.ts";
import { newTestSession } from "../testSessions.ts";
import { ScriptHistory } from "../why/history.ts";
import { World } from "../world.ts";

/** Lines of all forms that a program can do too. The first makes what follows independent of the huge pages of the machine that runs it. */
const LINES = [
  "prctl thp_disable 1",
  "a = mmap(NULL, 8M, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)",
  "b = mmap(NULL, 12k, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)",
  "mmap A 8M rw private anon",
  "touch A 64k w",
  "madvise(a, 4M, MADV_HUGEPAGE)",
  "mincore A 128k",
  "munmap A+4k 8k",
  "touch A 32k r",
  "madvise A+1 4k free",
  "mlock(b, 4096)",
  "munmap(b, 100)",
  "munmap(b, 0)",
  "mprotect A+16k 4k r",
  "touch A+16k w",
  "mremap A+64k 64k 128k maymove",
  "mremap A+128k 4k 16k",
  "mlockall",
  "munlockall",
  "kread A 4k",
  "kread A+4k 4k",
  "prctl get_thp_disable",
  "setrlimit(RLIMIT_MEMLOCK, {65536, 65536})",
  "brk 64k",
  "msync A 4k",
  "madvise(a, 4096, 77)",
  "mmap(a, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED_NOREPLACE, -1, 0)",
  "mmap(a, 4096, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_FIXED, -1, 0)",
  "fork C",
  "@C touch A+1M w",
  "@C munmap A",
  "@C touch A+1M r",
  "touch A+1M r",
  "@C exit",
  "munmap A+1M 1M",
];
const COMMENTS = ["echo always > /sys/kernel/mm/transparent_hugepage/enabled", "cd /proc", "x=*/;echo", "undo", "touch A+2M w"];

function played(lines: readonly string[]): ShellSession {
  const session = newTestSession({ boot: { profile: findProfile("debian-6.18.15")!, memoryMiB: 1024 } });
  for (const line of lines) session.submit(line);
  return session;
}

/** Of each command: what a program sees of it, without addresses. */
function results(session: ShellSession): { command: string; seen: string }[] {
  return session.history
    .all()
    .slice(1)
    .map(({ id, command }) => ({ command, seen: seenOf(session.rerun(id)?.outcome?.fields ?? {}) }));
}

function seenOf({ ret, errno, cnt, ok, incore, sig }: Readonly<Record<string, unknown>>): string {
  if (typeof errno === "string") return errno;
  if (typeof cnt === "number") return `${Number(ok)} of ${cnt} ${(sig as { sig: string }[] | undefined)?.[0]?.sig ?? ""}`.trim();
  if (typeof incore === "string") return incore;
  return typeof ret === "number" ? String(ret) : "done";
}

describe("a session as a script", () => {
  it("gives the same results on a machine of its own", () => {
    const session = played([...LINES, ...COMMENTS]);
    const { text } = session.exportAs("script");
    const { operations, errors } = parseScript(text);
    expect(errors).toEqual([]);
    const history = new ScriptHistory(new World(findProfile("debian-6.18.15")!, { memoryMiB: 1024 }));
    const theirs = operations.map((operation) => ({ text: operation.text, seen: seenOf(history.run(operation)) }));
    const ours = results(session).filter(({ command }) => !COMMENTS.slice(1, 4).includes(command));
    // settings have no results, and the process number that fork returns is its name in a script
    const plain = (seen: string): string => (/^\d+$/.test(seen) ? "done" : seen);
    expect(operations.length).toBeGreaterThan(30);
    expect(theirs.map(({ seen }) => plain(seen))).toEqual(ours.map(({ seen }) => plain(seen)));
    expect(text).toContain("# session.export.tool");
  });
});

/** Both forms on files, as far as a script has them. */
const SCRIPT_FILE_LINES = [
  'fd = open("/mnt/ext4/x", O_RDWR|O_CREAT|O_TRUNC, 0644)',
  "ftruncate(fd, 64k)",
  "a = mmap(NULL, 64k, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0)",
  "touch a 64k w v=7",
  "fsync(fd)",
  'pwrite(fd, "FFFF"..., 4096, 8192)',
  "fallocate(fd, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE, 0, 4096)",
  "pread(fd, a + 32k, 4096, 8192)",
  "mincore(a, 64k, vec)",
  'm = memfd_create("m", 0)',
  "ftruncate(m, 4M)",
  "b = mmap(NULL, 2M, PROT_READ|PROT_WRITE, MAP_PRIVATE, m, 4096)",
  "touch b 64k r",
  "close(m)",
  'r = open("/mnt/ext4/x", O_RDONLY)',
  "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, r, 0)",
  "mount T tmpfs huge=always,size=64M",
  "file F T 4M",
  "mmap A 4M rw shared file=F",
  "touch A 4M w",
  "falloc F punch 0 64k",
  "fwrite F 0 8k 9",
  "fread F 0 8k",
  "fadvise F 0 0 dontneed",
  "truncate F 1M",
  "memfd M 1M",
  "mmap B 1M rw shared file=M off=64k",
  "touch B 1M w",
  "memfd_close M",
  "unlink F",
  "drop_caches 1",
];

/** SysV shared memory in both forms; the segments are gone at the end. */
const SHM_LINES = [
  "prctl thp_disable 1",
  "s = shmget(IPC_PRIVATE, 64k, IPC_CREAT|0600)",
  "a = shmat(s, NULL, 0)",
  "touch a 64k w v=4",
  "r = shmat(s, NULL, SHM_RDONLY)",
  "touch r 64k r",
  "touch r w",
  "shmat(s, a, 0)",
  "shmat(s, NULL, SHM_REMAP)",
  "shmctl(s, IPC_STAT, &ds)",
  "shmget S 16k",
  "shmat A S",
  "touch A 16k w",
  "fork C",
  "@C shmdt A",
  "@C touch A r",
  "@C exit",
  "shmctl S rmid",
  "shmdt A",
  "shmdt A",
  "shmctl(s, IPC_RMID, NULL)",
  "shmdt(a)",
  "shmdt(r)",
  "shmat(s, NULL, 0)",
  "shmget(IPC_PRIVATE, 0, 0600)",
];

describe("a session on segments of shared memory", () => {
  it("gives the same results as a script, and as strace text", () => {
    const session = played(SHM_LINES);
    const { operations, errors } = parseScript(session.exportAs("script").text);
    expect(errors).toEqual([]);
    const history = new ScriptHistory(new World(findProfile("debian-6.18.15")!, { memoryMiB: 1024 }));
    const plain = (seen: string): string => (/^\d+$/.test(seen) ? "done" : seen);
    const theirs = operations.map((operation) => plain(seenOf(history.run(operation))));
    expect(theirs).toEqual(results(session).map(({ seen }) => plain(seen)));
    const again = newTestSession({ boot: { profile: findProfile("debian-6.18.15")!, memoryMiB: 1024 } });
    // that a child ended is no line of its own there
    const { text } = played(SHM_LINES.filter((line) => !/C\b/.test(line) || line.includes("IPC"))).exportAs("strace");
    for (const line of text.split("\n").filter((each) => !each.startsWith("#") && each !== "")) {
      const shown = again.submit(line).output.map((part) => part.text);
      expect(
        shown
          .join("")
          .split("\n")[0]
          .replace(/ds|\{shm.*\}/, ""),
        line,
      ).toBe(line.replace(/^\[pid +\d+\] /, "").replace(/ds|\{shm.*\}/, ""));
    }
  });
});

describe("a session on files", () => {
  it("gives the same results as a script", () => {
    const session = played(SCRIPT_FILE_LINES);
    const { operations, errors } = parseScript(session.exportAs("script").text);
    expect(errors).toEqual([]);
    const history = new ScriptHistory(new World(findProfile("debian-6.18.15")!, { memoryMiB: 1024 }));
    const theirs = operations.map((operation) => ({ text: operation.text, seen: seenOf(history.run(operation)) }));
    expect(theirs.filter(({ text }) => /^(touch|mincore|fread|fwrite)/.test(text)).map(({ seen }) => seen)).toEqual(
      results(session)
        .filter(({ command }) => /^(touch|mincore|fread|fwrite|p?write|pread)/.test(command))
        .map(({ seen }) => seen),
    );
    expect(theirs.filter(({ seen }) => /^E/.test(seen)).map(({ text }) => text)).toEqual([expect.stringContaining("rofile=/mnt/ext4/x")]);
    expect(operations.map(({ text }) => text.split(" ")[0]).filter((op) => op === "unlink" || op === "memfd_close" || op === "drop_caches")).toHaveLength(4);
  });

  it("can be pasted back from strace text", () => {
    // a mount is no call of a program here, so that what lies on it stays out
    const lines = SCRIPT_FILE_LINES.filter((line) => !/^(mount|touch|drop_caches)|\bF\b|\bA\b/.test(line));
    const session = played(lines);
    const { text } = session.exportAs("strace");
    const again = newTestSession({ boot: { profile: findProfile("debian-6.18.15")!, memoryMiB: 1024 } });
    for (const line of text.split("\n")) {
      if (line.startsWith("#") || line === "") continue;
      const shown = again.submit(line).output.map((part) => part.text);
      expect(shown.join("").split("\n")[0], line).toBe(line);
    }
    expect(text).toMatch(/^memfd_create\("M", 0\) = 20\d$/m);
    expect(again.exportAs("strace").text.split("\n").slice(1)).toEqual(text.split("\n").slice(1));
    const maps = (each: ShellSession): string =>
      each
        .submit("cat /proc/1/maps")
        .output.map((part) => part.text)
        .join("")
        .replaceAll("/memfd:M", "/memfd:m");
    expect(maps(again).replace(/\d+ +\//g, "/")).toBe(maps(session).replace(/\d+ +\//g, "/"));
  });
});

describe("a session as strace text", () => {
  it("can be pasted back", () => {
    const calls = LINES.filter((line) => !/touch|kread|brk|exit/.test(line));
    const session = played(calls);
    const { text } = session.exportAs("strace");
    const again = newTestSession({ boot: { profile: findProfile("debian-6.18.15")!, memoryMiB: 1024 } });
    for (const line of text.split("\n")) {
      const shown = again
        .submit(line)
        .output.map((part) => part.text)
        .join("");
      if (line.startsWith("#") || line === "") continue;
      expect(`${shown.split("\n")[0]}`, line).toBe(line.replace(/^\[pid +\d+\] /, ""));
      expect(shown).not.toContain("recordedErrno");
    }
    const maps = (each: ShellSession): string =>
      each
        .submit("cat /proc/1/maps")
        .output.map((part) => part.text)
        .join("");
    expect(maps(again)).toBe(maps(session));
    expect(again.exportAs("strace").text.split("\n").slice(1)).toEqual(text.split("\n").slice(1));
  });
});

/** Files of tmpfs, which every Linux has at /dev/shm; the last line takes the file away. */
const FILE_LINES = [
  "prctl thp_disable 1",
  'fd = open("/dev/shm/hugelab-export-test", O_RDWR|O_CREAT|O_EXCL, 0600)',
  "ftruncate(fd, 64k)",
  "a = mmap(NULL, 64k, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0)",
  "touch a 8k w v=7",
  "b = mmap(NULL, 64k, PROT_READ|PROT_WRITE, MAP_PRIVATE, fd, 4096)",
  "touch b 8k r",
  "touch b w v=9",
  "touch b+60k r",
  "pread(fd, a + 32k, 4096, 0)",
  'write(fd, "hello?? \\377\\n", 10)',
  "write(fd, a, 8192)",
  "lseek(fd, 0, SEEK_CUR)",
  "read(fd, a + 16k, 100)",
  "lseek(fd, 0, SEEK_END)",
  "read(fd, a + 16k, 100)",
  "fd2 = dup(fd)",
  "lseek(fd2, -1, SEEK_SET)",
  "fallocate(fd, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE, 0, 4096)",
  "fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096)",
  "fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096)",
  "fallocate(fd, FALLOC_FL_KEEP_SIZE, 64k, 4096)",
  "fallocate(fd, 0, 0, 0)",
  "posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)",
  "posix_fadvise(fd, 0, 0, 9)",
  "fsync(fd)",
  "fdatasync(77)",
  "fstat(fd, &st)",
  "msync(a, 64k, MS_SYNC)",
  "mincore(a, 64k, vec)",
  "ftruncate(fd, 4096)",
  "touch a 8k r",
  'ro = open("/dev/shm/hugelab-export-test", O_RDONLY)',
  "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, ro, 0)",
  "mmap(NULL, 4096, PROT_READ, MAP_SHARED_VALIDATE|MAP_SYNC, ro, 0)",
  "mmap(NULL, 8192, PROT_READ, MAP_SHARED, ro, 0x7ffffffffffff000)",
  "write(ro, a, 1)",
  "ftruncate(ro, 0)",
  "c = mmap(NULL, 4096, PROT_READ, MAP_SHARED, ro, 0)",
  "mprotect(c, 4096, PROT_READ|PROT_WRITE)",
  'm = memfd_create("m", MFD_CLOEXEC)',
  "ftruncate(m, 8192)",
  "pwrite(m, a, 4096, 4096)",
  "pread(m, NULL, 4096, 0)",
  "pread(m, a, 4096, -1)",
  "dup2(m, 20)",
  "close(m)",
  "close(m)",
  "fork C",
  "@C lseek(20, 5, SEEK_SET)",
  "@C close(20)",
  "@C exit",
  "lseek(20, 0, SEEK_CUR)",
  "lseek(20, 0, SEEK_DATA)",
  "lseek(20, 0, SEEK_HOLE)",
  'unlink("/dev/shm/hugelab-export-test")',
  'unlink("/dev/shm/hugelab-export-test")',
  'open("/dev/shm/hugelab-export-test", O_RDWR)',
  'open("/dev/shm/hugelab-export-test/", O_RDWR|O_CREAT, 0600)',
  'open("/dev/shm", O_RDWR)',
  "touch c r",
];

const compiler = ["cc", "gcc"].find((name) => spawnSync(name, ["--version"]).status === 0);

/** Text behind the number of the step, as the simulator would have it; null where another kernel may differ for a good reason. */
function expected(seen: string): RegExp {
  if (Object.hasOwn(ERRNOS, seen)) return new RegExp(`= -1 ${ERRNOS[seen].sentence}$`);
  const touched = /^(\d+) of (\d+) ?(\w*)$/.exec(seen);
  if (touched !== null) return new RegExp(`= ${touched[1]} of ${touched[2]}${touched[3] === "" ? "" : `, ${touched[3]}`}$`);
  if (/x/.test(seen)) return new RegExp(`= 0 ${seen}$`);
  return /^\d+$/.test(seen) ? new RegExp(`= ${seen}$`) : /= (?!-1)|exit$/;
}

/** Commands whose result in the program, built and run here, is not that of the session. */
function difference(lines: readonly string[], comments: readonly string[] = []): string[] {
  const session = played(lines);
  const folder = mkdtempSync(join(tmpdir(), "hugelab-export-"));
  try {
    writeFileSync(join(folder, "session.c"), session.exportAs("c").text);
    for (const level of ["-O0", "-O2"]) {
      const made = spawnSync(compiler as string, [level, "-Wall", "-Wextra", "-Werror", "-o", join(folder, "session"), join(folder, "session.c")], {
        encoding: "utf8",
      });
      expect(made.stderr).toBe("");
      expect(made.status).toBe(0);
    }
    const { stdout, status } = spawnSync(join(folder, "session"), { encoding: "utf8", timeout: 200_000 });
    expect(status, stdout).toBe(0);
    const printed = stdout.trimEnd().split("\n");
    const ours = results(session).filter(({ command }) => !comments.includes(command));
    expect(printed).toHaveLength(ours.length);
    return ours.flatMap(({ command, seen }, i) =>
      expected(/\bexit$|^shmget S/.test(command) ? "done" : seen).test(printed[i]) ? [] : [`${command}: ${seen}; here: ${printed[i]}`],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// a machine that has a compiler must be able to do this; the program needs no rights, but it is Linux it is for
describe.skipIf(compiler === undefined || process.platform !== "linux")(
  `a session as C (compiler: ${compiler ?? "none, skipped"}; kernel ${release()})`,
  () => {
    it("compiles without a warning, and sees on this kernel what it saw in the session", () => {
      expect(difference([...LINES, ...COMMENTS], COMMENTS.slice(0, 4))).toEqual([]);
    });

    it("sees of files on this kernel what it saw in the session", () => {
      expect(difference(FILE_LINES)).toEqual([]);
    });

    it("sees of shared memory on this kernel what it saw in the session", () => {
      expect(difference(SHM_LINES)).toEqual([]);
    });

    it("compiles whatever was typed", () => {
      const session = played([
        'echo "*/ int x; /*" \\',
        "echo ??/",
        "touch A w",
        "mmap A 4k rx private anon populate",
        "touch A x",
        "madvise A guard_install",
        "mseal A",
        "exit",
      ]);
      const made = spawnSync(compiler as string, ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", "-"], {
        input: session.exportAs("c").text,
        encoding: "utf8",
      });
      expect(made.stderr).toBe("");
    });
  },
);
