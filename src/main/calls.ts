/** The bridge to the page: calls in, events out, over one channel. */
import type { IpcMainInvokeEvent } from "electron";
import { IPC_CHANNEL } from "../host/api/ipc.ts";
import type { EventName, Method, Reply } from "../host/api/labApi.ts";
import { isMethod } from "../host/api/names.ts";
import { say } from "../i18n/format.ts";
import type { ElectronParts, WindowPart } from "./electronParts.ts";
import { isOurs } from "./origin.ts";

/** What main needs of the service: it checks the parameters of a call itself and never rejects. */
export interface ServicePart {
  call(method: Method, params: unknown): Promise<Reply<Method>>;
  /** returns how to stop listening */
  onEvent(listener: (name: EventName, payload: unknown) => void): () => void;
  close(): Promise<void>;
}

/** Is it the top frame of our own page? A frame that has gone by the time it is looked at is nobody's. */
function trusted(event: Pick<IpcMainInvokeEvent, "senderFrame">): boolean {
  const frame = event.senderFrame;
  return frame !== null && frame.parent === null && isOurs(frame.url);
}

/** Calls are answered for our page only; anything else gets an exception, which names nothing. */
export function answerCalls(ipcMain: ElectronParts["ipcMain"], service: ServicePart): void {
  ipcMain.handle(IPC_CHANNEL, async (event, method: unknown, params: unknown): Promise<Reply<Method>> => {
    if (!trusted(event)) throw new Error("refused");
    if (!isMethod(method)) return { ok: false, error: { code: "badCall", sentence: say("main.noSuchMethod") } };
    return service.call(method, params);
  });
}

export function forwardEvents(service: ServicePart, window: WindowPart): () => void {
  return service.onEvent((name, payload) => {
    if (!window.isDestroyed() && !window.webContents.isDestroyed()) window.webContents.send(IPC_CHANNEL, name, payload);
  });
}
