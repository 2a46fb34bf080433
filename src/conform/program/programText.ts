import type { RenderMessage } from "../../shell/renderMessage.ts";
import { percent } from "../judge.ts";
import type { FaultKind, ProgramReport } from "../model.ts";
import { sizeText } from "../sweep/sweepText.ts";

/** A replay as text: what the picture of it shows, in lines. */

/** lines of RSS */
const POINT_LINES = 12;

const MIB = 1 << 20;
const mib = (bytes: number): string => (bytes / MIB).toFixed(1);

export const kindText = ({ id, order }: FaultKind, render: RenderMessage): string =>
  render({ key: `conform.program.kind.${id}`, args: { size: sizeText(order) } });

/** Where the first fault of a kind was. */
export const exampleText = (kind: FaultKind, render: RenderMessage): string =>
  render({ key: "conform.program.firstFault", args: { event: kind.firstEvent, address: `0x${kind.firstAddress.toString(16)}` } });

export function programLines(report: ProgramReport, render: RenderMessage): string[] {
  const say = (name: string, args: Readonly<Record<string, string | number>> = {}): string => render({ key: `conform.program.${name}`, args });
  const { name, what, kernel, thpEnabled, profile, faults, faultsAgree, rss, rssAgree, points, kinds, differences, more } = report;
  const stride = Math.max(1, Math.ceil(points.length / POINT_LINES));
  const shown = points.filter((_, at) => at % stride === 0 || at === points.length - 1);
  return [
    say("head", { name, what, kernel, thp: thpEnabled, profile }),
    say("agree", { agree: faultsAgree, faults, percent: percent(faultsAgree, faults), rssAgree, rss }),
    "",
    say("rssHead"),
    ...shown.map((p) =>
      say("rssLine", {
        event: p.event,
        anon: mib(p.anonBytes),
        file: mib(p.fileBytes),
        recordedAnon: mib(p.recordedAnonBytes),
        recordedFile: mib(p.recordedFileBytes),
      }),
    ),
    "",
    say("kindsHead"),
    ...kinds.map((kind) => `  ${String(kind.count).padStart(7)}  ${kindText(kind, render)} (${exampleText(kind, render)})`),
    "",
    differences.length === 0 ? say("noDifference") : say("differencesHead", { count: differences.length + more }),
    ...differences.map((d) => `  ${d.event}: ${render(d.what)}: ${render(d.reason)}`),
    ...(more > 0 ? [say("moreDifferences", { count: more })] : []),
  ];
}
