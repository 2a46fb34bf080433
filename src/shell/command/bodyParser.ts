import type { OperationBody } from "../operation.ts";
import type { TokenCursor } from "./tokenCursor.ts";

/** Reads the words after the operation's name. After a mistake the body holds placeholders and the cursor's `error` is set. */
export type BodyParser = (cursor: TokenCursor) => OperationBody;

/** Operation name to its parser. */
export type BodyParsers = Readonly<Record<string, BodyParser>>;
