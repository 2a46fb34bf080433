/** FAULT_FLAG_* (bit positions of include/linux/mm_types.h). */
export const FAULT = { write: 1, unshare: 1 << 10, user: 1 << 6, remote: 1 << 7, instruction: 1 << 8, tried: 1 << 5 } as const;

/** VM_FAULT_* */
export const VMF = {
  oom: 0x1,
  sigbus: 0x2,
  major: 0x4,
  hwpoison: 0x10,
  hwpoisonLarge: 0x20,
  sigsegv: 0x40,
  noPage: 0x100,
  retry: 0x400,
  fallback: 0x800,
  doneCow: 0x1000,
  completed: 0x4000,
} as const;

export const VMF_ERROR = VMF.oom | VMF.sigbus | VMF.sigsegv | VMF.hwpoison | VMF.hwpoisonLarge | VMF.fallback;
