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

const compiler = ["cc", "gcc"].find((name) => spawnSync(name, ["--version"]).status === 0);

/** Text behind the number of the step, as the simulator would have it; null where another kernel may differ for a good reason. */
function expected(seen: string): RegExp {
  if (Object.hasOwn(ERRNOS, seen)) return new RegExp(`= -1 ${ERRNOS[seen].sentence}$`);
  const touched = /^(\d+) of (\d+) ?(\w*)$/.exec(seen);
  if (touched !== null) return new RegExp(`= ${touched[1]} of ${touched[2]}${touched[3] === "" ? "" : `, ${touched[3]}`}$`);
  return /x/.test(seen) ? new RegExp(`= 0 ${seen}$`) : /= (?!-1)|exit$/;
}

// a machine that has a compiler must be able to do this; the program needs no rights, but it is Linux it is for
describe.skipIf(compiler === undefined || process.platform !== "linux")(
  `a session as C (compiler: ${compiler ?? "none, skipped"}; kernel ${release()})`,
  () => {
    it("compiles without a warning, and sees on this kernel what it saw in the session", () => {
      const session = played([...LINES, ...COMMENTS]);
      const { text } = session.exportAs("c");
      const folder = mkdtempSync(join(tmpdir(), "hugelab-export-"));
      try {
        writeFileSync(join(folder, "session.c"), text);
        for (const level of ["-O0", "-O2"]) {
          const made = spawnSync(compiler as string, [level, "-Wall", "-Wextra", "-Werror", "-o", join(folder, "session"), join(folder, "session.c")], {
            encoding: "utf8",
          });
          expect(made.stderr).toBe("");
          expect(made.status).toBe(0);
        }
        const { stdout, status } = spawnSync(join(folder, "session"), { encoding: "utf8", timeout: 200_000 });
        expect(status, stdout).toBe(0);
        const lines = stdout.trimEnd().split("\n");
        const ours = results(session).filter(({ command }) => !COMMENTS.slice(0, 4).includes(command));
        expect(lines).toHaveLength(ours.length);
        for (const [i, { command, seen }] of ours.entries()) expect(lines[i], command).toMatch(expected(seen));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
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
