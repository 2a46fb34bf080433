import type { RenderMessage } from "../../shell/renderMessage.ts";
import type { LabInfo } from "../model.ts";
import type { Lab } from "../pack/pack.ts";

/** Kernels on which the solution was recorded, as uname -r prints them. */
export function recordedKernels(lab: Lab): string[] {
  return lab.recordings.flatMap(({ text }) => {
    try {
      const { header } = JSON.parse(text) as { header?: { kernel?: unknown } };
      return typeof header?.kernel === "string" ? [header.kernel.slice(0, 60)] : [];
    } catch {
      return [];
    }
  });
}

function badgeReason(lab: Lab, render: RenderMessage): string {
  const { kind, reason } = lab.definition.badge;
  if (kind === "recorded") return render({ key: "lab.badge.recorded", args: { kernels: recordedKernels(lab).join(", ") } });
  return reason ?? render({ key: `lab.badge.${kind}`, args: {} });
}

/** What a list of labs shows. */
export function labInfo(lab: Lab, render: RenderMessage): LabInfo {
  const { title, summary, minutes, difficulty, concepts, prerequisites, machine, badge } = lab.definition;
  return {
    packId: lab.packId,
    labId: lab.id,
    packTitle: lab.packTitle,
    title,
    summary,
    minutes,
    difficulty,
    concepts,
    prerequisites,
    badge: badge.kind,
    badgeReason: badgeReason(lab, render),
    profile: machine.profile,
  };
}
