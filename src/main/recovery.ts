/** When the page dies or hangs: the session is in the service, so a new page finds everything again. */
import { say } from "../i18n/format.ts";
import type { ElectronParts, WindowPart } from "./electronParts.ts";

/** A page that dies this often in this time is not started again without asking. */
const DEATHS_MAX = 3;
const DEATHS_MS = 60_000;

/**
 * Starts a dead page anew, and asks when that does not help; asks what to do with one that hangs.
 * @param nowMs a clock that does not go back
 */
export function recoverPage(window: WindowPart, { dialog, app }: Pick<ElectronParts, "dialog" | "app">, nowMs: () => number): void {
  let deaths: number[] = [];
  let asking = false;

  const ask = async (message: string, other: string): Promise<number> => {
    if (asking) return -1;
    asking = true;
    try {
      const answer = await dialog.showMessageBox({
        type: "warning",
        message,
        detail: say("main.nothingLost"),
        buttons: [say("main.reload"), other],
        defaultId: 0,
        cancelId: 1,
        noLink: true,
      });
      return answer.response;
    } finally {
      asking = false;
    }
  };
  const reload = (): void => {
    if (!window.isDestroyed()) window.webContents.reload();
  };

  window.webContents.on("render-process-gone", (_event, { reason }) => {
    if (reason === "clean-exit") return;
    const now = nowMs();
    deaths = [...deaths.filter((at) => now - at < DEATHS_MS), now];
    if (deaths.length <= DEATHS_MAX) {
      reload();
      return;
    }
    void ask(say("main.pageDied", { reason }), say("main.quit")).then((response) => {
      if (response === 0) reload();
      else if (response === 1) app.quit();
    });
  });
  window.on("unresponsive", () => {
    void ask(say("main.pageHangs"), say("main.wait")).then((response) => {
      if (response === 0) reload();
    });
  });
}
