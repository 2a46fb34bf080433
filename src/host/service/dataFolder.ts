import { posix, win32 } from "node:path";

export interface Environment {
  readonly [name: string]: string | undefined;
}

/**
 * The folder of everything that Hugelab keeps for this user; null where the machine has no place for it. HUGELAB_DATA names another one.
 * Relative paths do not count, as the XDG base directory specification says.
 */
export function dataFolder(env: Environment, platform: NodeJS.Platform, home: string): string | null {
  const paths = platform === "win32" ? win32 : posix;
  const absolute = (path: string | undefined): string | null => (path !== undefined && paths.isAbsolute(path) ? path : null);
  const chosen = absolute(env["HUGELAB_DATA"]);
  if (chosen !== null) return chosen;
  const atHome = absolute(home);
  if (platform === "win32") {
    const local = absolute(env["LOCALAPPDATA"]) ?? (atHome === null ? null : paths.join(atHome, "AppData", "Local"));
    return local === null ? null : paths.join(local, "Hugelab");
  }
  if (platform === "darwin") return atHome === null ? null : paths.join(atHome, "Library", "Application Support", "Hugelab");
  const shared = absolute(env["XDG_DATA_HOME"]) ?? (atHome === null ? null : paths.join(atHome, ".local", "share"));
  return shared === null ? null : paths.join(shared, "hugelab");
}
