/** An errno of Linux on x86-64: its number and the sentence strerror gives for it. */
export interface ErrnoInfo {
  readonly number: number;
  readonly sentence: string;
}

export const ERRNOS: Readonly<Record<string, ErrnoInfo>> = {
  EPERM: { number: 1, sentence: "Operation not permitted" },
  ENOENT: { number: 2, sentence: "No such file or directory" },
  ESRCH: { number: 3, sentence: "No such process" },
  EINTR: { number: 4, sentence: "Interrupted system call" },
  EIO: { number: 5, sentence: "Input/output error" },
  ENXIO: { number: 6, sentence: "No such device or address" },
  E2BIG: { number: 7, sentence: "Argument list too long" },
  ENOEXEC: { number: 8, sentence: "Exec format error" },
  EBADF: { number: 9, sentence: "Bad file descriptor" },
  ECHILD: { number: 10, sentence: "No child processes" },
  EAGAIN: { number: 11, sentence: "Resource temporarily unavailable" },
  ENOMEM: { number: 12, sentence: "Cannot allocate memory" },
  EACCES: { number: 13, sentence: "Permission denied" },
  EFAULT: { number: 14, sentence: "Bad address" },
  ENOTBLK: { number: 15, sentence: "Block device required" },
  EBUSY: { number: 16, sentence: "Device or resource busy" },
  EEXIST: { number: 17, sentence: "File exists" },
  EXDEV: { number: 18, sentence: "Invalid cross-device link" },
  ENODEV: { number: 19, sentence: "No such device" },
  ENOTDIR: { number: 20, sentence: "Not a directory" },
  EISDIR: { number: 21, sentence: "Is a directory" },
  EINVAL: { number: 22, sentence: "Invalid argument" },
  ENFILE: { number: 23, sentence: "Too many open files in system" },
  EMFILE: { number: 24, sentence: "Too many open files" },
  ENOTTY: { number: 25, sentence: "Inappropriate ioctl for device" },
  ETXTBSY: { number: 26, sentence: "Text file busy" },
  EFBIG: { number: 27, sentence: "File too large" },
  ENOSPC: { number: 28, sentence: "No space left on device" },
  ESPIPE: { number: 29, sentence: "Illegal seek" },
  EROFS: { number: 30, sentence: "Read-only file system" },
  EPIPE: { number: 32, sentence: "Broken pipe" },
  ERANGE: { number: 34, sentence: "Numerical result out of range" },
  EDEADLK: { number: 35, sentence: "Resource deadlock avoided" },
  ENAMETOOLONG: { number: 36, sentence: "File name too long" },
  ENOSYS: { number: 38, sentence: "Function not implemented" },
  ENOTEMPTY: { number: 39, sentence: "Directory not empty" },
  ELOOP: { number: 40, sentence: "Too many levels of symbolic links" },
  ENODATA: { number: 61, sentence: "No data available" },
  EOVERFLOW: { number: 75, sentence: "Value too large for defined data type" },
  EOPNOTSUPP: { number: 95, sentence: "Operation not supported" },
  ETIMEDOUT: { number: 110, sentence: "Connection timed out" },
  EHWPOISON: { number: 133, sentence: "Memory page has hardware error" },
};

/** `ENOMEM (Cannot allocate memory)`, as strace prints it; an unknown name alone. */
export function describeErrno(name: string): string {
  return Object.hasOwn(ERRNOS, name) ? `${name} (${ERRNOS[name].sentence})` : name;
}

/** The name of an errno number, or null. */
export function errnoName(number: number): string | null {
  return Object.entries(ERRNOS).find(([, info]) => info.number === number)?.[0] ?? null;
}
