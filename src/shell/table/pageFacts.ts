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
    errnos: ["EACCES", "EAGAIN", "EBADF", "EEXIST", "EINVAL", "ENODEV", "ENOMEM", "EOPNOTSUPP", "EOVERFLOW", "EPERM"],
    seeAlso: ["munmap", "madvise", "mprotect", "mremap", "mlock", "open", "memfd_create"],
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
  open: {
    section: 2,
    errnos: ["EBADF", "EEXIST", "EFAULT", "EISDIR", "EMFILE", "ENAMETOOLONG", "ENOENT", "ENOTDIR", "EROFS"],
    seeAlso: ["close", "mmap", "ftruncate", "unlink", "memfd_create"],
  },
  memfd_create: { section: 2, errnos: ["EFAULT", "EINVAL", "EMFILE"], seeAlso: ["open", "ftruncate", "mmap", "memfd"] },
  close: { section: 2, errnos: ["EBADF"], seeAlso: ["open", "dup"] },
  dup: { section: 2, errnos: ["EBADF", "EINVAL", "EMFILE"], seeAlso: ["open", "close"] },
  ftruncate: {
    section: 2,
    errnos: ["EBADF", "EFAULT", "EFBIG", "EINVAL", "EISDIR", "ENAMETOOLONG", "ENOENT", "ENOTDIR"],
    seeAlso: ["open", "fallocate"],
  },
  fallocate: {
    section: 2,
    errnos: ["EBADF", "EFBIG", "EINVAL", "ENODEV", "ENOMEM", "ENOSPC", "EOPNOTSUPP"],
    seeAlso: ["ftruncate", "madvise", "falloc"],
  },
  posix_fadvise: { section: 2, errnos: ["EBADF", "EINVAL"], seeAlso: ["madvise", "fadvise", "read"] },
  read: { section: 2, errnos: ["EBADF", "EFAULT", "EINVAL", "EIO", "ESPIPE"], seeAlso: ["open", "lseek", "write", "posix_fadvise"] },
  write: { section: 2, errnos: ["EBADF", "EFAULT", "EFBIG", "EINVAL", "EIO", "ENOSPC", "ESPIPE"], seeAlso: ["open", "lseek", "read", "fsync"] },
  lseek: { section: 2, errnos: ["EBADF", "EINVAL", "ENXIO", "ESPIPE"], seeAlso: ["read", "write", "fallocate"] },
  fsync: { section: 2, errnos: ["EBADF", "EINVAL", "EIO"], seeAlso: ["msync", "fwrite"] },
  fstat: { section: 2, errnos: ["EBADF", "EFAULT"], seeAlso: ["open", "ftruncate"] },
  unlink: { section: 2, errnos: ["EFAULT", "EISDIR", "ENAMETOOLONG", "ENOENT", "ENOTDIR"], seeAlso: ["file", "open"] },
  shmget: { section: 2, errnos: ["EEXIST", "EINVAL", "ENOENT", "ENOMEM", "ENOSPC"], seeAlso: ["shmat", "shmctl", "mmap", "memfd_create"] },
  shmat: { section: 2, errnos: ["EAGAIN", "EINVAL", "ENOMEM", "EPERM"], seeAlso: ["shmget", "shmdt", "shmctl"] },
  shmdt: { section: 2, errnos: ["EINVAL"], seeAlso: ["shmat", "munmap"] },
  shmctl: { section: 2, errnos: ["EFAULT", "EINVAL"], seeAlso: ["shmget", "shmat"] },
  falloc: { section: 1, errnos: ["EFBIG", "EINVAL", "ENOSPC", "EOPNOTSUPP", "EPERM"], seeAlso: ["truncate", "file", "madvise"] },
  fadvise: { section: 1, errnos: ["EINVAL"], seeAlso: ["madvise", "drop_caches"] },
  memfd: { section: 1, errnos: ["EINVAL", "ENODEV", "ENOMEM"], seeAlso: ["file", "mmap"] },
} as const satisfies Readonly<Record<string, PageFacts>>;
