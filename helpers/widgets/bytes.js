// How bytes are written down, and how many there are, for the widgets that show them.

export const hexOf = (byte) => byte.toString(16).padStart(2, "0");
export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
