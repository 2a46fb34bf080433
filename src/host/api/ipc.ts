/** What goes between preload and Electron's main process: one channel, calls one way (`invoke`), events the other (`send`). */

/** the only channel of the app; a call carries method and params, an event its name and payload */
export const IPC_CHANNEL = "hugelab";
