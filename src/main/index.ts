/** Entry of the desktop app, built to out/main/index.js. Nothing here may wait for Electron to be ready (see start.ts). */
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { app, BrowserWindow, dialog, ipcMain, Menu, protocol, screen, session, shell } from "electron";
import { dataFolder } from "../host/service/dataFolder.ts";
import { openService } from "../host/service/openService.ts";
import { rendererFolder } from "../host/service/rendererFiles.ts";
import { start } from "./start.ts";

/** Two folders up from the built entry, in the repository as in the packed archive: labs/, conformance/ and out/ are there. */
const root = fileURLToPath(new URL("../..", import.meta.url));
const data = dataFolder(process.env, process.platform, homedir());

start(
  { app, BrowserWindow, dialog, ipcMain, Menu, protocol, screen, session, shell },
  // the worker's entry lies beside this one; a shared module would not know where it was built to
  () => openService({ host: "electron", root, dataFolder: data, engineUrl: new URL("./engine.js", import.meta.url), version: app.getVersion() }),
  {
    rendererFolder: rendererFolder(root),
    preloadPath: join(root, "out", "preload", "index.cjs"),
    // one data folder for both hosts, so that progress is the same; Chromium's own files lie beside it
    profileFolder: data === null ? null : join(data, "window"),
    isMac: process.platform === "darwin",
  },
);
