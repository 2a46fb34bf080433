/** words longer than this are no typing mistakes of ours: comparing them would cost time for nothing */
const LONGEST = 64;

/** Number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let twoBack: number[] = [];
  let oneBack = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min((oneBack[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (oneBack[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (twoBack[j - 2] ?? 0) + 1);
      row.push(best);
    }
    twoBack = oneBack;
    oneBack = row;
  }
  return oneBack[b.length] ?? 0;
}

/** The candidate nearest to `word`, or null when none is near enough to be what was meant (a third of its letters, at least one). */
export function closest(word: string, candidates: Iterable<string>): string | null {
  if (word.length === 0 || word.length > LONGEST) return null;
  const wanted = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    // same word in another case is the best guess of all; a long common beginning ("priv" for "private") is a good one
    const near = candidate.toLowerCase();
    let distance = near === wanted ? 0.5 : editDistance(wanted, near);
    if (wanted.length >= 3 && near.startsWith(wanted)) distance = Math.min(distance, 1.5);
    if (distance < bestDistance && distance <= Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3), near.startsWith(wanted) ? 1.5 : 0)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
