/** The one place that the window shows: `hugelab://app/`. */

export const SCHEME = "hugelab";
const HOST = "app";
export const PAGE_URL = `${SCHEME}://${HOST}/`;

/** Does the address lie in our own scheme and host? URL.origin is of no use: Node gives the text "null" for every scheme it does not know. */
export function isOurs(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && url.protocol === `${SCHEME}:` && url.host === HOST && url.username === "" && url.password === "";
}

/** A file that the page itself made: what is exported is offered as one. */
export function isOurBlob(address: string): boolean {
  return address.startsWith("blob:") && isOurs(address.slice("blob:".length));
}
