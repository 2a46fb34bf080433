import { once } from "node:events";

/**
 * Writes text to stdout and waits while the reader is behind: a long output neither piles up in memory nor is cut when the process ends.
 * A reader that has gone ends the process (main.ts).
 */
export async function writeOut(text: string): Promise<void> {
  if (text !== "" && !process.stdout.write(text)) await once(process.stdout, "drain");
}
