/**
 * Text as grapheme clusters (what a person sees as one character) with the columns they take in a terminal.
 *
 * Boundaries are Intl.Segmenter's (UAX #29), widths those of string-width (UAX #11, RGI emoji). Terminals do not agree on widths: an emoji of several
 * code points may take 1 to 8 columns. So a cluster has, besides the width that it gets in our picture, the room that a terminal which measures each
 * code point alone may use; render.ts puts the cursor back after every cluster on which terminals can differ.
 */
import stringWidth from "string-width";

export interface Cluster {
  readonly text: string;
  /** columns in our picture, 1 or more */
  readonly width: number;
  /** columns that a terminal may use for it, at least `width` */
  readonly room: number;
  /** one code point that every terminal measures alike and that joins with no neighbour */
  readonly plain: boolean;
  /** false: it would be invisible or not have a place of its own (a mark without base, a direction mark): a sign stands for it */
  readonly drawable: boolean;
}

/** Most UTF-16 units of a line: four times what an operation may have, so that a paste that is too long is still seen and told so. */
export const MOST_UNITS = 16_384;

/**
 * First and last code points of what xterm.js with each of its three width tables, and other terminals, measure alike: printable ASCII, the letters of
 * Latin, Greek and Cyrillic; wide are kana, Han, Hangul syllables and fullwidth forms. A cell that is none of these is only drawn with more care.
 */
const NARROW: readonly (readonly [number, number])[] = [
  [0x20, 0x7e],
  [0xc0, 0x24f],
  [0x391, 0x3a1],
  [0x3a3, 0x3c9],
  [0x400, 0x481],
  [0x48a, 0x52f],
];
const WIDE: readonly (readonly [number, number])[] = [
  [0x3041, 0x3096],
  [0x30a1, 0x30fa],
  [0x3400, 0x4db5],
  [0x4e00, 0x9fa5],
  [0xac00, 0xd7a3],
  [0xff01, 0xff60],
];

const within = (ranges: readonly (readonly [number, number])[], codePoint: number): boolean =>
  ranges.some(([first, last]) => codePoint >= first && codePoint <= last);

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

const plainCluster = (text: string, width: number): Cluster => ({ text, width, room: width, plain: true, drawable: true });
const ASCII: readonly Cluster[] = Array.from({ length: 0x7f - 0x20 }, (_, i) => plainCluster(String.fromCharCode(0x20 + i), 1));

/** Marks and joiners that take no column by the oldest tables in use, those of Unicode 6; newer ones may take one. */
const TAKES_NONE = /[\u0300-\u036f]|\u200d|[\u20d0-\u20ef]|[\ufe00-\ufe0e]|[\u{e0020}-\u{e007f}]/u;
/** U+FE0F may widen what is before it. */
const TAKES_ONE = /\ufe0f|[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns that a terminal may use when it measures code points one by one. */
function roomOf(text: string): number {
  let room = 0;
  for (const character of text) {
    if (within(NARROW, character.codePointAt(0) ?? 0) || TAKES_ONE.test(character)) room += TAKES_NONE.test(character) ? 0 : 1;
    else room += 2;
  }
  return room;
}

function clusterOf(text: string): Cluster {
  const codePoint = text.codePointAt(0) ?? 0;
  if (text.length === 1) {
    if (codePoint >= 0x20 && codePoint < 0x7f) return ASCII[codePoint - 0x20];
    if (within(NARROW, codePoint)) return plainCluster(text, 1);
    if (within(WIDE, codePoint)) return plainCluster(text, 2);
  }
  const width = /^[\u2028\u2029]/.test(text) ? 0 : stringWidth(text);
  return { text, width: Math.max(1, width), room: Math.max(1, width, roomOf(text)), plain: false, drawable: width > 0 };
}

/** The clusters of a text. Any string may be given; nothing is left out. `measured`: clusters that may be in it, since to measure one takes time. */
export function splitClusters(text: string, measured: readonly Cluster[] = []): readonly Cluster[] {
  if (/^[ -~]*$/.test(text)) return Array.from(text, (character) => ASCII[character.charCodeAt(0) - 0x20]);
  const known = new Map(measured.map((cluster) => [cluster.text, cluster]));
  return Array.from(segmenter.segment(text), ({ segment }) => {
    const cluster = known.get(segment) ?? clusterOf(segment);
    known.set(segment, cluster);
    return cluster;
  });
}

export function joinClusters(clusters: readonly Cluster[], from = 0, to = clusters.length): string {
  let text = "";
  for (let i = from; i < to; i++) text += clusters[i].text;
  return text;
}

/** A text being edited. */
export interface Edit {
  readonly clusters: readonly Cluster[];
  /** index of the cluster before which the cursor stands, 0 to clusters.length */
  readonly cursor: number;
}

/** An edit of a whole text with the cursor at a UTF-16 offset, or at the end of the cluster that this offset is inside of. */
export function editOf(text: string, offset = text.length): Edit {
  const clusters = splitClusters(text.slice(0, MOST_UNITS).toWellFormed());
  return { clusters, cursor: clusterAtOffset(clusters, offset) };
}

/** Index of the first cluster that begins at or after a UTF-16 offset. */
function clusterAtOffset(clusters: readonly Cluster[], offset: number): number {
  let at = 0;
  for (let units = 0; at < clusters.length && units < offset; at++) units += clusters[at].text.length;
  return at;
}

/**
 * Whether later boundaries do not depend on what stands before this cluster: rules of UAX #29 look back over regional indicators, marks, joiners and
 * format characters only.
 */
const shields = (cluster: Cluster): boolean => cluster.plain || !/^[\p{RI}\p{M}\p{Cf}\p{Grapheme_Extend}\p{Emoji_Modifier}]/u.test(cluster.text);

/**
 * Replaces the clusters from `from` to before `to` by a text. What the text touches may join with it, so a few neighbours are split again; the result is
 * what splitting the whole text would give. The cursor comes behind the inserted text.
 */
export function replaceClusters(clusters: readonly Cluster[], from: number, to: number, inserted: string): Edit {
  let left = from;
  if (left > 0) {
    left--;
    while (left > 0 && !shields(clusters[left])) left--;
  }
  let right = to;
  while (right < clusters.length && !shields(clusters[right])) right++;
  // this one may be swallowed by what is before it now; what follows it can not
  if (right < clusters.length) right++;
  const before = joinClusters(clusters, left, from) + inserted;
  const middle = splitClusters(before + joinClusters(clusters, to, right), clusters.slice(left, right));
  return {
    clusters: [...clusters.slice(0, left), ...middle, ...clusters.slice(right)],
    cursor: left + clusterAtOffset(middle, before.length),
  };
}

/** A text that may stand in a line: no control characters (a tab and a line end become a blank), no halves of surrogate pairs. */
export function harmless(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what has to go
  const controls = /[\u0000-\u001f\u007f-\u009f]/g;
  return text
    .toWellFormed()
    .replace(/[\t\n]/g, " ")
    .replace(controls, "");
}
