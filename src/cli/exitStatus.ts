/** Exit statuses that mean the same for every command (DESIGN.md section 8). */
export const exitStatus = {
  /** the command line or a script cannot be understood */
  usage: 2,
  /** this machine or this release cannot do it */
  unavailable: 3,
  /** EX_SOFTWARE of sysexits.h: a fault of Hugelab itself */
  internal: 70,
  /** 128 + SIGPIPE, as other tools end when their reader has gone */
  brokenPipe: 141,
} as const;
