/** How keys are written for a person, and whether an event means them. */
import { matchKeybindingPress, parseKeybinding } from "tinykeys";

const NAMES: Readonly<Record<string, string>> = { "=": "+", "-": "−", ArrowLeft: "←", ArrowRight: "→" };

/** The parts of a key in the form of tinykeys, as a person reads them: "$mod+Shift+p" is ["Ctrl", "Shift", "P"]. */
export function keyParts(keys: string, isMac: boolean): readonly string[] {
  // the plus sign itself never stands in a table: "=" does
  const parts = keys.split("+").filter((part) => !part.startsWith("["));
  return parts.map((part) => {
    if (/^(Digit|Key)./.test(part)) return part.slice(-1);
    if (part === "$mod") return isMac ? "⌘" : "Ctrl";
    if (part === "Alt") return isMac ? "⌥" : "Alt";
    if (Object.hasOwn(NAMES, part)) return NAMES[part];
    return part.length === 1 ? part.toUpperCase() : part;
  });
}

/** aria-keyshortcuts has its own way to write them. */
export function ariaKeys(keys: readonly string[], isMac: boolean): string {
  return keys.map((each) => each.replace("$mod", isMac ? "Meta" : "Control").replace(/\[\w+\]\+|Digit|Key/g, "")).join(" ");
}

/** Does the event mean these keys? */
export function matchesKeys(event: KeyboardEvent, keys: string): boolean {
  const presses = parseKeybinding(keys);
  return presses.length === 1 && matchKeybindingPress(event, presses[0]);
}
