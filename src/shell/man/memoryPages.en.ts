import type { ManTexts } from "./manText.ts";

/** Pages of the calls that make and change mappings, in our own words. */
export const memoryPagesEn: ManTexts = {
  mmap: {
    summary: "map memory or a file into the address space",
    description:
      "Makes a new mapping of LEN bytes, rounded up to whole pages. No page is allocated yet: that is the work of the first access, unless MAP_POPULATE or MAP_LOCKED asks for it at once.\n\nIn the C form the kernel chooses the place when addr is NULL. In the command form each NAME owns 16 GiB of address space and the mapping is put at its beginning, or at at=ADDRESS; nothing that is mapped there is replaced unless the flag fixed says so, and noaddr leaves the place to the kernel.\n\nWhether a fault can be served with a huge page depends, among other things, on how the mapping lies: a block of 2 MiB that begins at a multiple of 2 MiB has to fit into it.\n\nfile=/dev/hugelab-mixed and the other devices of that directory map the memory of a simulated card, each in the way of another kind of driver; they are for MAP_SHARED, but for hugelab-anon.",
    errnos: {
      EACCES: "The file was not opened for reading, or a shared writable mapping was asked for and the file was not opened for writing.",
      EAGAIN: "MAP_LOCKED (or mlockall with MCL_FUTURE) would lock more memory than RLIMIT_MEMLOCK allows.",
      EBADF: "fd is not an open file, and MAP_ANONYMOUS was not given.",
      EEXIST: "MAP_FIXED_NOREPLACE was given and something is already mapped in the range.",
      EINVAL:
        "The length is 0; the offset or a fixed address is no multiple of the page size (for hugetlb: of the huge page size); none of MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE (or, from 6.11 on, MAP_DROPPABLE) was given; or there are no huge pages of the size in the flags.",
      ENODEV: "What fd leads to cannot be mapped, as a terminal.",
      ENOMEM:
        "No free range is long enough; the process has as many mappings as it may have; RLIMIT_AS, RLIMIT_DATA or the overcommit rule forbids it; or the pool of huge pages cannot reserve what the mapping may need.",
      EOPNOTSUPP: "MAP_SYNC was given with MAP_SHARED_VALIDATE and the file is not on persistent memory that can do it.",
      EOVERFLOW: "The offset and the length together go beyond 2^63 - 1, where no file reaches.",
      EPERM: "MAP_FIXED would replace a sealed mapping; the address is below vm.mmap_min_addr; or a seal of the file forbids a writable mapping.",
    },
    notes:
      "Anonymous mappings were placed without regard to huge pages up to 6.6. 6.7 and later align them to 2 MiB; from 6.12 on only when the length is a multiple of 2 MiB, from 6.13 on only without a hint address.\n\nFrom 6.7 on MAP_STACK also keeps transparent huge pages away. MAP_DROPPABLE is known from 6.11 on.",
  },
  munmap: {
    summary: "remove mappings",
    description:
      "Removes everything mapped in the range; a hole in it is no mistake. A mapping that is only partly in the range is split. A huge page that is cut loses its huge mapping; its memory as a whole comes back later, when the kernel splits it under pressure.",
    errnos: {
      EINVAL: "The address is no multiple of the page size, the length is 0, the range leaves the address space, or an end of it lies inside a hugetlb page.",
      ENOMEM: "Cutting a mapping in two would make more mappings than the process may have.",
      EPERM: "A mapping in the range is sealed.",
    },
    notes: "Sealing, and with it EPERM, exists from 6.10 on.",
  },
  mprotect: {
    summary: "change what may be done with mapped memory",
    description:
      "Sets the access rights of all pages in the range, which must be mapped without a hole. Mappings are split and merged as needed. Taking rights away changes page tables at once; a huge page that lies wholly in the range stays huge.",
    errnos: {
      EACCES: "The mapping may not have these rights, for example writing to a shared mapping of a file that was opened for reading.",
      EINVAL: "The address is no multiple of the page size, the rights contain unknown bits, or an end of the range lies inside a hugetlb page.",
      ENOMEM:
        "A part of the range is not mapped (what lies before it is changed nevertheless), there would be too many mappings, or the overcommit rule forbids to make private memory writable.",
      EPERM: "A mapping in the range is sealed.",
    },
    notes:
      "Giving write access back to pages of this process alone makes them writable at once from 6.2 on; before, the next write took a fault. Sealing exists from 6.10 on.",
  },
  mremap: {
    summary: "move or resize a mapping",
    description:
      "Changes the size of the mapping that begins at ADDRESS from OLD to NEW bytes. Shrinking unmaps the tail. Growing happens in place if there is room; else, with MREMAP_MAYMOVE (maymove), the mapping moves and its page tables with it, without copying a page.\n\nMREMAP_FIXED (fixed=ADDRESS) says where to, and replaces what is mapped there. MREMAP_DONTUNMAP (dontunmap) leaves the old mapping behind, empty. A huge page moves as one only when the old and the new address are both multiples of 2 MiB.",
    errnos: {
      EAGAIN: "The mapping is locked, and growing it would lock more than RLIMIT_MEMLOCK allows.",
      EFAULT: "There is no mapping at the old address, or the old range reaches over its end, or the kind of mapping cannot grow.",
      EINVAL:
        "An address is no multiple of the page size, NEW is 0, flags are unknown, the old and the new range overlap, MREMAP_FIXED or MREMAP_DONTUNMAP came without MREMAP_MAYMOVE, MREMAP_DONTUNMAP with two sizes, or a hugetlb mapping was to grow.",
      ENOMEM: "There is no room to grow in place and the mapping may not move; or no room anywhere, too many mappings, or a limit forbids it.",
      EPERM: "A mapping concerned is sealed.",
    },
    notes:
      "From 6.7 on page tables may be moved whole in more cases. From 6.17 on one call can move a range of several mappings, if its size does not change. Sealing exists from 6.10 on.",
  },
  madvise: {
    summary: "tell the kernel how memory will be used, or make it act",
    description:
      "Some advice sets a property of the mapping: hugepage and nohugepage (may faults and khugepaged use huge pages), dontfork, wipeonfork, mergeable and their opposites. Some acts on pages at once: dontneed drops them, free lets the kernel drop them while they stay unwritten, cold and pageout age them or write them to swap, populate_read and populate_write fault them in, collapse makes huge pages of small ones, guard_install makes touching the range a signal.\n\nA hole in the range is reported with ENOMEM, but the mapped parts have been treated. Several kinds of advice on part of a huge page split it.",
    errnos: {
      EACCES: "remove was given for memory that is not a shared writable mapping.",
      EAGAIN: "The kernel lacked memory to split a mapping; or, for collapse, a page was in use for a moment: try again.",
      EBUSY:
        "collapse: the memory control group had no room for the huge page, or (from 6.5 on) a userfaultfd waits for pages that are missing. soft_offline: the page could not be moved.",
      EFAULT: "populate_read or populate_write met a page that cannot be had, for example a guard.",
      EHWPOISON: "populate_read or populate_write met a page with a memory error.",
      EINVAL:
        "The address is no multiple of the page size, this release does not know the advice, or the advice is impossible here: collapse where the mapping may not have huge pages or holds no memory yet, dontneed on locked memory, free on anything but private anonymous memory, guard_install on locked memory.",
      EIO: "hwpoison or soft_offline could not deal with the page.",
      ENOMEM: "A part of the range is not mapped; or there was no memory to do it, for collapse no free huge page.",
      EPERM: "The range is sealed and the advice would throw its content away, or hwpoison needs a right the process lacks.",
    },
    notes:
      "collapse is known from 6.1 on, guard_install and guard_remove from 6.13 on for anonymous memory and from 6.15 on for all. What collapse returns when pages are missing under a userfaultfd changed with 6.5, from EINVAL to EBUSY.\n\n5.19, 6.0 and 6.1 differ in which mappings may have huge pages at all; era lists the changes.",
  },
  mincore: {
    summary: "ask which pages are in memory",
    description:
      "Says for each page of the range whether an access would find it in memory. The command form prints runs: 1x512,0x512 are 512 pages that are there and 512 that are not.",
    errnos: {
      EAGAIN: "The kernel had no memory for its own work.",
      EFAULT: "The vector cannot be written.",
      EINVAL: "The address is no multiple of the page size.",
      ENOMEM: "A part of the range is not mapped, or it leaves the address space.",
    },
  },
  msync: {
    summary: "write a mapped file back",
    description:
      "With MS_SYNC writes changed pages of shared file mappings in the range to their files and waits for them; MS_ASYNC leaves that to the kernel and only checks the range, as for anonymous memory.",
    errnos: {
      EBUSY: "MS_INVALIDATE was given and the range is locked.",
      EINVAL: "The address is no multiple of the page size, the flags are unknown, or MS_SYNC and MS_ASYNC came together.",
      EIO: "Writing the file failed.",
      ENOMEM: "A part of the range is not mapped.",
    },
  },
  mseal: {
    summary: "forbid changes to mappings for good",
    description:
      "After it the mappings in the range can be neither unmapped, moved, resized nor given other rights, until the process ends. Their content can still be written; but advice that would throw it away is refused where the memory is not writable.",
    errnos: {
      EINVAL: "Flags are not 0, the address is no multiple of the page size, or the range wraps around.",
      ENOMEM: "A part of the range is not mapped, or there is no memory to split a mapping.",
      ENOSYS: "This release has no mseal.",
    },
    notes: "Known from 6.10 on.",
  },
  brk: {
    summary: "move the end of the heap",
    description:
      "The heap is one anonymous mapping above the program. The C form brk(addr) sets its end, sbrk(increment) moves it and returns where it was; the command form moves it by DELTA bytes, which may be negative. The system call itself reports no errno: it returns the end as it is afterwards.",
    errnos: { ENOMEM: "The end cannot be moved there: RLIMIT_DATA, another mapping or the overcommit rule is in the way." },
  },
};
