/** What pages may do besides showing themselves: nothing. */
import type { AppPart, SessionPart } from "./electronParts.ts";
import type { LinkOpener } from "./externalLinks.ts";
import { isOurBlob, isOurs } from "./origin.ts";

/**
 * For every page that ever exists: its main frame stays in our own origin, other frames go nowhere, no redirect, no <webview>, no second window.
 * A link that wants a new window is opened outside, if it is on the list and the person says so.
 */
export function confineContents(app: AppPart, links: LinkOpener): void {
  app.on("web-contents-created", (_event, contents) => {
    contents.on("will-frame-navigate", (details) => {
      if (!details.isMainFrame || !isOurs(details.url)) details.preventDefault();
    });
    contents.on("will-redirect", (details) => {
      details.preventDefault();
    });
    contents.on("will-attach-webview", (event) => {
      event.preventDefault();
    });
    contents.setWindowOpenHandler(({ url }) => {
      void links.open(url);
      return { action: "deny" };
    });
  });
}

/** The one permission that the page has: "copy" in the terminal writes text to the clipboard. Reading it is never allowed (pasting needs no permission). */
const mayUse = (permission: string, address: string): boolean => permission === "clipboard-sanitized-write" && isOurs(address);

/** No permissions, no devices, no network: Electron says yes to all of it unless it is told otherwise. */
export function confineSession(session: SessionPart, devtools: boolean): void {
  session.setPermissionRequestHandler((_contents, permission, answer, details) => {
    answer(details.isMainFrame && mayUse(permission, details.requestingUrl));
  });
  session.setPermissionCheckHandler((_contents, permission, origin) => mayUse(permission, origin));
  session.setDevicePermissionHandler(() => false);
  // would fetch dictionaries
  session.setSpellCheckerEnabled(false);
  session.webRequest.onBeforeRequest((details, answer) => {
    const local = isOurs(details.url) || isOurBlob(details.url) || details.url.startsWith("data:");
    answer({ cancel: !local && !(devtools && details.url.startsWith("devtools:")) });
  });
  session.on("will-download", (event, item) => {
    if (!isOurBlob(item.getURL())) event.preventDefault();
  });
}
