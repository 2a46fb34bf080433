/** English sentences of the storage layer: errors (each says the way on), notices of an opening, refused writes. */
export const storageMessagesEn = {
  "storage.error.damaged": "The file with saved progress ({file}) is damaged; it is kept as it is, and Hugelab can go on with a new one.",
  "storage.error.newer":
    "The file with saved progress ({file}) was written by a newer Hugelab: it can be read here but not changed; update Hugelab to go on with it.",
  "storage.error.locked": "Another Hugelab is using the saved progress ({file}); close it and try again.",
  "storage.error.full": "The disk is full, so this step could not be saved in {file}; nothing saved before is lost: free some space and try again.",
  "storage.error.unwritable": "Progress cannot be saved in {file}: the place cannot be written to; choose another place or ask for write permission.",
  "storage.error.notADatabase": "{file} is not a file of Hugelab's; it was left as it is: move it away or choose another place for saved progress.",
  "storage.notice.setAside": "The file with saved progress was damaged. It is kept as {kept}; a new one was started.",
  "storage.notice.newer": "The saved progress ({file}) was written by a newer Hugelab. It is shown, and nothing new is saved until Hugelab is updated.",
  "storage.notice.migrated": "The saved progress was brought from version {from} to version {to}; the file as it was before is kept as {kept}.",
  "storage.refused.tooLarge": "{what} has {actual} bytes; at most {most} can be saved.",
  "storage.refused.tooMany": "There can be at most {most} of {what}.",
  "storage.refused.malformed": "{what} cannot be saved: it is not of the right form.",
  "storage.refused.notFound": "{what} is not there.",
  "storage.refused.nameTaken": "There is already a learner with the name {what}.",
};
