/** Where in the page a key was pressed. */
import type { KeyPlace } from "./registry.ts";

export const isMac = navigator.userAgent.includes("Mac");

export function placeOf(target: EventTarget | null): KeyPlace {
  if (!(target instanceof Element)) return "elsewhere";
  if (target.closest(".xterm") !== null) return "terminal";
  return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") === null ? "elsewhere" : "field";
}
