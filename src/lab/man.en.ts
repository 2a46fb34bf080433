import type { ManTexts } from "../shell/man/manText.ts";

/** Pages of the commands of a lab, in English. */
export const labManEn: ManTexts = {
  lab: {
    summary: "show the lab and where you are in it",
    description:
      "Without a word: the steps, and the text, the questions and the objectives of the step that you are at. With next, a number or the name of a step: that step. You may read ahead and go back as you like.",
  },
  check: {
    summary: "show what is reached and what is missing",
    description:
      "Lists the objectives of the lab. An x stands for one that was reached at some time in this attempt; undo does not take that back. Below an objective stands what was found just now. Checks are looked at after every command by themselves.",
  },
  hint: {
    summary: "ask for the next hint",
    description:
      "Shows one more hint for CHECK, or for the first objective that is not reached yet. Hints come in small steps; the last one is marked as the last. The lab remembers that you asked for hints, nothing else changes.",
  },
  predict: {
    summary: "answer a question of the lab before you try it",
    description:
      "Without a word: the questions that are open. With an answer: answers the open question of the step. QUESTION names another one. Your first answer counts; a wrong one does no harm, and the explanation comes with it.",
  },
  solution: {
    summary: "show the solution of the lab",
    description: "Says what it means to see it. With show: prints the lines. A lab that is solved after that counts as solved with help.",
  },
};
