import type { AddressExpr, ShmatFlag } from "../operation.ts";
import type { BodyParser, BodyParsers } from "./bodyParser.ts";
import { SHMAT_FLAGS, SHMGET_FLAGS } from "./words.ts";

const shmget: BodyParser = (cursor) => {
  const name = cursor.name("NAME");
  const bytes = cursor.number("SIZE");
  const words = new Set<string>();
  let key = 0;
  while (cursor.error === null && cursor.peek() !== null) {
    const token = cursor.word("FLAG");
    if (token.text.startsWith("key=")) key = cursor.smallNumberIn(token, 4, "KEY", 0x7fffffff);
    else if ((SHMGET_FLAGS as readonly string[]).includes(token.text)) words.add(token.text);
    else cursor.failChoice(token, "FLAG", [...SHMGET_FLAGS, "key="]);
  }
  return { op: "shmget", name, bytes, key, create: words.has("create"), excl: words.has("excl"), noReserve: words.has("noreserve") };
};

const shmat: BodyParser = (cursor) => {
  const name = cursor.name("NAME");
  const segment = cursor.name("SEGMENT");
  const flags: ShmatFlag[] = [];
  let at: AddressExpr | null = null;
  while (cursor.error === null && cursor.peek() !== null) {
    const token = cursor.word("FLAG");
    const flag = SHMAT_FLAGS.find((known) => known === token.text);
    if (flag !== undefined) flags.push(flag);
    else if (token.text.startsWith("at=")) at = cursor.addressIn(token, 3, "ADDRESS");
    else cursor.failChoice(token, "FLAG", [...SHMAT_FLAGS, "at="]);
  }
  return { op: "shmat", name, segment, flags, at };
};

/** Operations on SysV shared memory. */
export const shmOps: BodyParsers = {
  shmget,
  shmat,
  shmdt: (cursor) => ({ op: "shmdt", at: cursor.address("ADDRESS") }),
  shmctl: (cursor) => ({ op: "shmctl", segment: cursor.name("SEGMENT"), call: cursor.choice("COMMAND", ["rmid", "stat"]) ?? "stat" }),
};
