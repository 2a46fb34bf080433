import { INLINE, INLINE_BITS } from "../mm/content.ts";
import type { Kernel } from "../mm/kernel.ts";
import type { PageContent } from "../mm/records.ts";
import type { Survey } from "./survey.ts";

/** A stamp that stands for nothing: bits that no content has, or a content record that is not there. */
export function badStamp(k: Kernel, stamp: number): boolean {
  if (stamp === 0) return false;
  if ((stamp & INLINE) !== 0) return (stamp & ~INLINE_BITS) !== 0 || (stamp & 0xff) === 0;
  return k.contents.find(stamp) === undefined;
}

/** Content records: runs in order, inside a page, none that a shorter stamp would say, no two alike. */
export function checkContents(s: Survey): void {
  const seen = new Set<string>();
  for (const [slot, content] of s.k.contents.entries()) {
    if (!isNormal(content) || seen.has(content.key)) s.report.add("kernel.check.content", { content: slot });
    seen.add(content.key);
  }
}

function isNormal(content: PageContent): boolean {
  const { runs } = content;
  if (runs.length === 0 || (runs.length === 1 && runs[0][1] === 1)) return false;
  if (content.key !== runs.map((r) => r.join(":")).join(",")) return false;
  return runs.every(([offset, length, value], i) => {
    const before = i === 0 ? undefined : runs[i - 1];
    const touches = before !== undefined && before[0] + before[1] === offset;
    const isAfter = before === undefined || (before[0] + before[1] <= offset && !(touches && before[2] === value));
    return isAfter && offset >= 0 && length > 0 && offset + length <= 4096 && value > 0 && value < 256;
  });
}
