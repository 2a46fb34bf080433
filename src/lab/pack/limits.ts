/** What a pack may be at most. The same numbers hold for a folder and for a zip; whoever unpacks a zip enforces them on the inflated bytes. */

export const FORMAT_VERSION = 1;

export const MOST_ENTRIES = 500;
export const MOST_FILE_BYTES = 5 << 20;
export const MOST_TOTAL_BYTES = 32 << 20;
/** inflated bytes for each packed byte of a zip, where more than 64 KiB come out */
export const MOST_RATIO = 100;
export const MOST_NAME_CHARACTERS = 200;
/** folders and the file itself */
export const MOST_DEPTH = 6;

/** bytes of a text file (JSON, Markdown, traces of a learner's lines) */
export const MOST_TEXT_BYTES = 64 << 10;
/** bytes of what stands between the `---` lines of a step */
export const MOST_FRONT_MATTER_BYTES = 1 << 10;
export const MOST_LINES = 100;
export const MOST_LINE_CHARACTERS = 200;
export const MOST_LABS = 50;
export const MOST_STEPS = 20;
export const MOST_ROUTES = 30;
export const MOST_RUNGS = 5;
/** problems that are told of one pack; what is behind them is counted */
export const MOST_PROBLEMS = 100;

/** words of a step, of an objective and of the other short texts: longer ones are not read */
export const MOST_STEP_WORDS = 260;
export const MOST_SHORT_WORDS = 40;
/** words of one sentence, on average over a step */
export const MOST_SENTENCE_WORDS = 24;
