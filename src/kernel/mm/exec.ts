import type { Op } from "../sched/points.ts";
import { fail, type Result } from "./errno.ts";
import { mmAlloc, mmFree } from "./fork.ts";
import { faultAndAccount } from "./fault.ts";
import { FAULT, VMF_ERROR } from "./faultFlags.ts";
import { statAccount } from "./mmap.ts";
import type { Kernel } from "./kernel.ts";
import type { Task, Vma } from "./records.ts";
import { expandStack } from "./stack.ts";
import { changeVma, insertVma, vmaAt } from "./vma.ts";
import { VM } from "./vmFlags.ts";
import { refuseMemory } from "../why/refusal.ts";

/**
 * execve(2) as far as memory goes (fs/exec.c): the new address space, whose stack is a temporary one while the arguments are copied to it, takes the place of the old one.
 * The program itself is nothing: no mapping but the stack.
 */

/** vma_is_temporary_stack knows it by these (VM_STACK_INCOMPLETE_SETUP), which no program can have set together. */
const INCOMPLETE = VM.seqRead | VM.randRead;
const STACK_FLAGS = VM.read | VM.write | VM.mayRead | VM.mayWrite | VM.mayExec | VM.growsDown | VM.account;

/** bprm_mm_init: an address space with a stack of one page. PR_SET_THP_DISABLE is handed on (MMF_INIT_MASK). Its slot; 0 when memory is out. */
export function bprmMmInit(k: Kernel, task: Task): number {
  const { startBrk, mmapBase, thpDisable } = k.mms.get(task.mm);
  const mm = mmAlloc(k, { startBrk, brkBytes: startBrk * 4096, mmapBase, thpDisable });
  if (mm === 0) return 0;
  const end = k.geo.mapWindowPages;
  const flags = STACK_FLAGS | INCOMPLETE | VM.softDirty;
  insertVma(k, { mm, start: end - 1, end, flags, flagsHi: 0, pgoff: end - 1, file: 0, ops: "none", anonVma: 0, chain: [], name: "[stack]" });
  statAccount(k, mm, flags, 1);
  return mm;
}

const stackOf = (k: Kernel, mm: number): Vma => {
  const { vmas } = k.mms.get(mm);
  return k.vmas.get(vmas[vmas.length - 1]);
};

/** copy_strings: arguments of so many pages, from the top of the stack down. Each page is written by the kernel (get_arg_page). */
export function* copyStrings(k: Kernel, mm: number, pages: number): Op<Result> {
  const top = stackOf(k, mm).end;
  for (let vpn = top - 1; vpn >= top - pages; vpn--) {
    const vma = vmaAt(k, mm, vpn) ?? expandStack(k, stackOf(k, mm), vpn);
    // the stack's limit (get_arg_page lets arguments have a quarter of RLIMIT_STACK, which the caller has to have raised)
    if (vma === null) return fail("ENOMEM");
    const r = yield* faultAndAccount(k, vma, vpn, FAULT.remote | FAULT.write);
    if ((r & VMF_ERROR) !== 0) return refuseMemory(k, mm, "get_arg_page", "ENOMEM", 1);
  }
  return 0;
}

/** setup_arg_pages: from now on the stack is one like any other, and can be huge. */
export function setupArgPages(k: Kernel, mm: number): void {
  const vma = stackOf(k, mm);
  changeVma(k, vma.slot, { flags: vma.flags & ~INCOMPLETE });
}

/** exec_mmap: the process has the new address space, and the old one is freed. */
export function execMmap(k: Kernel, task: Task, mm: number): void {
  const old = task.mm;
  k.tasks.update(task.slot, { mm });
  mmFree(k, old);
}
