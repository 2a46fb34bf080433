import type { Catalogue } from "../shell/renderMessage.ts";
import { threadMessagesEn } from "./threads/messages.en.ts";
import { whyMessagesEn } from "./why/messages.en.ts";

/** Sentences of the session, English. Kernel terms and errno names are never translated. */
export const sessionMessagesEn: Catalogue = {
  ...threadMessagesEn,
  ...whyMessagesEn,

  "session.broken.pinFreed": "the pin of {address} is on frame {frame}, which is free: whoever gets the frame next shares it",
  "session.broken.pinStranger": "the pin of {address} is on frame {frame}, which never belonged to that address",
  "session.broken.pinStale":
    "the pin of {address} is on frame {frame}, and the process now uses frame {used} there: what one of them writes the other does not see",
  "session.broken.lostWrite": "a write is lost: threads wrote {wrote} to {address}, which now holds {reads}",
  "session.broken.lostContent": "content is lost: nobody wrote to {address}, which no longer holds what it held",
  "session.broken.deadlock": "deadlock (who waits > for which lock > held by whom): {waiters}",
  "session.broken.endless": "the threads did not end within {most} steps",
  "session.broken.assertion": "an assertion of the kernel fired: {text}",

  "session.point.done": "ends: {result}",
  "session.point.stopped": "stopped by an assertion",
  "session.point.lock": "is about to take {lock}",
  "session.point.wait": "waits for {lock}",
  "session.point.syscall.return": "is between two calls",
  "session.point.access.done": "the processor has carried out the access",
  "session.point.fault.entry": "page fault: the handler begins, no lock taken (do_user_addr_fault)",
  "session.point.fault.afterPmd": "has looked at the PMD, goes on to a page table (__handle_mm_fault)",
  "session.point.fault.beforePteLock": "has read the entry and prepared its page, takes the page-table lock next (handle_pte_fault)",
  "session.point.hugeFault.beforePmdLock": "has a huge page ready, takes the PMD lock next (do_huge_pmd_anonymous_page)",
  "session.point.gupFast.readPmd": "has read the PMD entry, without a lock (gup_fast_pmd_range)",
  "session.point.gupFast.readPte": "has read the PTE, without a lock (gup_fast_pte_range)",
  "session.point.gupFast.grabbed": "has taken a reference on the page it read (try_grab_folio)",
  "session.point.collapse.allocated": "has a huge page and has dropped the mmap_lock (collapse_huge_page)",
  "session.point.collapse.flushed": "has taken the page table out of the PMD and flushed the TLB (pmdp_collapse_flush)",
  "session.point.collapse.isolated": "has found every page without extra references and isolated it (__collapse_huge_page_isolate)",
  "session.point.collapse.copied": "has copied the pages and dropped them (__collapse_huge_page_copy)",
  "session.point.fork.lookedForPins": "has looked for pinned pages, write-protects next (copy_pte_range)",
};
