import type { ManTexts } from "../shell/man/manText.ts";

/** Pages of the tools of a session, in English. */
export const sessionManEn: ManTexts = {
  pgtable: {
    summary: "walk the page tables to one address",
    description:
      "Prints the entry at each level with its raw bits and what they mean, from the top down to the page, the huge page or the empty entry that ends the walk.",
  },
  pagemap: {
    summary: "show what pagemap says about pages",
    description:
      "Prints for each page of the range its word in /proc/self/pagemap and, for a page in memory, the frame with its /proc/kpageflags and /proc/kpagecount. Without LEN one page. The files themselves are binary; /proc/self/pagemap has a word for every page of the address space and is too long to be printed.",
  },
  ps: {
    summary: "list processes",
    description: "Prints name, PID, address space and resident memory in kB. The current process is marked; @NAME alone on a line makes NAME the current one.",
  },
  dmesg: { summary: "show what the kernel logged", description: "Prints the lines of the simulated boot: release, profile, memory, CPUs." },
  era: {
    summary: "list the behaviours that changed between releases",
    description:
      "Without ID lists every change from 5.19 to 6.18 with the release that brought it; a + marks those this machine has. With ID says what the change is, the kernel function to look for and where it is described.",
  },
  undo: {
    summary: "take the last command back",
    description: "Goes back to the state before the last command that changed something. Nothing is lost: redo and goto lead to it again.",
  },
  redo: { summary: "do again what undo took back", description: "Goes forward along the branch that was left last." },
  goto: { summary: "go to a numbered state", description: "N is a number that history prints and the prompt shows; 0 is the machine as it was booted." },
  history: {
    summary: "show the commands as a tree",
    description:
      "Every command that changed something, with the number of the state after it. A * marks where you are. What was typed after an undo stands as a branch of its own. A ! marks a command in which the simulator itself failed: it changed nothing.",
  },
  perf: {
    summary: "count what the machine does while a command runs",
    description:
      "perf stat COMMAND carries out COMMAND, a line of any form, and then prints what the simulated machine counted meanwhile: page faults (those of the processes as hardware exceptions, minor and major ones as the kernel counts them, which includes those it takes on behalf of a process), walks of the page tables after a miss in the TLB, the thp_ items of /proc/vmstat, and simulated time from the cost sheet. It is no measurement of a real machine. The simulated TLB is small and without prefetching; compare its counts with each other, not with those of your processor. Options of the real perf stat are passed over.",
  },
  watch: {
    summary: "print what changes in files and counters after each command",
    description:
      "watch FILE|COUNTER.. remembers them; after each command the terminal prints which of them has changed: a counter of /proc/vmstat with both values, a file by its lines that are gone (-) and new (+). Nothing changes by itself in the simulated machine, so this shows all that the real watch would. watch alone lists what is watched; watch off ends it, for all or for those that are named. What is watched belongs to the state of the session: undo takes a watch back too.",
  },
  quit: { summary: "leave the terminal", description: "So does Ctrl-D. The operation exit ends a process of the simulated machine, not the terminal." },
};
