import { conformMessagesEn } from "../conform/messages.en.ts";
import { labMessagesEn } from "../lab/messages.en.ts";
import { kernelMessagesEn } from "../kernel/messages.en.ts";
import { mainMessagesEn } from "../main/messages.en.ts";
import { observeMessagesEn } from "../observe/messages.en.ts";
import { rendererMessagesEn } from "../renderer/messages.en.ts";
import { programMessagesEn } from "../renderer/messages.enPrograms.ts";
import { sessionMessagesEn } from "../session/messages.en.ts";
import { terminalMessagesEn } from "../session/messages.enTerminal.ts";
import { shellMessagesEn } from "../shell/messages.en.ts";
import { storageMessagesEn } from "../storage/messages.en.ts";
import { cliEn } from "./en/cli.ts";
import { hostEn } from "./en/host.ts";

/**
 * Keys are `<folder of src>.<name>`. Sentences of hosts and front ends are here with their literal type, so that TypeScript checks
 * their arguments; those of the layers from kernel to lab come in as plain records, which tests/catalogue.test.ts checks.
 */
export const en = { ...cliEn, ...hostEn, ...mainMessagesEn, ...rendererMessagesEn, ...programMessagesEn } as const;

export type MessageKey = keyof typeof en;

/** Every English sentence: message key to template, `{name}` for an argument. */
export const catalogueEn: Readonly<Record<string, string>> = {
  ...en,
  ...kernelMessagesEn,
  ...conformMessagesEn,
  ...observeMessagesEn,
  ...shellMessagesEn,
  ...sessionMessagesEn,
  ...labMessagesEn,
  ...terminalMessagesEn,
  ...storageMessagesEn,
};
