/** What the rows of one system call have in common in the C form and in the command form. */
export interface PageFacts {
  readonly section: number;
  readonly errnos: readonly string[];
  readonly seeAlso: readonly string[];
}

/** Errnos that the simulated releases (5.19 to 6.18) can return for each call; the sentences are in man/. */
export const PAGE_FACTS = {
  mmap: {
    section: 2,
    errnos: ["EACCES", "EAGAIN", "EBADF", "EEXIST", "EINVAL", "ENODEV", "ENOMEM", "EOPNOTSUPP", "EPERM"],
    seeAlso: ["munmap", "madvise", "mprotect", "mremap", "mlock"],
  },
  munmap: { section: 2, errnos: ["EINVAL", "ENOMEM", "EPERM"], seeAlso: ["mmap", "mremap"] },
  mprotect: { section: 2, errnos: ["EACCES", "EINVAL", "ENOMEM", "EPERM"], seeAlso: ["mmap", "mseal"] },
  mremap: { section: 2, errnos: ["EAGAIN", "EFAULT", "EINVAL", "ENOMEM", "EPERM"], seeAlso: ["mmap", "munmap"] },
  madvise: {
    section: 2,
    errnos: ["EACCES", "EAGAIN", "EBUSY", "EFAULT", "EHWPOISON", "EINVAL", "EIO", "ENOMEM", "EPERM"],
    seeAlso: ["mmap", "prctl", "khugepaged"],
  },
  mlock: { section: 2, errnos: ["EAGAIN", "EINVAL", "ENOMEM", "EPERM"], seeAlso: ["mlock2", "munlock", "mlockall", "setrlimit"] },
  mlock2: { section: 2, errnos: ["EAGAIN", "EINVAL", "ENOMEM", "EPERM"], seeAlso: ["mlock", "munlock"] },
  munlock: { section: 2, errnos: ["EINVAL", "ENOMEM"], seeAlso: ["mlock", "munlockall"] },
  mlockall: { section: 2, errnos: ["EINVAL", "ENOMEM", "EPERM"], seeAlso: ["mlock", "munlockall"] },
  munlockall: { section: 2, errnos: [], seeAlso: ["mlockall", "munlock"] },
  mincore: { section: 2, errnos: ["EAGAIN", "EFAULT", "EINVAL", "ENOMEM"], seeAlso: ["madvise", "mlock"] },
  msync: { section: 2, errnos: ["EBUSY", "EINVAL", "EIO", "ENOMEM"], seeAlso: ["mmap", "fsync"] },
  mseal: { section: 2, errnos: ["EINVAL", "ENOMEM", "ENOSYS"], seeAlso: ["mprotect", "munmap"] },
  brk: { section: 2, errnos: ["ENOMEM"], seeAlso: ["sbrk", "mmap", "setrlimit"] },
  prctl: { section: 2, errnos: ["EINTR", "EINVAL"], seeAlso: ["madvise", "fork"] },
  setrlimit: { section: 2, errnos: ["EFAULT", "EINVAL", "EPERM"], seeAlso: ["mlock", "mmap", "brk"] },
  fork: { section: 2, errnos: ["EAGAIN", "ENOMEM"], seeAlso: ["madvise", "exit"] },
  uffd: {
    section: 1,
    errnos: ["EAGAIN", "EBUSY", "EEXIST", "EFAULT", "EINVAL", "EIO", "ENOENT", "ENOMEM", "EPERM", "ESRCH"],

    seeAlso: ["resume", "kill", "madvise"],
  },
  falloc: { section: 1, errnos: ["EFBIG", "EINVAL", "ENOSPC", "EOPNOTSUPP", "EPERM"], seeAlso: ["truncate", "file", "madvise"] },
  fadvise: { section: 1, errnos: ["EINVAL"], seeAlso: ["madvise", "drop_caches"] },
  memfd: { section: 1, errnos: ["EINVAL", "ENODEV", "ENOMEM"], seeAlso: ["file", "mmap"] },
} as const satisfies Readonly<Record<string, PageFacts>>;
