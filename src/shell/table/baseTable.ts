import { CALL_ROWS } from "./callRows.ts";
import { COMMAND_ROWS } from "./commandRows.ts";
import type { CommandSpec } from "./commandSpec.ts";
import { composeCommandTable, type CommandTable } from "./commandTable.ts";
import { TOOL_ROWS } from "./toolRows.ts";

/** The table of this layer with the rows that later layers add (`undo`, `diff`, `hint`, ..). */
export function makeCommandTable(...layers: readonly (readonly CommandSpec[])[]): CommandTable {
  return composeCommandTable(CALL_ROWS, COMMAND_ROWS, TOOL_ROWS, ...layers);
}
