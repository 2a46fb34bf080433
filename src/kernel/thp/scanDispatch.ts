import type { Kernel } from "../mm/kernel.ts";
import type { Vma } from "../mm/records.ts";

/**
 * Which scanner looks at a block: that of the page cache, or that of page tables, which is for anonymous memory. The question is asked as
 * `IS_ENABLED(CONFIG_SHMEM) && vma->vm_file`: a kernel without CONFIG_SHMEM looks at file mappings as if they were anonymous, and gives up at the
 * first page that is not (SCAN_PAGE_ANON). Later the question is `!vma_is_anonymous(vma)`, as the review of the source document wants it.
 */
export const scansFile = (k: Kernel, vma: Vma): boolean => vma.ops !== "none" && (k.profile.config.shmem || k.era.scanDispatch === "file");
