/** Commands of the app as data: one table makes the shortcuts, the palette and the list of keys. */
import { matchesKeys } from "./keys.ts";

export type CommandGroup = "go" | "history" | "pictures" | "session" | "look" | "help";

export interface Command {
  readonly id: string;
  readonly group: CommandGroup;
  readonly label: string;
  /** other words that somebody may look for */
  readonly keywords: readonly string[];
  readonly keys: readonly string[];
  /** can it be done now? */
  readonly when: () => boolean;
  readonly run: () => void;
}

/** Where the key was pressed: in the terminal the line editor comes first, in a field its text. */
export type KeyPlace = "terminal" | "field" | "elsewhere";

/** Keys that the line editor and fields of a form leave alone: function keys, and Alt with what no word movement uses. */
function freeIn(place: KeyPlace, keys: string): boolean {
  if (place === "elsewhere") return true;
  if (/(^|\+)F\d+$/.test(keys)) return true;
  return keys.includes("Alt+") || (place === "field" && /^\$mod\+[k/.]$/.test(keys)) || keys === "$mod+.";
}

/** The command that a key means here and now, or null. */
export function commandFor(commands: readonly Command[], event: KeyboardEvent, place: KeyPlace): Command | null {
  for (const command of commands) {
    if (!command.keys.some((keys) => freeIn(place, keys) && matchesKeys(event, keys))) continue;
    if (command.when()) return command;
  }
  return null;
}

/** The letters of `query` in this order in `text`; a lower number is a better match, null is none. */
function distance(text: string, query: string): number | null {
  const at = text.indexOf(query);
  if (at !== -1) return at === 0 ? 0 : text[at - 1] === " " ? 1 : 2;
  let from = 0;
  let gaps = 0;
  for (const character of query) {
    const next = text.indexOf(character, from);
    if (next === -1) return null;
    gaps += next - from;
    from = next + 1;
  }
  return 10 + gaps;
}

/** Commands that can be done now and match what was typed, the best first; without a query all, in the order of the table. */
export function findCommands(commands: readonly Command[], typed: string): readonly Command[] {
  const possible = commands.filter((command) => command.when());
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return possible;
  const scored = possible.flatMap((command, order) => {
    // somebody who types a label means it
    if (command.label.toLowerCase().includes(words.join(" "))) return [{ command, score: -1, order }];
    const texts = [command.label, ...command.keywords].map((text) => text.toLowerCase());
    let score = 0;
    for (const word of words) {
      const found = texts.map((text, i) => {
        const far = distance(text, word);
        return far === null ? Infinity : far + (i === 0 ? 0 : 3);
      });
      score += Math.min(...found);
    }
    // letters scattered over a whole sentence are no match that anybody meant
    return score < 30 * words.length ? [{ command, score, order }] : [];
  });
  return scored.sort((a, b) => a.score - b.score || a.order - b.order).map(({ command }) => command);
}
