import type { LabApi } from "../../host/api/labApi.ts";
import { say } from "../../i18n/format.ts";
import { takeToken } from "./launchToken.ts";
import { WebSocketApi, type Carrier, type Socket } from "./webSocketApi.ts";

declare global {
  interface Window {
    /** put there by preload in Electron */
    readonly hugelab?: LabApi;
  }
}

const carrier: Carrier = {
  open: (protocols) => {
    const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api`;
    return new WebSocket(address, [...protocols]) as Socket;
  },
  isThere: () =>
    fetch(location.pathname, { method: "HEAD", cache: "no-store" }).then(
      ({ ok }) => ok,
      () => false,
    ),
  later: (run, delayMs) => {
    const timer = setTimeout(run, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Preload cannot say sentences, and its calls reject when the main process is gone. */
function neverRejecting(api: LabApi): LabApi {
  return {
    host: api.host,
    invoke: (method, params) => api.invoke(method, params).catch(() => ({ ok: false, error: { code: "gone", sentence: say("renderer.client.gone") } })),
    on: (event, listener) => api.on(event, listener),
  };
}

/** The api of the host that this page belongs to: preload's in Electron, else the browser host's. */
export function connect(): LabApi {
  if (window.hugelab !== undefined) return neverRejecting(window.hugelab);
  const place = {
    location,
    storage: sessionStorage,
    replaceAddress: (address: string): void => {
      history.replaceState(null, "", address);
    },
  };
  const token = takeToken(place);
  // the whole address pasted into a tab that is open changes the fragment only
  window.addEventListener("hashchange", () => {
    if (location.hash !== "" && takeToken(place) !== null) location.reload();
  });
  return new WebSocketApi(carrier, token);
}
