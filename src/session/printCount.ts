/** A count with commas between thousands, as perf prints it; the same on every platform. */
export const printCount = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
