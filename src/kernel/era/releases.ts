/** Releases in order. A toggle names the first one that has it. */
export const RELEASES = [
  "5.19",
  "6.0",
  "6.1",
  "6.2",
  "6.3",
  "6.4",
  "6.5",
  "6.6",
  "6.7",
  "6.8",
  "6.9",
  "6.10",
  "6.11",
  "6.12",
  "6.13",
  "6.14",
  "6.15",
  "6.16",
  "6.17",
  "6.18",
] as const;
export type Release = (typeof RELEASES)[number];
export const isRelease = (text: string): text is Release => (RELEASES as readonly string[]).includes(text);
