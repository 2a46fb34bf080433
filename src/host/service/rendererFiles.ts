import { extname, join, resolve, sep } from "node:path";

/** xterm.js makes style elements and attributes, so inline styles stay allowed (stack.md section 3); nothing else from anywhere else is. */
export const PAGE_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join("; ");

/** Endings of what a build of the renderer holds. */
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".json": "application/json; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
};

/** Headers for a file of the renderer, whichever host sends it. */
export function pageHeaders(file: string): Record<string, string> {
  return {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-security-policy": PAGE_CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
  };
}

/** Where the built renderer lies, below Hugelab's own folder. */
export function rendererFolder(root: string): string {
  return join(root, "out", "renderer");
}

/**
 * The file below `folder` that a path of an address stands for, or null when it stands for none there can be. Whether it exists is for
 * the reader to find out. `pathname` is as it stands in the address, percent signs and all.
 */
export function rendererFile(folder: string, pathname: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (!path.startsWith("/") || /[\0\\:]/.test(path)) return null;
  const top = resolve(folder);
  const file = join(top, path === "/" ? "index.html" : path);
  return file.startsWith(top + sep) ? file : null;
}
