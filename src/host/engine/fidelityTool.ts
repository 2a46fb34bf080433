import type { SessionExtension } from "../../session/shellSession.ts";
import { row } from "../../shell/table/rowHelpers.ts";
import { success, textOfLines } from "../../shell/tools/tool.ts";
import type { FidelityView } from "../api/labApi.ts";
import { hostManEn } from "./man.en.ts";

/** `fidelity` in the terminal: the same lines as the view's text twin. */
export function fidelityExtension(view: FidelityView): SessionExtension {
  return {
    rows: [row("tool", "fidelity", [], { seeAlso: ["era", "dmesg"] })],
    tools: { fidelity: () => success(textOfLines(view.twin)) },
    man: hostManEn,
  };
}
