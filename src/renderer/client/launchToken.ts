/** The token of a launch: it comes in the address's fragment, moves to sessionStorage and leaves the address, so that it is neither logged nor copied along. */

const STORED_AS = "hugelab.token";

/** What of the browser is needed; tests give their own. */
export interface TokenPlace {
  readonly location: { readonly hash: string; readonly pathname: string; readonly search: string };
  readonly storage: { getItem(name: string): string | null; setItem(name: string, value: string): void };
  replaceAddress(address: string): void;
}

/** What may stand in a subprotocol of a WebSocket; anything else would make its constructor throw. */
const TOKEN = /^[A-Za-z0-9_-]{1,256}$/;

/** The token, or null when this tab was never given one. `#t=...` is what the host prints. */
export function takeToken(place: TokenPlace): string | null {
  const given = new URLSearchParams(place.location.hash.slice(1)).get("t");
  if (given === null || !TOKEN.test(given)) {
    const kept = place.storage.getItem(STORED_AS);
    return kept !== null && TOKEN.test(kept) ? kept : null;
  }
  place.storage.setItem(STORED_AS, given);
  place.replaceAddress(place.location.pathname + place.location.search);
  return given;
}
