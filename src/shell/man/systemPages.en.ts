import type { ManTexts } from "./manText.ts";

/** Pages about files and the machine, in our own words. */
export const systemPagesEn: ManTexts = {
  falloc: {
    summary: "reserve or free parts of a file",
    description:
      "alloc makes sure that the range has memory or blocks, keep does so without changing the size, punch makes a hole, zero fills with zeros, collapse cuts the range out. A hole in a huge page of tmpfs splits it.",
    errnos: {
      EFBIG: "The file would be larger than the file system can have it.",
      EINVAL: "The length is 0, or for collapse the range is not made of whole blocks or reaches the end.",
      ENOSPC: "There is no room, for hugetlbfs no free huge page.",
      EOPNOTSUPP: "The file system cannot do this.",
      EPERM: "A seal of the file forbids it.",
    },
    notes: "Up to 6.12 a hole of 4 KiB in a huge page of tmpfs splits it into small pages; 6.18 keeps parts as large as possible.",
  },
  fadvise: {
    summary: "tell the kernel how a file will be used",
    description: "dontneed drops cached pages of the range that are not mapped, willneed reads them in, normal goes back to the default.",
    errnos: { EINVAL: "The advice or the range is impossible." },
  },
  memfd: {
    summary: "make a file that lives in memory",
    description: "The file has no directory; NAME stands for it in file=NAME. With hugetlb2M or hugetlb1G it consists of huge pages from the pool.",
    errnos: {
      EINVAL: "The size is impossible, for huge pages no multiple of theirs.",
      ENODEV: "There are no huge pages of this size.",
      ENOMEM: "There is no memory for the file.",
    },
  },
  memfd_close: {
    summary: "give a memfd up",
    description: "Closes the file; its memory is free when nothing maps it any more.",
    errnos: { EBADF: "It is closed already." },
  },
  uprobe: {
    summary: "put a breakpoint into the code of every process",
    description:
      "As perf does with a uprobe: set writes the breakpoint instruction at OFFSET of the file, in every private mapping that could be executed and cannot be written, and in those that come later; clear writes the instruction back. The file itself keeps its code: the process gets an anonymous copy of the page. In a huge page the PMD is split for that. When the instruction is back, the copy holds what the file holds and goes, and what is left of the huge page's table with it, so that the next access maps the huge page again. Known instructions are add (byte 0), push and pop (0x50 to 0x5f), nop (0x90) and ret (0xc3): fwrite f 0 2M 0x90 makes code.",
    errnos: {
      EEXIST: "There is one at this offset already.",
      EINVAL: "The offset lies behind the end of the file.",
      ENOENT: "There is none at this offset, or no such file.",
      ENOMEM: "There is no memory for the copy.",
      ENOTSUPP: "No breakpoint can stand on this instruction, for example on a breakpoint (0xcc). A number of the kernel's own, 524, that programs get to see.",
    },
    notes: "In 6.1 before its fix a removed breakpoint left the code mapped page by page: see era collapse-imap-lock and collapse-anon-vma.",
  },
  truncate: {
    summary: "set the size of a file",
    description: "Cuts a file off or extends it with a hole. Pages behind the new end disappear from all mappings: touching them is a SIGBUS.",
    errnos: {
      EFBIG: "The size is impossible.",
      EINVAL: "For hugetlbfs: the size is no multiple of the huge page size.",
      EPERM: "A seal of the file forbids it.",
    },
  },
  fwrite: {
    summary: "write into a file",
    description: "Writes LEN bytes of value BYTE (0x46) at OFFSET.",
    errnos: { EINVAL: "hugetlbfs files cannot be written so.", ENOSPC: "The file system is full." },
  },
  fread: {
    summary: "read from a file",
    description: "Reads LEN bytes at OFFSET; shows how many there were and the first one.",
    errnos: { EIO: "A page has a memory error." },
  },
  mount: {
    summary: "attach a file system",
    description:
      "tmpfs and hugetlbfs take OPTIONS (huge=always,size=64M; pagesize=2M,size=8M,min_size=4M); ext4 and xfs take a device first. NAME stands for the directory in file lines.",
    errnos: {
      EINVAL: "An option is unknown or has an impossible value.",
      ENODEV: "There is no such file system.",
      ENOMEM: "The pool of huge pages cannot reserve min_size.",
    },
  },
  umount: {
    summary: "detach a file system",
    description: "The file system disappears with all its files.",
    errnos: { EBUSY: "A file of it is still mapped or open.", EINVAL: "Nothing is mounted there." },
  },
  file: {
    summary: "make a file",
    description: "Makes the file NAME in a mounted directory (or at a path) and, with SIZE, gives it that size; its content is a hole.",
    errnos: { EINVAL: "The size is impossible there.", ENOENT: "There is no such directory.", ENOSPC: "The file system is full." },
  },
  sys: {
    summary: "read and set kernel files",
    description:
      "set writes VALUE to a file below /sys or /proc, get reads one. A path may begin with a short form: thp/ mthp/ khp/ hugetlb/ vm/ ksm/ debug/ memcg/. thp, mthp, khp, vm and ksm set a file by its name there, nr_hugepages and nr_overcommit the size of a pool of huge pages. echo VALUE > PATH and cat PATH do the same.",
    errnos: { EACCES: "The file cannot be written.", EINVAL: "The file does not take this value.", ENOENT: "This release has no such file." },
  },
  khugepaged: {
    summary: "let khugepaged look at all memory once",
    description: "scan makes PASSES full passes (1); khugepaged replaces small pages by huge ones where its rules allow it.",
  },
  ksm: {
    summary: "let ksm merge equal pages",
    description: "scan makes PASSES full passes (2) over mergeable memory; unmerge gives every process its own pages back.",
  },
  zram: {
    summary: "swap on or off",
    description: "on makes a compressed swap device of SIZE bytes, off brings everything back into memory.",
    errnos: { EBUSY: "It is in use.", EINVAL: "There is none, or the size is impossible.", ENOMEM: "What is in swap does not fit into memory." },
  },
  memcg: {
    summary: "limit memory of a process by a control group",
    description: "new makes a group with a limit and puts PROCESS into it, limit changes the limit.",
    errnos: { EBUSY: "More is in use and could not be reclaimed.", EINVAL: "The limit is impossible." },
  },
  drop_caches: {
    summary: "drop clean cached pages",
    description:
      "1 drops the page cache. 2 asks the other caches to shrink; among them is the queue of huge pages that wait to be split. 3 (the default) does both.",
    errnos: { EINVAL: "The value is none of 1, 2, 3, 4." },
  },
  compact: { summary: "move pages to make free memory contiguous", description: "Compacts all zones at once, as writing to /proc/sys/vm/compact_memory does." },
  sleep: { summary: "let simulated time pass", description: "Waits MS milliseconds of the machine's own time." },
};

