/** Agreement with recorded kernels as a table by area and release, as it is committed (conformance/fidelity.json) and shown in the app. */
import type { DeviationRow } from "./deviations.ts";
import { releaseOf, type Verdict } from "./judge.ts";

/** Areas by the names of scripts, in this order; the first that fits counts. */
const AREAS: readonly (readonly [area: string, names: RegExp])[] = [
  ["random", /^[a-z]+-\d+-\d+$|^r\d{4}$/],
  ["eligibility", /^elig_/],
  ["sysv", /^sysv-/],
  ["reclaim", /^(pageout-|deferred_shrink-)/],
  ["hugetlb", /hugetlb/],
  ["userfaultfd", /uffd/],
  ["shmem", /shmem/],
  ["swap", /swap/],
  ["file", /_file_/],
  ["ksm", /ksm/],
  ["memcg", /memcg/],
  ["collapse", /collapse|khugepaged|uprobe/],
  ["cow", /fork|cow/],
  ["calls", /mlock|mremap|prctl|guard|populate|munmap|mprotect|dontneed/],
  ["thp", /thp|huge/],
];

export type FidelityArea = string;

/** `other` where no area fits: nothing is left out. */
export function areaOf(script: string): FidelityArea {
  return AREAS.find(([, names]) => names.test(script))?.[0] ?? "other";
}

export interface FidelityCount {
  readonly area: FidelityArea;
  readonly release: string;
  readonly traces: number;
  readonly observations: number;
  readonly agreeing: number;
  /** differences that are written down with their reason; they do not count as agreeing */
  readonly listed: number;
}

export interface Fidelity {
  readonly behaviour: string;
  readonly rows: readonly FidelityCount[];
  readonly deviations: readonly DeviationRow[];
}

/** Adds verdicts up by area and release. `deviations`: the rows of every profile that was judged. */
export function fidelityOf(behaviour: string, verdicts: readonly Verdict[], deviations: readonly DeviationRow[]): Fidelity {
  const groups = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    const key = `${areaOf(verdict.trace)} ${verdict.release}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [verdict]);
    else group.push(verdict);
  }
  const order = [...AREAS.map(([area]) => area), "other"];
  const rows = [...groups.values()].map((group): FidelityCount => {
    const sum = (value: (verdict: Verdict) => number): number => group.reduce((total, verdict) => total + value(verdict), 0);
    return {
      area: areaOf(group[0].trace),
      release: releaseOf(group[0].release),
      traces: group.length,
      observations: sum(({ total }) => total),
      agreeing: sum(({ agree }) => agree),
      listed: sum(({ listed }) => listed.length),
    };
  });
  rows.sort((a, b) => order.indexOf(a.area) - order.indexOf(b.area) || a.release.localeCompare(b.release, "en", { numeric: true }));
  return { behaviour, rows, deviations };
}

/** The parsed content of a fidelity file, or null where it is none. */
export function readFidelity(content: unknown): Fidelity | null {
  if (typeof content !== "object" || content === null) return null;
  const { behaviour, rows, deviations } = content as Readonly<Record<string, unknown>>;
  if (typeof behaviour !== "string" || !Array.isArray(rows) || !Array.isArray(deviations)) return null;
  return rows.every(isCount) ? { behaviour, rows, deviations: deviations as DeviationRow[] } : null;
}

function isCount(row: unknown): row is FidelityCount {
  if (typeof row !== "object" || row === null) return false;
  const fields = row as Readonly<Record<string, unknown>>;
  return (
    ["area", "release"].every((name) => typeof fields[name] === "string") &&
    ["traces", "observations", "agreeing", "listed"].every((name) => Number.isInteger(fields[name]))
  );
}
