/** Serves the built renderer as `hugelab://app/`. */
import { readFile } from "node:fs/promises";
import { pageHeaders, rendererFile } from "../host/service/rendererFiles.ts";
import { isOurs } from "./origin.ts";

/** @param folder of the built renderer; nothing outside it is ever read */
export function pageHandler(folder: string): (request: Pick<Request, "url" | "method">) => Promise<Response> {
  return async ({ url, method }) => {
    if (!isOurs(url)) return refusal(403);
    if (method !== "GET" && method !== "HEAD") return refusal(405);
    const file = rendererFile(folder, new URL(url).pathname);
    if (file === null) return refusal(404);
    try {
      const body = await readFile(file);
      return new Response(method === "HEAD" ? null : body, { headers: pageHeaders(file) });
    } catch {
      return refusal(404);
    }
  };
}

const refusal = (status: number): Response => new Response(null, { status });
