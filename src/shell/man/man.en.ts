import type { ManTexts } from "./manText.ts";
import { filePagesEn } from "./filePages.en.ts";
import { memoryPagesEn } from "./memoryPages.en.ts";
import { processPagesEn } from "./processPages.en.ts";
import { systemPagesEn, toolPagesEn } from "./systemPages.en.ts";

/** The manual in English: every page of this layer. */
export const manEn: ManTexts = { ...memoryPagesEn, ...processPagesEn, ...filePagesEn, ...systemPagesEn, ...toolPagesEn };
