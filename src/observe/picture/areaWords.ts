import type { Kernel } from "../../kernel/mm/kernel.ts";
import type { Vma } from "../../kernel/mm/records.ts";
import { VM } from "../../kernel/mm/vmFlags.ts";
import { vmaName } from "../taskText.ts";
import type { Say } from "./context.ts";
import type { AreaRow } from "./model.ts";

/** What an area is and allows, in words: `private anonymous memory, read and write, huge pages advised`. */
export function areaLabel(say: Say, k: Kernel, vma: Vma): string {
  const { flags } = vma;
  const name = vmaName(k, vma);
  const kind = name === "" ? say("observe.area.anonymous") : name === "[heap]" ? say("observe.area.heap") : say("observe.area.named", { name });
  const access = (flags & VM.write) !== 0 ? "write" : (flags & VM.read) !== 0 ? "read" : "none";
  const words = [kind, say(`observe.access.${access}`)];
  if ((flags & VM.exec) !== 0) words.push(say("observe.area.exec"));
  if ((flags & VM.hugePage) !== 0) words.push(say("observe.area.hugePage"));
  if ((flags & VM.noHugePage) !== 0) words.push(say("observe.area.noHugePage"));
  if ((flags & VM.locked) !== 0) words.push(say("observe.area.locked"));
  if ((flags & VM.growsDown) !== 0) words.push(say("observe.area.growsDown"));
  return words.join(", ");
}

/** The VmFlags that occur, each with its meaning (Documentation/filesystems/proc.rst has the list). */
export function flagMeanings(say: Say, areas: readonly AreaRow[]): { readonly flag: string; readonly meaning: string }[] {
  const flags = [...new Set(areas.flatMap((area) => area.vmFlags))];
  return flags.map((flag) => ({ flag, meaning: say(`observe.vmFlag.${flag === "??" ? "unnamed" : flag}`) }));
}
