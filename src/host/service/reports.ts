/** Reports of what broke: for whoever mends Hugelab. No name of a person, machine or folder is in them; the learner's lines are, since they show how to do it again. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const REPORTS_MAX = 20;
const REPORT_BYTES_MAX = 64 << 10;
/** commands before the failure */
const COMMANDS_MAX = 200;

export interface Report {
  readonly version: string;
  readonly behaviour: string;
  readonly method: string;
  readonly why: string;
  readonly profile: string;
  readonly patches: readonly string[];
  readonly config: readonly (readonly [string, string])[];
  /** lines that led to where it happened, oldest first */
  readonly commands: readonly string[];
}

/** Keeps a report as a file and forgets the oldest. A report that cannot be written is not worth another error. @returns its path or null */
export function keepReport(folder: string, report: Report, nowMs: number): string | null {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stamp = new Date(nowMs).toISOString().replace(/[-:.]/g, "");
    const path = join(folder, `report-${stamp}.json`);
    writeFileSync(path, reportText(report), { mode: 0o600 });
    const old = readdirSync(folder).filter((name) => /^report-[\dTZ]+\.json$/.test(name));
    for (const name of old.sort().slice(0, -REPORTS_MAX)) rmSync(join(folder, name), { force: true });
    return path;
  } catch {
    return null;
  }
}

export function reportText(report: Report): string {
  const why = withoutPlaces(report.why).slice(0, REPORT_BYTES_MAX / 4);
  for (let keep = COMMANDS_MAX; ; keep = Math.floor(keep / 2)) {
    const commands = keep === 0 ? [] : report.commands.slice(-keep);
    const text = `${JSON.stringify({ ...report, why, commands }, null, 2)}\n`;
    if (keep === 0 || Buffer.byteLength(text) <= REPORT_BYTES_MAX) return text;
  }
}

/** Paths name the user's folders: only what lies below Hugelab's own stays readable. */
function withoutPlaces(text: string): string {
  const ours = fileURLToPath(new URL("../../..", import.meta.url));
  return text
    .replaceAll(`file://${ours}`, "")
    .replaceAll(ours, "")
    .replace(/(?!\/(?:sys|proc)\/)(?<![\w/])(?:file:\/\/\/?|[A-Za-z]:\\|\/)(?:[^\s():/\\]+[/\\])+/g, "");
}
