import type { Catalogue } from "../../shell/renderMessage.ts";

/** Sentences of bisect, English. Kernel terms and names of changes are never translated. */
export const bisectMessagesEn: Catalogue = {
  "session.bisect.changedBy": "Changed by:",
  "session.bisect.same": "Both answer the same: there is nothing to look for.",
  "session.bisect.switchedOff": "(switched off) ",
  "session.bisect.fix": "{field}: a backport or a change of the vendor, which this kernel has besides its release",
  "session.bisect.rest": "no change of behaviour: the configuration, the memory or the CPUs of the machine, or how its release words kernel files",
  "session.bisect.alone": "That change alone makes {machine} answer so.",
  "session.bisect.together": "On {machine} it takes these together, and none of them can be left out: {ids}",
  "session.bisect.without": "{machine} without it answers:",
  "session.bisect.otherReason": "{machine} answers the same without it: something else has the same effect there.",
  "session.bisect.earlier": "On the way there it had changed before, with:",
  "session.bisect.nothing": "bisect: name a machine to compare with, by its profile or release",
  "session.bisect.machine": "bisect: there is no profile or release {word}",
  "session.bisect.machineNear": "bisect: there is no profile or release {word}; did you mean {suggestion}?",
  "session.bisect.noLine": "bisect: state {id} is none of those that led here; history lists them",
  "session.bisect.noDifference": "{machine} prints the same for every line that led here: there is nothing to look for.",
  "session.bisect.sameLine": "{machine} prints the same for this line: there is nothing to look for.",
  "session.bisect.line": "State {id}: {command}",
  "session.bisect.stopped": "bisect was stopped",
};