/** Pages of the shell's tools. */
export const toolPagesEn: ManTexts = {
  cat: { summary: "print files", description: "Prints the files one after the other, or its input. -n numbers the lines." },
  echo: {
    summary: "print its arguments",
    description: "Prints the words with a blank between them and a newline, which -n leaves out. With > PATH it sets a kernel file.",
  },
  grep: {
    summary: "print lines that match a pattern",
    description:
      "-i ignores case, -v inverts, -n numbers, -c counts, -q prints nothing, -E takes extended and -F no special characters, -A N, -B N and -C N also print lines after, before and around. Status 0: a line matched; 1: none.",
  },
  head: { summary: "print the first lines", description: "Prints the first 10 lines, with -n N the first N." },
  tail: { summary: "print the last lines", description: "Prints the last 10 lines, with -n N the last N, with -n +N from line N on." },
  wc: { summary: "count lines, words and bytes", description: "Prints all three, or only those named by -l, -w, -c." },
  sort: {
    summary: "sort lines",
    description: "By bytes; -n by the number at their beginning, -r backwards, -u each only once, -k N by field N, -t C with fields separated by C.",
  },
  uniq: { summary: "drop repeated lines", description: "Of equal neighbouring lines prints one; -c says how many, -d only those repeated, -u only those not." },
  cut: { summary: "print parts of lines", description: "-f LIST prints fields separated by a tab or by -d C, -c LIST characters. LIST is like 1,3-5,7-." },
  tr: {
    summary: "replace characters",
    description: "Replaces each character of the first SET by that of the second; -d deletes, -s makes repeated ones one. a-z and [:upper:] are known.",
  },
  true: { summary: "succeed", description: "Does nothing, with status 0." },
  false: { summary: "fail", description: "Does nothing, with status 1." },
  ls: { summary: "list a directory", description: "Prints the names in a directory, one a line; -F marks directories, -l also says where links lead." },
  pwd: { summary: "print the directory", description: "Prints the directory that paths begin in." },
  cd: { summary: "change the directory", description: "Sets the directory that paths begin in; without DIR to /." },
  man: { summary: "show a page of this manual", description: "Section 2 has system calls, section 1 everything else." },
  help: { summary: "list commands, or say how one is typed", description: "Without NAME lists all commands with a line each." },
};
