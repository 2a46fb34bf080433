import { say } from "../../i18n/format.ts";

/** Why a pack's bytes could not be read, one sentence; what they say is looked at later, by lab/. */
export class PackUnreadable extends Error {
  override readonly name = "PackUnreadable";
}

type Why = "host.pack.link" | "host.pack.tooBig" | "host.pack.notZip" | "host.pack.lies" | "host.pack.encrypted";

export function unreadable(why: Why): PackUnreadable {
  return new PackUnreadable(say(why));
}
