import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDiskFolder } from "./diskFolder.ts";

const isExt4 = statfsSync(tmpdir()).type === 0xef53;

it.runIf(isExt4)("makes the folder on ext4 and takes it away again, unless something was left in it", () => {
  const scratch = mkdtempSync(join(tmpdir(), "hugelab-disk-"));
  const path = join(scratch, "ext4");
  openDiskFolder(path)?.close();
  expect(existsSync(path)).toBe(false);
  const folder = openDiskFolder(path);
  writeFileSync(join(path, "left"), "");
  folder?.close();
  expect(existsSync(path)).toBe(true);
  // one that was there stays
  openDiskFolder(path)?.close();
  expect(existsSync(path)).toBe(true);
  rmSync(scratch, { recursive: true });
});

it.runIf(existsSync("/proc/self"))("refuses a folder that is on another file system, or cannot be made", () => {
  expect(openDiskFolder("/proc/self")).toBeNull();
  expect(openDiskFolder("/proc/self/hugelab")).toBeNull();
});
