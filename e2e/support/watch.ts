/** What must never happen in any test: an error in the console, an exception in the page, a request to anywhere but our own host. */
import type { Page } from "@playwright/test";

export class PageWatch {
  readonly #found: string[] = [];
  /** texts that a test expects, because it makes them happen */
  readonly #expected: RegExp[] = [];

  watch(page: Page): void {
    page.on("console", (message) => {
      if (message.type() === "error") this.#found.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.#found.push(`exception: ${String(error)}`));
    page.on("request", (request) => {
      if (!this.#isOurs(request.url(), page.url())) this.#found.push(`request: ${request.url()}`);
    });
    page.on("websocket", (socket) => {
      if (new URL(socket.url()).host !== new URL(page.url()).host) this.#found.push(`socket: ${socket.url()}`);
    });
  }

  expectErrors(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** Everything that was found and not expected. */
  found(): readonly string[] {
    return this.#found.filter((text) => !this.#expected.some((pattern) => pattern.test(text)));
  }

  #isOurs(address: string, page: string): boolean {
    const url = new URL(address);
    if (url.protocol === "data:" || url.protocol === "blob:") return true;
    if (url.protocol === "hugelab:") return url.host === "app";
    // the first request is made before the page has an address
    return url.hostname === "127.0.0.1" && (page === "about:blank" || url.host === new URL(page).host);
  }
}
