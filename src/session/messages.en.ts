import type { Catalogue } from "../shell/renderMessage.ts";
import { bisectMessagesEn } from "./bisect/messages.en.ts";
import { diffMessagesEn } from "./diff/messages.en.ts";
import { rulesMessagesEn } from "./eligibility/messages.en.ts";
import { threadMessagesEn } from "./threads/messages.en.ts";
import { whyMessagesEn } from "./why/messages.en.ts";

/** Sentences of the session, English. Kernel terms and errno names are never translated. */
export const sessionMessagesEn: Catalogue = { ...bisectMessagesEn, ...diffMessagesEn, ...rulesMessagesEn, ...threadMessagesEn, ...whyMessagesEn };
