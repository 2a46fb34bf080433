import type { ManTexts } from "../../shell/man/manText.ts";

/** Pages of the tools that the host adds to a session, in English. */
export const hostManEn: ManTexts = {
  fidelity: {
    summary: "show how far Hugelab agrees with real kernels",
    description:
      "Scripts were carried out on real kernels and everything a program can see of the result was recorded. For each area and release this prints how many of these observations Hugelab gives exactly as they were recorded, and every difference that is left with its reason.\n\nWhat was never recorded is not counted here.",
  },
};
