import type { AddressExpr, OperationBody } from "../operation.ts";
import type { BodyParser, BodyParsers } from "./bodyParser.ts";
import type { TokenCursor } from "./tokenCursor.ts";
import { UFFD_FEATURES, UFFD_MODES } from "./words.ts";

type PageCall = "copy" | "zeropage" | "continue" | "poison" | "writeprotect" | "move";
type Mode = (typeof UFFD_MODES)[number];

export const UFFD_CALLS = [
  "open",
  "close",
  "poll",
  "register",
  "unregister",
  "wake",
  "copy",
  "zeropage",
  "continue",
  "poison",
  "writeprotect",
  "move",
] as const;

function open(cursor: TokenCursor): OperationBody {
  const features: string[] = [];
  while (cursor.error === null && cursor.peek() !== null) features.push(cursor.choice("FEATURE", UFFD_FEATURES) ?? "");
  return { op: "uffd", call: "open", features };
}

function register(cursor: TokenCursor): OperationBody {
  const range = cursor.range();
  const modes: Mode[] = [];
  do {
    const token = cursor.word("MODE");
    if (cursor.error !== null) break;
    let from = 0;
    for (const word of token.text.split(",")) {
      const mode = UFFD_MODES.find((known) => known === word);
      if (mode === undefined) {
        cursor.failChoice({ text: word, column: token.column + from }, "MODE", UFFD_MODES);
        break;
      }
      modes.push(mode);
      from += word.length + 1;
    }
  } while (cursor.error === null && cursor.peek() !== null);
  return { op: "uffd", call: "register", range, modes };
}

function pageCall(cursor: TokenCursor, call: PageCall): OperationBody {
  const range = cursor.range();
  let source: AddressExpr | null = null;
  const found = { wp: false, dontWake: false, allowHoles: false, badMode: false };
  while (cursor.error === null && cursor.peek() !== null) {
    const token = cursor.word("FLAG");
    if (token.text === "wp") found.wp = true;
    else if (token.text === "dontwake") found.dontWake = true;
    else if (token.text === "allow_holes") found.allowHoles = true;
    else if (token.text === "badmode") found.badMode = true;
    else if (token.text.startsWith("src=")) source = cursor.addressIn(token, 4, "ADDRESS");
    else cursor.failChoice(token, "FLAG", ["wp", "dontwake", "allow_holes", "badmode", "src="]);
  }
  return { op: "uffd", call, range, source, ...found };
}

const uffd: BodyParser = (cursor) => {
  const call = cursor.choice("CALL", UFFD_CALLS) ?? "poll";
  switch (call) {
    case "open":
      return open(cursor);
    case "close":
    case "poll":
      return { op: "uffd", call };
    case "register":
      return register(cursor);
    case "unregister":
    case "wake":
      return { op: "uffd", call, range: cursor.range() };
    default:
      return pageCall(cursor, call);
  }
};

/** Operations on a userfaultfd. */
export const uffdOps: BodyParsers = { uffd };
