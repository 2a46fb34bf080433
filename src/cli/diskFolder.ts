import { existsSync, mkdirSync, rmdirSync, statfsSync } from "node:fs";

/** f_type of statfs(2) for ext2 to ext4 (EXT4_SUPER_MAGIC): elsewhere the page cache behaves differently. */
const EXT4_TYPE = 0xef53;

/** The folder in which scripts of the area `file` make their files; `close` takes it away when it was made for them and is empty. */
export interface DiskFolder {
  close(): void;
}

/** Opens or makes the folder. Null where it is on no ext4, or may not be made. */
export function openDiskFolder(path: string): DiskFolder | null {
  let isMade = false;
  try {
    if (!existsSync(path)) {
      // not with `recursive`: below /proc that never ends (Node 24.21)
      mkdirSync(path);
      isMade = true;
    }
  } catch {
    return null;
  }
  const close = (): void => {
    if (!isMade) return;
    try {
      rmdirSync(path);
    } catch {
      // somebody uses it meanwhile
    }
  };
  if (statfsSync(path).type === EXT4_TYPE) return { close };
  close();
  return null;
}
