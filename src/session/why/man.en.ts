import type { ManTexts } from "../../shell/man/manText.ts";

/** The page of `why`, in English. */
export const whyManEn: ManTexts = {
  why: {
    summary: "explain a page, a mapping, a counter, a setting or the last command",
    description:
      "Without words it explains the last command: what the kernel decided, and if it failed which check refused. With ADDRESS it says how the page is mapped and why so; with vma, folio or khugepaged in front why the mapping has its bounds and flags, why the folio has its order and is partially mapped, or what khugepaged made of it. With file NAME [OFFSET] it says why the page cache has that page of a file, or has none, and in a folio of what order. COUNTER is an item of /proc/vmstat, or one of a size as 64kB/split_deferred. FILE is the path of a kernel file: which step set it. @PROCESS chooses the process.\n\nThe step that last changed the thing is carried out once more from the state before it, and what the kernel decided on the way is shown with its causes: the setting, flag, argument or release behind each, and the command that made it so. Nothing changes by asking.",
  },
};
