import { describe, expect, it } from "vitest";
import { SHORTCUTS } from "../../host/api/shortcuts.ts";
import { ariaKeys, keyParts, matchesKeys } from "./keys.ts";
import { commandFor, findCommands, type Command } from "./registry.ts";

/** A key press as the browser reports it. */
function press(key: string, modifiers: readonly string[] = [], code = key): KeyboardEvent {
  return { key, code, getModifierState: (name: string) => modifiers.includes(name) } as unknown as KeyboardEvent;
}

const command = (id: string, label: string, keys: readonly string[], more: Partial<Command> = {}): Command => ({
  id,
  group: "go",
  label,
  keywords: [],
  keys,
  when: () => true,
  run: () => undefined,
  ...more,
});

const COMMANDS = [
  command("palette", "Find a command", SHORTCUTS.palette),
  command("keys", "List of keys", SHORTCUTS.keys),
  command("back", "One step back", SHORTCUTS.stepBack, { keywords: ["undo", "rewind"] }),
  command("twin", "Pictures as text", SHORTCUTS.twin),
  command("stop", "Stop the command that runs", SHORTCUTS.stop),
];

describe("commandFor", () => {
  const idOf = (event: KeyboardEvent, place: Parameters<typeof commandFor>[2]): string | null => commandFor(COMMANDS, event, place)?.id ?? null;

  it("finds the command of a key", () => {
    expect(idOf(press("k", ["Control"]), "elsewhere")).toBe("palette");
    expect(idOf(press("?", ["Shift"]), "elsewhere")).toBe("keys");
    expect(idOf(press("t", ["Alt"], "KeyT"), "elsewhere")).toBe("twin");
    // Alt makes another character of it on a Mac
    expect(idOf(press("†", ["Alt"], "KeyT"), "elsewhere")).toBe("twin");
    expect(idOf(press("k"), "elsewhere")).toBeNull();
    expect(idOf(press("k", ["Control", "Shift"]), "elsewhere")).toBeNull();
  });

  it("leaves the keys of the line editor to the terminal", () => {
    for (const key of ["k", "z", "y", "r", "c", "l"]) expect(idOf(press(key, ["Control"]), "terminal")).toBeNull();
    expect(idOf(press("?", ["Shift"]), "terminal")).toBeNull();
    expect(idOf(press("F1"), "terminal")).toBe("palette");
    expect(idOf(press("F8"), "terminal")).toBe("back");
    expect(idOf(press("t", ["Alt"], "KeyT"), "terminal")).toBe("twin");
    expect(idOf(press(".", ["Control"]), "terminal")).toBe("stop");
  });

  it("leaves a field its text and its own undo", () => {
    expect(idOf(press("?", ["Shift"]), "field")).toBeNull();
    expect(idOf(press("z", ["Control"]), "field")).toBeNull();
    expect(idOf(press("k", ["Control"]), "field")).toBe("palette");
  });

  it("passes over what cannot be done now", () => {
    const never = command("never", "x", ["F1"], { when: () => false });
    expect(commandFor([never, ...COMMANDS], press("F1"), "elsewhere")?.id).toBe("palette");
  });
});

describe("findCommands", () => {
  const ids = (typed: string): string[] => findCommands(COMMANDS, typed).map(({ id }) => id);

  it("gives all in their order without a query", () => {
    expect(ids("")).toEqual(COMMANDS.map(({ id }) => id));
  });

  it("finds by label, by other words and by letters in order, the best first", () => {
    expect(ids("undo")[0]).toBe("back");
    expect(ids("command")[0]).toBe("palette");
    expect(ids("pic tex")).toEqual(["twin"]);
    expect(ids("keys list")).toEqual(["keys"]);
    expect(ids("qqq")).toEqual([]);
  });

  it("takes a label that has what was typed before any other match", () => {
    const colours = ["light", "dark", "high contrast"].map((name) =>
      command(name, `Colours: ${name}`, [], { keywords: ["theme", "high contrast", "colours"] }),
    );
    for (const { id, label } of colours) expect(findCommands(colours, label)[0].id).toBe(id);
  });

  it("leaves out what cannot be done now", () => {
    expect(findCommands([command("never", "Never", [], { when: () => false })], "never")).toEqual([]);
  });
});

describe("keys", () => {
  it("are written for a person", () => {
    expect(keyParts("$mod+Shift+z", false)).toEqual(["Ctrl", "Shift", "Z"]);
    expect(keyParts("$mod+k", true)).toEqual(["⌘", "K"]);
    expect(keyParts("Alt+Digit1", false)).toEqual(["Alt", "1"]);
    expect(keyParts("[Shift]+?", false)).toEqual(["?"]);
    expect(ariaKeys(["F8", "$mod+z", "Alt+KeyT"], false)).toBe("F8 Control+z Alt+T");
  });

  it("are one press each, and no two commands have the same", () => {
    const all = Object.values(SHORTCUTS).flat();
    expect(new Set(all).size).toBe(all.length);
    for (const keys of all) expect(keys.trim().split(" ")).toHaveLength(1);
    expect(matchesKeys(press("F6", ["Shift"]), "F6")).toBe(false);
    expect(matchesKeys(press("F6", ["Shift"]), "Shift+F6")).toBe(true);
  });
});
