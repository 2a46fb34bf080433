import type { Program, ProgramEvent } from "./readProgram.ts";

/** mm of the events: those of others were left out when it was read */
const MM = "1";

/** A recording as its file (GRAMMAR.md, "Program traces"): one event a line. */
export function printProgram({ name, what, kernel, thpEnabled, events }: Program): string {
  const head = { program: name, what, kernel, thp_enabled: thpEnabled, page_size_bytes: 4096 };
  return `${JSON.stringify(head).slice(0, -1)},\n"events":[\n${events.map((event) => JSON.stringify(rowOf(event))).join(",\n")}\n]}\n`;
}

function rowOf(event: ProgramEvent): unknown[] {
  switch (event.kind) {
    case "vma":
      return ["vma", event.start, event.bytes, event.offset, event.prot, event.name];
    case "sys":
      return ["sys", event.name, event.args, event.result];
    case "pf":
      return ["pf", event.mode, event.address, event.error];
    case "rss":
      return ["rss", event.member, event.bytes, true, MM];
  }
}
