import type { ProgramReport } from "../../conform/model.ts";
import { exampleText, kindText, programLines } from "../../conform/program/programText.ts";
import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { ProgramView } from "../api/labApi.ts";

/** A replay with finished sentences, and as text. */
export function programView(report: ProgramReport, render: RenderMessage): ProgramView {
  return {
    ...report,
    kinds: report.kinds.map((kind) => ({ what: kindText(kind, render), count: kind.count, example: exampleText(kind, render) })),
    differences: report.differences.map(({ event, what, reason }) => ({ event, what: render(what), reason: render(reason) })),
    twin: programLines(report, render),
  };
}
