/**
 * Runs before every test file: random properties take the seed that vitest.config.ts chose, so that a run can be repeated.
 * The reason of a failure goes into the message, since the JSON report that tools/test.mjs reads has nothing else.
 */
import { configureGlobal } from "fast-check";

configureGlobal({ seed: Number(process.env["HUGELAB_SEED"]), includeErrorInReport: true });
