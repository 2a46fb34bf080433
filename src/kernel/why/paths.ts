/** Where the kernel keeps the settings of huge pages. */
export const THP_DIR = "/sys/kernel/mm/transparent_hugepage";
