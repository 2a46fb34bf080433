import type { ManTexts } from "../shell/man/manText.ts";

/** Pages of the tools that replay recorded programs, in English. */
export const conformManEn: ManTexts = {
  program: {
    summary: "replay a recorded program and compare it with its recording",
    description:
      "Real programs were recorded: their calls that change mappings, every page fault, every change of RSS. Without a word it lists them. PROGRAM carries one out on a machine of its own, the one it was recorded on, and says how many faults and RSS changes come out as recorded, how RSS grew, what the faults were about, and what differs and why. Your own machine stays as it is.\n\nA setting (enabled=always,64k=always, see sweep) is what you try instead: then the differences show what it changes.",
  },
  sweep: {
    summary: "a recorded program under many settings, as one table",
    description:
      "PROGRAM is replayed once for each setting, on a machine of its own. Each row says how many faults it took and of which size, RSS, memory that nobody wrote (bloat), what PMDs map, page tables, bytes zeroed and copied, simulated time; below stands why faults got less than a huge page, with the rule of the kernel and the first address. Without settings it takes 40 that are worth a look.\n\nA setting is NAME=VALUE, several joined by commas without blanks: enabled, defrag, shmem_enabled, use_zero_page, shrink_underused; a size (64k=always, 2M=inherit), all for every size below 2M; fault_around; prctl=disable or except-advised; release=6.12 or profile=NAME; or the path of a kernel file.\n\nWhere the recording has huge pages, only their first use is in it. A range A..B then says what it comes to if the program used nothing else of them, and if it used all.",
  },
  import: {
    summary: "make a script of the mappings of a process",
    description:
      "Reads /proc/PID/maps or smaps, from PATH or from a pipe, and prints the commands that make a machine with these mappings; of smaps also as much memory in them as there was. What the file does not say stands above it as remarks: which pages of a mapping are there, folios between 4 kB and 2 MB, settings.\n\nbin/hugelab import does the same with a file of your computer, and the app takes one that is dropped on its page of real programs.",
  },
};
