import type { ExportForm } from "../model.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import { cText } from "./cText.ts";
import type { PathStep } from "./pathSteps.ts";
import { scriptText } from "./scriptText.ts";
import { straceText } from "./straceText.ts";

/** The machine that the commands ran on, for the heading. */
export interface ExportMachine {
  readonly profile: string;
  readonly patches: readonly string[];
  readonly config: readonly (readonly [path: string, value: string])[];
  /** names of the command form, in the order of their slots */
  readonly names: readonly string[];
}

const FILE_NAMES: Readonly<Record<ExportForm, string>> = { script: "hugelab.txt", strace: "hugelab.strace", c: "hugelab.c" };

/** The steps in another form, with the name of the file that would hold them. */
export function exportSteps(form: ExportForm, steps: readonly PathStep[], machine: ExportMachine, render: RenderMessage): { fileName: string; text: string } {
  const say = (key: string, args: Readonly<Record<string, string | number>> = {}): string => render({ key, args });
  const heading = [
    say("session.export.made", { profile: machine.profile }),
    ...(machine.patches.length > 0 ? [say("session.export.patches", { patches: machine.patches.join(" ") })] : []),
  ];
  const text =
    form === "script" ? scriptText(steps, heading, machine, say) : form === "strace" ? straceText(steps, heading) : cText(steps, heading, machine, say);
  return { fileName: FILE_NAMES[form], text };
}
