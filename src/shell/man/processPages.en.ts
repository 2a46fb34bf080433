import type { ManTexts } from "./manText.ts";

/** Pages about locking, limits, processes and userfaultfd, in our own words. */
export const processPagesEn: ManTexts = {
  mlock: {
    summary: "keep memory from being paged out",
    description:
      "Faults in all pages of the range and keeps them in memory until they are unlocked or unmapped. A huge page is locked as one when it is mapped as one.",
    errnos: {
      EAGAIN: "A page could not be had for lack of memory.",
      EINVAL: "The end of the range wraps around.",
      ENOMEM: "A part of the range is not mapped, more than RLIMIT_MEMLOCK would be locked, or there would be too many mappings.",
      EPERM: "RLIMIT_MEMLOCK is 0 and the process may not exceed it.",
    },
  },
  mlock2: {
    summary: "keep memory from being paged out, now or when it is touched",
    description: "As mlock. With MLOCK_ONFAULT (onfault) nothing is faulted in: each page is locked when it comes into memory.",
    errnos: {
      EAGAIN: "A page could not be had for lack of memory.",
      EINVAL: "The end of the range wraps around, or the flags are unknown.",
      ENOMEM: "A part of the range is not mapped, more than RLIMIT_MEMLOCK would be locked, or there would be too many mappings.",
      EPERM: "RLIMIT_MEMLOCK is 0 and the process may not exceed it.",
    },
  },
  munlock: {
    summary: "let memory be paged out again",
    description: "Takes the lock off all pages of the range.",
    errnos: { EINVAL: "The end of the range wraps around.", ENOMEM: "A part of the range is not mapped, or there would be too many mappings." },
  },
  mlockall: {
    summary: "lock all memory of a process",
    description:
      "MCL_CURRENT (current) locks what is mapped now, MCL_FUTURE (future) what will be mapped, MCL_ONFAULT (onfault) changes both to locking a page when it is touched.",
    errnos: {
      EINVAL: "No flag, an unknown one, or MCL_ONFAULT alone.",
      ENOMEM: "MCL_CURRENT would lock more than RLIMIT_MEMLOCK allows.",
      EPERM: "RLIMIT_MEMLOCK is 0 and the process may not exceed it.",
    },
  },
  munlockall: { summary: "unlock all memory of a process", description: "Undoes mlock and mlockall for everything that is mapped, and MCL_FUTURE." },
  prctl: {
    summary: "switches of a process, among them huge pages on or off",
    description:
      "PR_SET_THP_DISABLE (thp_disable) with a value other than 0 turns transparent huge pages off for the whole process, also for its children; 0 turns them on again. With PR_THP_DISABLE_EXCEPT_ADVISED (except) memory advised with hugepage keeps them. PR_GET_THP_DISABLE returns 0, 1 (off) or 3 (off except advised). PR_SET_MEMORY_MERGE (memory_merge) lets ksm merge all memory of the process that can be merged.\n\nHuge pages that exist stay as they are.",
    errnos: {
      EINTR: "A fatal signal came while the call waited for a lock.",
      EINVAL: "The option is unknown in this release, an argument that has to be 0 is not, or an unknown flag was given.",
    },
    notes: "PR_THP_DISABLE_EXCEPT_ADVISED is known from 6.18 on, PR_SET_MEMORY_MERGE from 6.4 on.",
  },
  setrlimit: {
    summary: "limit what a process may use",
    description:
      "RLIMIT_MEMLOCK (memlock) limits locked bytes, RLIMIT_AS (as) the size of the address space, RLIMIT_DATA (data) private writable memory. The C form takes the soft and the hard limit, {64K, 64K}; the command form sets both to BYTES. What is over a new limit already stays.",
    errnos: {
      EFAULT: "The limits cannot be read.",
      EINVAL: "There is no such resource, or the soft limit is above the hard one.",
      EPERM: "The hard limit was to be raised by a process without the right to.",
    },
  },
  fork: {
    summary: "make a child process that shares memory until one of the two writes",
    description:
      "Private memory is made read-only in both processes; the first to write gets a copy of the page. A huge page is shared as one, but a write to it splits its mapping and copies a single small page. Mappings advised with dontfork are missing in the child, those with wipeonfork are empty.\n\nThe command form names the child; a line that begins with @NAME is carried out by it.",
    errnos: { EAGAIN: "There are as many processes as there may be.", ENOMEM: "No memory for the page tables, or the overcommit rule forbids it." },
    notes: "Memory that was never written has no page-table entries copied; the child faults anew.",
  },
  uffd: {
    summary: "handle page faults outside the kernel",
    description:
      "open makes a userfaultfd with the features named, close ends it, register says for which range missing pages, writes to protected pages (wp) or pages that are only in the page cache (minor) are reported. A process that touches such a page waits; poll shows the reports.\n\ncopy, zeropage, continue, move and poison answer for a range, writeprotect sets (wp) or takes off protection, wake lets those who wait try again. resume then shows what became of the access. A waiting process cannot answer itself: its uffd lines are carried out for it.",
    errnos: {
      EAGAIN: "The address space is being changed; what was done so far is in the result.",
      EBUSY: "register: another userfaultfd has the range. move: the page belongs to more than one process.",
      EEXIST: "There is a page already.",
      EFAULT: "copy: the source cannot be read. continue: the page cache has no page there. copy, continue: the range reaches over the end of the file.",
      EINVAL: "Range or length is no multiple of the page size, the mode or a feature is unknown, or this kind of memory cannot do it.",
      EIO: "The page has a memory error.",
      ENOENT: "The range is not mapped, or not registered for this.",
      ENOMEM: "No memory for the page or its page table.",
      EPERM: "The memory may not be written, or a feature needs a right the process lacks.",
      ESRCH: "The process is gone.",
    },
    notes:
      "wp_unpopulated is known from 6.5 on, poison from 6.6 on, wp_async from 6.7 on, move from 6.8 on. A retried fault counts as minor from 6.4 on, as major before.",
  },
  exit: { summary: "end a process", description: "Ends the process that the line names; all its memory is given back." },
  resume: {
    summary: "collect the outcome of an access that waited",
    description: "After a userfaultfd has been answered, shows how the access of the waiting process ended.",
  },
  kill: { summary: "end a process that waits", description: "Ends a process that waits for a userfaultfd." },
  touch: {
    summary: "read, write or execute memory",
    description:
      "Accesses one byte at ADDRESS, or with LEN one byte in each step of 4 KiB (step=N another one) of the range; all goes to the end of what NAME ever mapped. r reads (the default), w writes the byte 0x41 (v=N another one), x calls the address. The result says how many were tried and went well, what was read, and which signals came.",
  },
  kread: {
    summary: "let the kernel write into memory",
    description: "As read(2) from /dev/zero into the range, LEN bytes or one.",
    errnos: { EFAULT: "The first page cannot be written." },
  },
  kwrite: {
    summary: "let the kernel read memory",
    description: "As write(2) of the range into a pipe, LEN bytes (at most 4096) or one.",
    errnos: { EFAULT: "The first page cannot be read." },
  },
  gup: {
    summary: "take pages as a device driver does",
    description:
      "Looks up the pages of the range and takes a reference to each for a moment, as get_user_pages does for input and output: faulting in what is missing, for writing with w. With fast it first tries without any lock, reading page tables while they may change: the subject of races.",
    errnos: { EFAULT: "A page cannot be had." },
  },
};
