/** Text typed by somebody, made safe for a terminal and short enough for a sentence. */
export function shown(name: string, most = 40): string {
  const printable = name.replace(/[^\x20-\x7e]/g, "?");
  return printable.length > most ? `${printable.slice(0, most - 3)}...` : printable;
}
