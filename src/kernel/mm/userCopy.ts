import type { Op } from "../sched/points.ts";
import type { Pfn } from "../units.ts";
import { userAccess } from "./access.ts";
import { writePage } from "./content.ts";
import type { Kernel } from "./kernel.ts";

/**
 * The kernel's own loads and stores at user addresses: clear_user as read(2) of /dev/zero uses it, copy_from_user
 * as write(2) to a pipe does. What shows is how often a bad address traps: an unrolled copy that fails goes on byte by byte and traps again.
 */

const CHUNK = 4096;

/** Traps that a failing clear_user takes, given the bytes still to do (rep_stos_alternative, 6.4, on a CPU without FSRS). */
function clearTraps(k: Kernel, left: number): number {
  return k.era.userCopy === "alternatives" && !k.profile.config.fsrs && left >= 8 ? 2 : 1;
}

/** Traps of a failing copy_from_user (copy_user_enhanced_fast_string and its tail until 6.3; rep movsb on a CPU with FSRM after). */
function copyTraps(k: Kernel, left: number): number {
  if (k.era.userCopy === "fastString") return 2;
  return k.profile.config.fsrm || left < 8 ? 1 : 2;
}

/** Stores or loads [start, start + length); returns bytes done. Byte addresses below 2^47. */
function* piece(k: Kernel, mm: number, start: number, length: number, store: boolean): Op<number> {
  let done = 0;
  while (done < length) {
    const vpn = Math.floor((start + done) / 4096);
    const offset = (start + done) % 4096;
    const bytes = Math.min(length - done, 4096 - offset);
    const r = yield* userAccess(k, mm, vpn, offset, store ? "w" : "r");
    if (typeof r !== "number") {
      const traps = store ? clearTraps(k, length - done) : copyTraps(k, length - done);
      for (let again = 1; again < traps; again++) yield* userAccess(k, mm, vpn, offset, store ? "w" : "r");
      return done;
    }
    if (store) writePage(k, r as Pfn, offset, bytes, 0);
    done += bytes;
  }
  return done;
}

/** read(fd of /dev/zero): bytes zeroed, or -1 for EFAULT (read_zero: pieces of a page, up to the first that fails). */
export function* readZero(k: Kernel, mm: number, start: number, length: number): Op<number> {
  let written = 0;
  while (written < length) {
    const chunk = Math.min(CHUNK, length - written);
    const n = yield* piece(k, mm, start + written, chunk, true);
    written += n;
    if (n < chunk) return written > 0 ? written : -1;
  }
  return written;
}

/** write(fd of a pipe) of at most a page: all of it or EFAULT (-1). copy_page_from_iter goes on after a partial copy until nothing more comes. */
export function* writePipe(k: Kernel, mm: number, start: number, length: number): Op<number> {
  const wanted = Math.min(length, CHUNK);
  let copied = 0;
  while (copied < wanted) {
    const n = yield* piece(k, mm, start + copied, wanted - copied, false);
    if (n === 0) return -1;
    copied += n;
  }
  return copied;
}
