import { describe, expect, it } from "vitest";
import type { ShellSession } from "./shellSession.ts";
import { newTestSession } from "./testSessions.ts";

/** Calls on files and descriptors of the C form. What this shows of errnos is also in errnoPages.test.ts; export.test.ts compares with the kernel of the machine. */

const said = (session: ShellSession, line: string): string =>
  session
    .submit(line)
    .output.map((part) => part.text)
    .join("");
const first = (session: ShellSession, line: string): string => said(session, line).split("\n")[0];

function played(...lines: string[]): ShellSession {
  const session = newTestSession();
  for (const line of lines) expect(first(session, line), line).not.toMatch(/= -1|error/);
  return session;
}

const OPEN = 'fd = open("/mnt/tmp/a", O_RDWR|O_CREAT, 0600)';

describe("descriptors", () => {
  it("are the lowest free numbers, each process has its own, and files have one position for all", () => {
    const session = played(OPEN, 'b = memfd_create("x", MFD_CLOEXEC)', "close(fd)", 'c = open("/mnt/tmp/a", O_WRONLY|O_APPEND)', "d = dup(c)", "fork C");
    expect(said(session, "ls -l /proc/self/fd").split("\n")).toEqual([
      "0 -> /dev/pts/0",
      "1 -> /dev/pts/0",
      "2 -> /dev/pts/0",
      "3 -> /mnt/tmp/a",
      "4 -> /memfd:x (deleted)",
      "5 -> /mnt/tmp/a",
      "",
    ]);
    expect(first(session, '@C write(d, "hello", 5)')).toBe('write(5, "hello", 5) = 5');
    expect(said(session, "cat /proc/1/fdinfo/3")).toContain("pos:\t5\nflags:\t0102001\n");
    expect(said(session, "cat /proc/1/fdinfo/4")).toContain("flags:\t02100002\n");
    expect(first(session, "@C close(3)")).toBe("close(3) = 0");
    expect(first(session, "@C close(3)")).toBe("close(3) = -1 EBADF (Bad file descriptor)");
    expect(first(session, "lseek(3, 0, SEEK_CUR)")).toBe("lseek(3, 0, SEEK_CUR) = 5");
    expect(session.world.machine.check()).toEqual([]);
  });

  it("are state: undo takes them back, and they count in its hash", () => {
    const session = played(OPEN);
    const hash = session.world.machine.hash();
    session.submit("close(fd)");
    expect(session.world.machine.hash()).not.toBe(hash);
    session.submit("undo");
    expect(session.world.machine.hash()).toBe(hash);
    expect(first(session, "ftruncate(fd, 4096)")).toBe("ftruncate(3, 4096) = 0");
  });

  it("keep files without a name alive, as mappings do", () => {
    const session = played(OPEN, "ftruncate(fd, 8192)", "m = mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0)", 'unlink("/mnt/tmp/a")');
    expect(said(session, "ls /mnt/tmp")).toBe("");
    expect(said(session, "cat /proc/self/maps")).toMatch(/rw-s 00000000 .* \/mnt\/tmp\/a \(deleted\)/);
    session.submit("close(fd)");
    expect(first(session, "touch m w v=3")).toMatch(/touchOne/);
    session.submit("munmap(m, 8192)");
    expect([...session.world.machine.kernel.inodes.entries()].filter(([, inode]) => inode.path.startsWith("/mnt/tmp"))).toEqual([]);
    expect(session.world.machine.check()).toEqual([]);
  });

  it("go with their process", () => {
    const session = played("fork C", '@C fd = memfd_create("x", 0)', "@C ftruncate(fd, 4096)", "@C exit");
    expect([...session.world.machine.kernel.files.entries()]).toEqual([]);
    expect(session.world.machine.check()).toEqual([]);
  });
});

describe("reading and writing", () => {
  it("moves bytes between memory and files", () => {
    const session = played(OPEN, "a = mmap(NULL, 64k, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)", "touch a+100 w v=7", "touch a+5000 w v=9");
    expect(first(session, "write(fd, a + 50, 8192)")).toMatch(/= 8192$/);
    expect(first(session, 'pwrite(fd, "\\x41B\\103\\n", 4, 4096)')).toBe('pwrite(3, "ABC\\n", 4, 4096) = 4');
    expect(first(session, "pread(fd, a + 32k, 8192, 0)")).toMatch(/= 8192$/);
    for (const [at, value] of [
      [50, 7],
      [4950, 9],
      [4096, 0x41],
      [4099, 10],
      [4100, 0],
    ])
      expect(first(session, `touch a+32k+${at} r`), `${at}`).toContain(`"0x${value.toString(16).padStart(2, "0")}"`);
    expect(first(session, "fstat(fd, &st)")).toBe("fstat(3, {st_mode=S_IFREG|0600, st_nlink=1, st_size=8192, ...}) = 0");
    expect(first(session, "read(fd, a, 100)")).toMatch(/= 0$/);
    // the buffer ends in the middle
    expect(first(session, "pread(fd, a + 60k, 8192, 0)")).toMatch(/= 4096$/);
    expect(session.world.machine.check()).toEqual([]);
  });

  it("finds data and holes of tmpfs", () => {
    const session = played(OPEN, "ftruncate(fd, 64k)", 'pwrite(fd, "x", 1, 8192)');
    expect(first(session, "lseek(fd, 0, SEEK_DATA)")).toMatch(/= 8192$/);
    expect(first(session, "lseek(fd, 8193, SEEK_HOLE)")).toMatch(/= 12288$/);
    expect(first(session, "lseek(fd, 12k, SEEK_DATA)")).toMatch(/ENXIO/);
  });

  it("reads a whole folder of lines of strace as they were recorded", () => {
    const session = played();
    for (const line of [
      'openat(AT_FDCWD, "/mnt/ext4/lib.so", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 7',
      'write(7, "\\177ELF\\2\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\3\\0>\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0"..., 8192) = 8192',
      "lseek(7, 0, SEEK_SET) = 0",
      'read(7, "\\177ELF\\2\\1\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\3\\0>\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0"..., 832) = 832',
      "fstat(7, {st_mode=S_IFREG|0644, st_size=8192, ...}) = 0",
      "mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_DENYWRITE, 7, 0) = 0x7ffff7000000",
      "fadvise64(7, 0, 0, POSIX_FADV_SEQUENTIAL) = 0",
      "close(7) = 0",
    ]) {
      const shown = said(session, line);
      expect(shown.split("\n")[0].split(" = ").pop(), line).toBe(line.split(" = ").pop());
    }
    expect(said(session, "cat /proc/self/maps")).toMatch(/^7ffff7000000-7ffff7002000 r--p .* \/mnt\/ext4\/lib.so$/m);
  });
});

describe("paths", () => {
  it("begin where the shell is, and lead nowhere but to mounts", () => {
    const session = played("cd /mnt/ext4", 'f = open("./b/../x", O_RDWR|O_CREAT, 0666)');
    expect(first(session, "fstat(f, &st)")).toContain("S_IFREG|0644");
    expect(said(session, "ls /mnt/ext4")).toBe("x\n");
    expect(first(session, 'open("/mnt/ext4/x/", O_RDONLY)')).toContain("ENOTDIR");
    expect(first(session, 'open("/proc/self/maps", O_RDONLY)')).toContain("session.later");
    expect(said(session, "cat x")).toContain("EOPNOTSUPP");
  });
});
