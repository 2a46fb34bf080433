/** All that the page is given of Electron: three functions' worth, and nothing of ipcRenderer or its events. */
import { contextBridge, ipcRenderer } from "electron";
import { IPC_CHANNEL } from "../host/api/ipc.ts";
import type { LabApi } from "../host/api/labApi.ts";
import { isEvent, isMethod } from "../host/api/names.ts";

const bridge: LabApi = {
  host: "electron",
  invoke: (method, params) => {
    if (!isMethod(method)) return Promise.reject(new TypeError("no such method"));
    return ipcRenderer.invoke(IPC_CHANNEL, method, params) as ReturnType<LabApi["invoke"]>;
  },
  on: (event, listener) => {
    if (!isEvent(event)) throw new TypeError("no such event");
    const receive = (_event: unknown, name: unknown, payload: unknown): void => {
      if (name === event) listener(payload as never);
    };
    ipcRenderer.on(IPC_CHANNEL, receive);
    return () => {
      ipcRenderer.off(IPC_CHANNEL, receive);
    };
  },
};

contextBridge.exposeInMainWorld("hugelab", bridge);
