import { MISC, type Kernel } from "../mm/kernel.ts";
import { checkFreeLists } from "./buddy.ts";
import { checkContents } from "./contents.ts";
import { checkFiles } from "./files.ts";
import { checkFrames } from "./frames.ts";
import { checkDeferredQueue, checkKhugepaged, checkLocks } from "./queues.ts";
import type { Violation } from "./report.ts";
import { Survey } from "./survey.ts";
import { walkAllTables } from "./tableWalk.ts";
import { checkTlbs } from "./tlbCheck.ts";
import { checkVmas } from "./vmas.ts";

/** Checks one machine again and again; keeps the memory it works in. */
export class MachineCheck {
  private readonly survey: Survey;

  constructor(k: Kernel) {
    this.survey = new Survey(k);
  }

  /** Every invariant of the machine as it is between two operations (DESIGN.md section 3). Empty when all hold. */
  run(): readonly Violation[] {
    const s = this.survey;
    s.begin(s.k.misc.get(MISC.tableEnd));
    checkFreeLists(s);
    walkAllTables(s);
    checkFrames(s);
    checkVmas(s);
    checkFiles(s);
    checkDeferredQueue(s);
    checkKhugepaged(s);
    checkLocks(s);
    checkContents(s);
    checkTlbs(s);
    return s.report.violations;
  }
}

/** Every invariant of the machine, checked once. */
export const checkMachine = (k: Kernel): readonly Violation[] => new MachineCheck(k).run();
