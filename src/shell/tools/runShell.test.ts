import * as fc from "fast-check";
import { expect, it } from "vitest";
import { manEn } from "../man/man.en.ts";
import { shellMessagesEn } from "../messages.en.ts";
import { renderer } from "../renderMessage.ts";
import { makeCommandTable } from "../table/baseTable.ts";
import type { FileAccess } from "./fileAccess.ts";
import { parseShell } from "./parseShell.ts";
import { runShell, type ShellEnvironment } from "./runShell.ts";

const render = renderer(shellMessagesEn);
const SMAPS = "Size:   8 kB\nRss:    4 kB\nAnonHugePages:  0 kB\nSize:  16 kB\nRss:   16 kB\n";

/** A machine of three files, one of which takes only known values. */
function machine(): { environment: ShellEnvironment; contents: Map<string, string> } {
  const contents = new Map([
    ["/proc/self/smaps", SMAPS],
    ["/sys/enabled", "always [madvise] never\n"],
    ["/names", "b 2\na 10\nb 2\nc 1\n"],
  ]);
  const files: FileAccess = {
    read: (path) => {
      const data = contents.get(path);
      return data === undefined ? { kind: "errno", errno: path === "/sys" ? "EISDIR" : "ENOENT" } : { kind: "data", data };
    },
    write: (path, text, append) => {
      if (path === "/sys/enabled" && !["always", "madvise", "never"].includes(text.trim())) return "EINVAL";
      contents.set(path, append ? (contents.get(path) ?? "") + text : text);
      return null;
    },
    list: (path) => {
      if (contents.has(path)) return { kind: "errno", errno: "ENOTDIR" };
      const prefix = path === "/" ? "/" : `${path}/`;
      const below = [...contents.keys()].filter((file) => file.startsWith(prefix)).map((file) => file.slice(prefix.length).split("/"));
      if (below.length === 0) return { kind: "errno", errno: "ENOENT" };
      return {
        kind: "entries",
        entries: [...new Set(below.map(([name]) => name))].map((name) => ({
          name,
          directory: below.some(([first, second]) => first === name && second !== undefined),
        })),
      };
    },
  };
  const environment = {
    files,
    directory: "/",
    variables: new Map([
      ["d", "/proc/self"],
      ["two", "a b"],
    ]),
    table: makeCommandTable(),
    language: { texts: manEn, render },
  };
  return { environment, contents };
}

/** Runs a line; output and sentences as a terminal shows them, then the status. */
function run(line: string, { environment } = machine()): string {
  const result = parseShell(line, 1);
  if (result.kind === "error") return render(result.error.message);
  const outcome = runShell(result.list, environment);
  return outcome.output.map((part) => (part.stream === "out" ? part.text : `${render(part.message)}\n`)).join("") + outcome.status;
}

it.each([
  ["cat /proc/self/smaps", `${SMAPS}0`],
  ["cat /none /names", "cat: /none: ENOENT\nb 2\na 10\nb 2\nc 1\n1"],
  ["grep Rss /proc/self/smaps", "Rss:    4 kB\nRss:   16 kB\n0"],
  ["grep -c Rss $d/smaps", "2\n0"],
  ["grep -n -i anonhuge < /proc/self/smaps", "3:AnonHugePages:  0 kB\n0"],
  ["grep -v kB /proc/self/smaps", "1"],
  ["grep -A1 Anon /proc/self/smaps", "AnonHugePages:  0 kB\nSize:  16 kB\n0"],
  ["grep -B1 Anon /proc/self/smaps", "Rss:    4 kB\nAnonHugePages:  0 kB\n0"],
  ["grep -E '^(Rss|Anon)' /proc/self/smaps | wc -l", "3\n0"],
  ["grep -q Rss /proc/self/smaps && echo yes || echo no", "yes\n0"],
  ["grep -q rss /proc/self/smaps && echo yes || echo no", "no\n0"],
  ["grep '(' -E /names", "grep: a bracket in ( has no partner\n2"],
  ["sort /names | uniq -c | sort -rn | head -1", "      2 b 2\n0"],
  ["sort -k2 -n -u /names", "c 1\nb 2\na 10\n0"],
  ["cut -d ' ' -f 2 /names | tail -n 2", "2\n1\n0"],
  ["tail -n +3 /names", "b 2\nc 1\n0"],
  ["echo hello | tr a-z A-Z", "HELLO\n0"],
  ["echo aabb | tr -s ab | tr -d b", "a\n0"],
  ["wc /names", " 4  8 17 /names\n0"],
  ["echo \"$two\" '$two' $two \\$two # not this", "a b $two a b $two\n0"],
  ["x=5; echo ${x}$none.", "5.\n0"],
  ["false; echo $?", "1\n0"],
  ["cd /proc; pwd; ls", "/proc\nself\n0"],
  ["cd /proc/self/../..; pwd", "/\n0"],
  ["cd /nowhere", "cd: /nowhere: ENOENT\n1"],
  ["ls -F", "names\nproc/\nsys/\n0"],
  ["echo -n", "0"],
  ["gerp Rss", "gerp: there is no such command; did you mean grep?\n127"],
  ["zzzzzzz", "zzzzzzz: there is no such command; help lists them\n127"],
  ["cat 'open", "this quote is not closed on this line"],
  ["cat | ", 'a command is missing beside "|"'],
  ["echo x >", 'a file is missing behind ">"'],
  ["echo $(ls)", '"$" is not part of this shell'],
  ["echo x 2> /dev/null", '"2>" is not part of this shell'],
  ["echo x & echo y", '"&" is not part of this shell'],
  ["echo x > $two", "the target of a redirection must be one word\n1"],
  ["man 2 mnap", "there is no page mnap; did you mean mmap?\n16"],
  ["man 1 mmap", "the page mmap is in section 2\n16"],
])("%s", (line, expected) => expect(run(line)).toBe(expected));

it("writes files and reports what the kernel refuses", () => {
  const world = machine();
  expect(run("echo always > /sys/enabled", world)).toBe("0");
  expect(world.contents.get("/sys/enabled")).toBe("always\n");
  expect(run("echo sometimes > /sys/enabled", world)).toBe("echo: /sys/enabled: write error: EINVAL\n1");
  expect(run("echo a > /f; echo b >> /f; cat /f", world)).toBe("a\nb\n0");
});

it("shows manual pages and help", () => {
  expect(run("man 2 mremap")).toContain("ERRORS");
  expect(run("help")).toContain("MAP".toLowerCase());
  expect(run("help touch")).toContain("touch ADDRESS [LEN]");
});

it("stops what would grow without end", () => {
  expect(run(`a=${"x".repeat(40_000)}; a=$a$a; a=$a$a`)).toContain("stopped");
});

it("never throws", () => {
  const words = fc.constantFrom(
    "cat",
    "grep",
    "sort",
    "-k",
    "-n",
    "head",
    "tail",
    "cut",
    "-f",
    "tr",
    "uniq",
    "ls",
    "cd",
    "man",
    "help",
    "wc",
    "|",
    ";",
    "&&",
    "||",
    ">",
    "<",
    "/names",
    "'",
    '"',
    "$",
    "$x",
    "a=1",
    "[a",
    "-1",
    "-A",
    "\\",
    "#",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.array(words, { maxLength: 15 }).map((all) => all.join(" ")),
      ),
      (line) => void run(line),
    ),
    { numRuns: 3000 },
  );
});
