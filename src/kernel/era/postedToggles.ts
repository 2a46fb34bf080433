import type { Toggle } from "./toggles.ts";

const D = "thp-eligibility-collapse-hugefault.md";
const TITLE = 'mm/thp: fix "mm: thp: kill __transhuge_page_enabled()"';
const AUTHOR = "Zach O'Keefe";

/** Versions of patches as they were posted, which no release has: what was merged is another toggle. */
export const POSTED_TOGGLES: readonly Toggle[] = [
  {
    id: "huge-fault-fix-v1",
    title: "v1 of the fix: VM_NO_KHUGEPAGED stops those that collapse, and nobody else",
    since: null,
    symbol: "hugepage_vma_check",
    source: `${D} 1.4.c`,
    requires: ["merged-eligibility"],
    patch: { title: TITLE, author: AUTHOR, message: "CAAa6QmQw+F=o6htOn=6ADD6mwvMO=Ow_67f3ifBv3GpXx9Xg_g@mail.gmail.com, Aug 12 2023" },
    change: { specialGate: "collapse", trustsHugeFault: "nobody" },
  },
  {
    id: "huge-fault-fix-v2",
    title: "v2 of the fix: a fault also trusts a ->huge_fault handler; smaps does not know of it",
    since: null,
    symbol: "hugepage_vma_check",
    source: `${D} 1.4.d`,
    requires: ["merged-eligibility"],
    patch: { title: TITLE, author: AUTHOR, message: "20230818211533.2523697-1-zokeefe@google.com, Aug 18 2023" },
    change: { specialGate: "collapse", trustsHugeFault: "faults" },
  },
  {
    id: "huge-fault-fix-v3",
    title: "v3 of the fix: smaps asks for the handler too (v4, which was merged, has the same code)",
    since: null,
    symbol: "hugepage_vma_check",
    source: `${D} 1.4.e`,
    requires: ["merged-eligibility"],
    patch: { title: TITLE, author: AUTHOR, message: "20230821234844.699818-1-zokeefe@google.com, Aug 21 2023" },
    change: { specialGate: "collapse", trustsHugeFault: "faultAndSmaps" },
  },
];
