/** dontneedLocked as the field writes it in words: dontneed_locked. */
export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
