import type { ManTexts } from "./manText.ts";

/** Pages of the calls on files and descriptors, in our own words. */
export const filePagesEn: ManTexts = {
  open: {
    summary: "open a file, or make one",
    description:
      "Returns a descriptor: the lowest number that is free, usually 3 for the first file, since 0, 1 and 2 are the terminal. One of O_RDONLY, O_WRONLY and O_RDWR must be there. O_CREAT makes the file where there is none, with the permissions mode (the umask is 022); with O_EXCL it must be a new one. O_TRUNC empties it, with O_APPEND every write goes to its end.\n\nThere are files of tmpfs below /dev/shm, /mnt/tmp and what mount has made, of ext4 below /mnt/ext4 and of xfs below /mnt/xfs. None of them has directories. openat starts at AT_FDCWD; creat(path, mode) is open with O_CREAT|O_WRONLY|O_TRUNC.",
    errnos: {
      EBADF: "openat was given a relative path and a directory that is not open.",
      EEXIST: "O_CREAT and O_EXCL were given and there is such a file.",
      EFAULT: "The path is no text.",
      EISDIR: "The path is a directory, and was to be written or made.",
      EMFILE: "The process has as many descriptors as RLIMIT_NOFILE allows.",
      ENAMETOOLONG: "The path has 4096 bytes or more, or a name in it more than 255.",
      ENOENT: "There is no such file, and O_CREAT was not given; or no such directory.",
      ENOTDIR: "What stands before a slash is a file.",
      EROFS: "The place belongs to no file system that can be written.",
    },
    notes: "Opening directories, O_PATH, O_TMPFILE and O_DIRECT, and files of /proc, /sys and /dev are not simulated yet.",
  },
  memfd_create: {
    summary: "make a file that lives in memory and has no path",
    description:
      "Returns a descriptor of an empty file of tmpfs that disappears with its last user; ftruncate gives it a size. maps shows it as /memfd:NAME (deleted). MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_EXEC and MFD_NOEXEC_SEAL are taken; seals are not simulated yet.",
    errnos: {
      EFAULT: "The name is no text.",
      EINVAL: "Flags are unknown or exclude each other, or the name is longer than 249 bytes.",
      EMFILE: "The process has as many descriptors as RLIMIT_NOFILE allows.",
    },
    notes: "MFD_EXEC and MFD_NOEXEC_SEAL are known from 6.3 on.",
  },
  close: {
    summary: "close a descriptor",
    description: "The number becomes free. Mappings of the file stay, and so does the file while something maps it or another descriptor leads to it.",
    errnos: { EBADF: "No such descriptor is open." },
  },
  dup: {
    summary: "give an open file another descriptor",
    description:
      "dup takes the lowest free number, dup2 and dup3 the one that is asked for, which is closed first. Both descriptors have one position in the file, as those of a parent and a child after fork.",
    errnos: {
      EBADF: "The first descriptor is not open, or the second is no possible number.",
      EINVAL: "dup3 was given unknown flags, or the same number twice.",
      EMFILE: "The process has as many descriptors as RLIMIT_NOFILE allows.",
    },
  },
  ftruncate: {
    summary: "set the size of a file",
    description:
      "Cuts the file off, or makes it longer with a hole. Pages behind the new end disappear from all mappings, private copies of them too: touching them is a SIGBUS. truncate(path, length) does so by path.",
    errnos: {
      EBADF: "No such descriptor is open.",
      EFAULT: "The path is no text.",
      EFBIG: "The file system has no files of this size.",
      EINVAL: "The length is negative, or the descriptor is not open for writing or no file.",
      EISDIR: "The path is a directory.",
      ENAMETOOLONG: "The path, or a name in it, is too long.",
      ENOENT: "There is no such file.",
      ENOTDIR: "What stands before a slash is a file.",
    },
  },
  fallocate: {
    summary: "reserve or free parts of a file",
    description:
      "mode 0 makes sure that the range has memory or blocks, FALLOC_FL_KEEP_SIZE does so without changing the size. FALLOC_FL_PUNCH_HOLE, which needs KEEP_SIZE, makes a hole; on ext4 and xfs FALLOC_FL_ZERO_RANGE fills with zeros and FALLOC_FL_COLLAPSE_RANGE cuts the range out. A hole in a huge page of tmpfs splits it.",
    errnos: {
      EBADF: "No such descriptor is open, or not for writing.",
      EFBIG: "The file would be larger than the file system can have it.",
      EINVAL: "The offset is negative, the length not above 0, or a range to be cut out is not made of whole blocks or reaches the end.",
      ENODEV: "The descriptor is no file.",
      ENOMEM: "There is no memory for the pages.",
      ENOSPC: "There is no room in the file system.",
      EOPNOTSUPP: "The file system cannot do this, or the flags do not go together.",
    },
  },
  posix_fadvise: {
    summary: "tell the kernel how a file will be used",
    description:
      "POSIX_FADV_DONTNEED drops cached pages of the range that are clean and not mapped, WILLNEED reads them in. SEQUENTIAL doubles how far this descriptor reads ahead, RANDOM ends it, NORMAL goes back. A length of 0 goes to the end of the file. On tmpfs nothing happens.\n\nThis is the system call, fadvise64; the function of the C library returns the errno itself.",
    errnos: { EBADF: "No such descriptor is open.", EINVAL: "The advice is unknown, or the length negative." },
  },
  read: {
    summary: "read from a file into memory",
    description:
      "Reads up to count bytes to the address buf and returns how many there were; 0 at the end of the file. read begins at the position of the descriptor and moves it on, pread at offset. Pages that are missing come into the page cache with some behind them; pages of buf are faulted in as for any write.",
    errnos: {
      EBADF: "The descriptor is not open, or not for reading.",
      EFAULT: "The buffer cannot be written.",
      EINVAL: "The offset is negative, or the count is.",
      EIO: "A page could not be read.",
      ESPIPE: "pread on the terminal, which has no positions.",
    },
    notes: "Reading from the terminal is not simulated.",
  },
  write: {
    summary: "write memory, or a text, into a file",
    description:
      'Writes count bytes from the address buf and returns how many it wrote. write begins at the position of the descriptor and moves it on, pwrite at offset; with O_APPEND both go to the end. In place of an address a text may stand, as in write(fd, "hello", 5).\n\nThe bytes are in the page cache then, and dirty; fsync brings them to the disk.',
    errnos: {
      EBADF: "The descriptor is not open, or not for writing.",
      EFAULT: "The buffer cannot be read.",
      EFBIG: "The file system has no files of this size.",
      EINVAL: "The offset is negative, or the count is.",
      EIO: "The disk failed.",
      ENOSPC: "There is no room in the file system.",
      ESPIPE: "pwrite on the terminal, which has no positions.",
    },
    notes: "Writing to the terminal is not simulated.",
  },
  lseek: {
    summary: "set the position of a descriptor",
    description:
      "SEEK_SET counts from the beginning of the file, SEEK_CUR from the position, SEEK_END from the end. SEEK_DATA goes to the next page that is there, SEEK_HOLE to the next that is not (on tmpfs; on ext4 and xfs it is not simulated yet). Descriptors made by dup and fork share one position.",
    errnos: {
      EBADF: "No such descriptor is open.",
      EINVAL: "The position would be negative or beyond what files can have, or whence is unknown.",
      ENXIO: "SEEK_DATA or SEEK_HOLE from the end of the file on, or there is no more data.",
      ESPIPE: "The terminal has no positions.",
    },
  },
  fsync: {
    summary: "write a file's changes to its device",
    description: "Waits until everything that was written is on the device; its pages are clean then. fdatasync does the same here. On tmpfs nothing happens.",
    errnos: { EBADF: "No such descriptor is open.", EINVAL: "The descriptor is no file.", EIO: "Writing failed." },
  },
  fstat: {
    summary: "tell about an open file",
    description: "Shows the kind of the file, its permissions, how many names it has and its size. Blocks and times are not simulated.",
    errnos: { EBADF: "No such descriptor is open.", EFAULT: "The result cannot be written there." },
  },
  shmget: {
    summary: "find or make a segment of SysV shared memory",
    description:
      "Returns the id of the segment with this key. IPC_PRIVATE, and a new key with IPC_CREAT, make one of size bytes, whose pages are zeros until they are touched. It lives until shmctl removes it, whoever made it. In the command form NAME stands for the segment, key=N gives a key, and there is none without.\n\nA segment is a file of the tmpfs that the kernel mounts for itself: shmem_enabled decides about its huge pages, the files of the smaller sizes do not count. maps shows it as /SYSV and its key.",
    errnos: {
      EEXIST: "IPC_CREAT and IPC_EXCL were given and there is such a segment.",
      EINVAL: "A new segment would have no size, or more than kernel.shmmax; or there is such a segment and it is smaller.",
      ENOENT: "There is no segment with this key, and IPC_CREAT was not given.",
      ENOMEM: "The overcommit rule forbids so many pages.",
      ENOSPC: "There are as many segments as kernel.shmmni allows.",
    },
    notes: "SHM_HUGETLB is not simulated yet.",
  },
  shmat: {
    summary: "map a segment of SysV shared memory",
    description:
      "The kernel chooses the place when shmaddr is NULL. SHM_RND rounds an address down to a page, SHM_REMAP replaces what is mapped there. SHM_RDONLY maps for reading, SHM_EXEC for executing too. In the command form NAME gets the memory and SEGMENT is the name of shmget; at=ADDRESS says where, noaddr leaves it to the kernel.\n\nEach fault maps one page, or the whole huge page if there is one: nothing is mapped around. Mappings of one segment do not merge as others do, and each counts in shm_nattch, also those that mprotect or munmap make by splitting.",
    errnos: {
      EAGAIN: "Memory is locked as it is mapped (mlockall), and that would be more than RLIMIT_MEMLOCK.",
      EINVAL: "There is no such segment; the address is no multiple of the page size; something is mapped there; or SHM_REMAP came without an address.",
      ENOMEM: "There is no room, or a limit forbids it.",
      EPERM: "SHM_REMAP would replace a sealed mapping.",
    },
  },
  shmdt: {
    summary: "unmap a segment of SysV shared memory",
    description: "Removes all mappings of the attachment that began at shmaddr, also when its beginning has been unmapped already.",
    errnos: { EINVAL: "No attachment began there, or the address is no multiple of the page size." },
  },
  shmctl: {
    summary: "ask about a segment of SysV shared memory, or remove it",
    description:
      "IPC_RMID (rmid) removes the segment: at once if nobody has it attached, else with the last mapping; until then it can be attached by its id. IPC_STAT (stat) shows it. cat /proc/sysvipc/shm lists all.",
    errnos: { EFAULT: "The result cannot be written there.", EINVAL: "There is no such segment, or no such command." },
    notes: "IPC_SET, IPC_INFO, SHM_INFO, SHM_STAT, SHM_LOCK and SHM_UNLOCK are not simulated yet.",
  },
  unlink: {
    summary: "remove a file's name",
    description: "The file itself lives on while something maps it or has it open.",
    errnos: {
      EFAULT: "The path is no text.",
      EISDIR: "The path is a directory.",
      ENAMETOOLONG: "The path, or a name in it, is too long.",
      ENOENT: "There is no such file.",
      ENOTDIR: "What stands before a slash is a file.",
    },
  },
};
