/** Errnos that the simulated calls return. A system call's result is a number >= 0 or one of these. */
export type Errno =
  | "EPERM"
  | "ENOENT"
  | "ESRCH"
  | "EINTR"
  | "EAGAIN"
  | "ENOMEM"
  | "EACCES"
  | "EFAULT"
  | "EBUSY"
  | "EEXIST"
  | "EINVAL"
  | "ENOSYS"
  | "EOVERFLOW"
  | "EOPNOTSUPP"
  | "EBADF"
  | "ENODEV"
  | "ENOTTY"
  | "ENOSPC"
  | "EFBIG"
  | "EROFS"
  | "ENOTDIR"
  | "EISDIR"
  | "EMFILE"
  | "ENAMETOOLONG"
  | "ENXIO"
  | "ESPIPE"
  | "EHWPOISON"
  /** 524, a number of the kernel's own that leaks out */
  | "ENOTSUPP"
  | "EIO";

export interface Failure {
  readonly errno: Errno;
  /** key of a sentence that says what would have worked, where one is known */
  readonly hint?: string;
}
export type Result<T = number> = T | Failure;

export const fail = (errno: Errno, hint?: string): Failure => (hint === undefined ? { errno } : { errno, hint });
export const failed = (r: unknown): r is Failure => typeof r === "object" && r !== null && "errno" in r;
