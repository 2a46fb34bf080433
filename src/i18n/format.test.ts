import { describe, expect, it } from "vitest";
import { formatMessage, say, sentence } from "./format.ts";

describe("formatMessage", () => {
  it("puts arguments into the template", () => {
    expect(formatMessage("cli.later", { name: "grade" })).toBe("hugelab grade: this command comes with a later release.");
    expect(sentence({ key: "cli.later", args: { name: 3 } })).toBe("hugelab 3: this command comes with a later release.");
    expect(say("cli.doctor.root")).toBe("root");
  });

  it("leaves a name without a value, and takes an argument as it is", () => {
    expect(formatMessage("cli.later")).toContain("hugelab {name}:");
    expect(formatMessage("cli.later", { name: "{name} $& $1" })).toContain("hugelab {name} $& $1:");
  });

  it("shows a key that has no template, with what belongs to it", () => {
    expect(formatMessage("kernel.newer", { pages: 3, why: "x" })).toBe("kernel.newer pages=3 why=x");
    expect(formatMessage("constructor")).toBe("constructor");
    expect(formatMessage("cli.later", Object.create({ name: "inherited" }) as Record<string, string>)).toContain("{name}");
  });

  it("is checked by the compiler", () => {
    // @ts-expect-error -- a name is missing
    say("cli.later", {});
    // @ts-expect-error -- the key does not exist
    say("cli.nothing");
    // @ts-expect-error -- the template takes nothing
    say("cli.doctor.root", { name: "x" });
  });
});
