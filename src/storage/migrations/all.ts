import { learners0001 } from "./0001-learners.ts";
import { attempts0002 } from "./0002-attempts.ts";
import { sessions0003 } from "./0003-sessions.ts";
import type { Migration } from "./migration.ts";

/** In order; the last one's version is the version that this Hugelab writes. */
export const migrations: readonly Migration[] = [learners0001, attempts0002, sessions0003];
