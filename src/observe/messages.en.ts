import { eligibilityMessagesEn } from "./eligibility/messages.en.ts";
import { pictureMessagesEn } from "./picture/messages.en.ts";

/** Sentences of the views, English. */
export const observeMessagesEn: Readonly<Record<string, string>> = { ...pictureMessagesEn, ...eligibilityMessagesEn };
