/** Sizes and shares as a person reads them. */

const UNITS = ["KiB", "MiB", "GiB", "TiB"] as const;

/** 8192 is "8 MiB", 2052 is "2052 KiB", 1536 is "1.5 MiB": exact, or in the smaller unit. */
export function sizeOfKb(kb: number): string {
  let size = kb;
  let unit = 0;
  while (unit < UNITS.length - 1 && size >= 1024 && (size % 1024 === 0 || (size * 10) % 1024 === 0)) {
    size /= 1024;
    unit++;
  }
  return `${size} ${UNITS[unit]}`;
}

/** About as exact as three digits are. */
export function aboutKb(kb: number): string {
  let size = kb;
  let unit = 0;
  while (unit < UNITS.length - 1 && size >= 1024) {
    size /= 1024;
    unit++;
  }
  return `${size >= 100 || Number.isInteger(size) ? Math.round(size) : Number(size.toPrecision(3))} ${UNITS[unit]}`;
}

export const countText = (count: number): string => count.toLocaleString("en");

/** "+3", "−2"; nothing for 0. */
export const deltaText = (delta: number): string => (delta === 0 ? "" : delta > 0 ? `+${countText(delta)}` : `−${countText(-delta)}`);

/** Of a share that is not whole nothing may look whole: 99.96 % is "99.9 %", not "100 %". */
export function shareText(part: number, whole: number): string {
  if (whole === 0) return "–";
  if (part === whole) return "100 %";
  const percent = Math.floor((part / whole) * 1000) / 10;
  return `${percent.toFixed(1)} %`;
}
