/** Text that is not ours, made harmless for a terminal: nothing in it can move the cursor, change colours or reverse the order of characters. */

/** C0 and DEL, C1, and what changes the direction of writing; a line feed and a tab stay. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const DANGEROUS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A visible sign for a control character: that of Unicode's Control Pictures, or U+FFFD. */
function signOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
}

/** Sentences broken at blanks where a terminal of this width would break them inside a word. What is longer than a row by itself stays whole. */
export function atBlanks(text: string, columns: number): string {
  return text
    .split("\n")
    .map((line) => {
      const rows: string[] = [];
      let rest = line;
      while (rest.length > columns) {
        const blank = rest.lastIndexOf(" ", columns);
        if (blank <= 0 || rest.slice(0, blank).trim() === "") break;
        rows.push(rest.slice(0, blank).trimEnd());
        rest = rest.slice(blank + 1);
      }
      return [...rows, rest].join("\n");
    })
    .join("\n");
}

/** The text for `Terminal.write`: control characters become visible signs, line feeds also return the carriage. */
export function safeText(text: string): string {
  return text.toWellFormed().replace(/\r\n/g, "\n").replace(DANGEROUS, signOf).replace(/\n/g, "\r\n");
}
