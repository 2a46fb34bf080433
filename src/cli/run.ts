import { say } from "../i18n/format.ts";
import { exitStatus } from "./exitStatus.ts";

export function run(_args: string[]): Promise<number> {
  process.stderr.write(say("cli.notYet", { name: "run" }) + "\n");
  return Promise.resolve(exitStatus.unavailable);
}
