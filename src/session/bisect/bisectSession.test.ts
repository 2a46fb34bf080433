import { describe, expect, it } from "vitest";
import { kernelMessagesEn } from "../../kernel/messages.en.ts";
import { findProfile, type Profile } from "../../kernel/profile/profile.ts";
import { renderer } from "../../shell/renderMessage.ts";
import { shellMessagesEn } from "../../shell/messages.en.ts";
import { sessionMessagesEn } from "../messages.en.ts";
import { terminalMessagesEn } from "../messages.enTerminal.ts";
import { ShellSession } from "../shellSession.ts";

const render = renderer({ ...kernelMessagesEn, ...shellMessagesEn, ...sessionMessagesEn, ...terminalMessagesEn });

function sessionOn(profile: string, lines: readonly string[]): ShellSession {
  const session = new ShellSession({ boot: { profile: findProfile(profile) as Profile }, render });
  for (const line of lines) session.submit(line);
  return session;
}

const say = (session: ShellSession, line: string): string[] =>
  session
    .submit(line)
    .output.map(({ text }) => text)
    .join("")
    .trimEnd()
    .split("\n");

const LINES = ["echo always > /sys/kernel/mm/transparent_hugepage/enabled", "mmap A 2M rw private anon", "touch A r", "touch A w"];

describe("bisect in the terminal", () => {
  it("names the change behind the first line that prints something else, and leaves the session where it is", () => {
    const session = sessionOn("upstream-6.18", LINES);
    const before = session.history.current;
    const lines = say(session, "bisect 6.12");
    expect(lines[0]).toBe("State 4: touch A w");
    expect(lines.join("\n")).toContain("huge-zero-write: a write to the huge zero folio allocates a THP");
    expect(lines.join("\n")).toContain("That change alone makes Linux 6.12");
    expect(session.history.current).toBe(before);
    expect(say(session, "bisect upstream-6.12 4")).toEqual(lines);
  });

  it("has nothing to look for where both print the same", () => {
    const session = sessionOn("upstream-6.18", LINES.slice(0, 3));
    expect(say(session, "bisect 6.17").join("\n")).toContain("prints the same for every line");
    expect(say(session, "bisect 6.17 2").join("\n")).toContain("prints the same for this line");
  });

  it("says what is wrong with its words", () => {
    const session = sessionOn("upstream-6.18", LINES);
    for (const [line, text] of [
      ["bisect", "name a machine"],
      ["bisect 6.12 1 2", "name a machine"],
      ["bisect upstream-6.21", "did you mean upstream-6."],
      ["bisect windows", "there is no profile or release windows"],
      ["bisect 6.12 99", "state 99 is none of those"],
      ["bisect 6.12 x", "state x is none of those"],
    ]) {
      expect(say(session, line).join("\n")).toContain(text);
    }
  });

  it("offers profiles and releases", () => {
    const session = sessionOn("upstream-6.18", []);
    const offered = (line: string): string[] => session.complete(line, line.length).candidates.map(({ text }) => text);
    expect(offered("bisect 6.1")).toContain("6.12");
    expect(offered("bisect debian-6.1")).toContain("debian-6.12.107");
  });
});
