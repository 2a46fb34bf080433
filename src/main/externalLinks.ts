/** Links that lead out of the app: a short list of places, over https only, and never without asking. */
import { say } from "../i18n/format.ts";
import type { ElectronParts } from "./electronParts.ts";

/** Where documents of Linux are. A host is added here when a text of ours links to it. */
const HOSTS: ReadonlySet<string> = new Set(["docs.kernel.org", "www.kernel.org", "lore.kernel.org", "git.kernel.org", "man7.org", "lwn.net"]);

/** The address if it may be opened outside, or null: https, a host of the list at its usual port, no name or password in it. */
export function linkAllowed(address: string): URL | null {
  const url = URL.parse(address);
  if (url === null || url.protocol !== "https:" || url.username !== "" || url.password !== "") return null;
  return HOSTS.has(url.host) ? url : null;
}

/** Asks before it opens a link in the person's own browser; one question at a time. */
export class LinkOpener {
  readonly #dialog: ElectronParts["dialog"];
  readonly #shell: ElectronParts["shell"];
  #asking = false;

  constructor({ dialog, shell }: Pick<ElectronParts, "dialog" | "shell">) {
    this.#dialog = dialog;
    this.#shell = shell;
  }

  /** Never rejects: a browser that cannot be started is said in a dialog. */
  async open(address: string): Promise<void> {
    const url = linkAllowed(address);
    if (url === null || this.#asking) return;
    this.#asking = true;
    try {
      const { response } = await this.#dialog.showMessageBox({
        type: "question",
        message: say("main.linkQuestion", { host: url.host }),
        detail: url.href,
        buttons: [say("main.linkOpen"), say("main.cancel")],
        defaultId: 1,
        cancelId: 1,
        noLink: true,
      });
      if (response === 0) await this.#shell.openExternal(url.href);
    } catch {
      this.#dialog.showErrorBox(say("main.title"), say("main.linkFailed", { address: url.href }));
    } finally {
      this.#asking = false;
    }
  }
}
