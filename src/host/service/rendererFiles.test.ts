import { sep } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { PAGE_CSP, pageHeaders, rendererFile } from "./rendererFiles.ts";

it("finds files below the folder", () => {
  expect(rendererFile("/app", "/")).toBe("/app/index.html");
  expect(rendererFile("/app", "/assets/a%20b.js")).toBe("/app/assets/a b.js");
  expect(rendererFile("/app/", "/x/../y.css")).toBe("/app/y.css");
});

it("names nothing outside it, whatever is asked for", () => {
  for (const path of ["/..%2fsecret", "/%2e%2e/secret", "/..%5csecret", "/%00", "/%", "/%ff", "/c:%2fsecret", "/../app.secret", ".."])
    expect([path, rendererFile("/app", path)]).toEqual([path, null]);
  const piece = fc.constantFrom("/", "..", "%2e", "%2f", "%5c", "%252e", "app", ".", "a", "\\", "%00");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const file = rendererFile("/app", pieces.join(""));
      expect(file === null || (file.startsWith(`/app${sep}`) && !file.split(sep).includes(".."))).toBe(true);
    }),
  );
});

it("gives every file the policy and its type", () => {
  expect(pageHeaders("/app/index.html")).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": PAGE_CSP,
    "x-content-type-options": "nosniff",
  });
  expect(pageHeaders("/app/strange.exe")["content-type"]).toBe("application/octet-stream");
  expect(PAGE_CSP).not.toMatch(/script-src[^;]*unsafe|https?:|\*/);
});
