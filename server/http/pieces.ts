/** Streams are written in pieces. */

/** UTF-16 units of a stream that are passed to the socket at once. */
export const PIECE = 64 * 1024;

/** A character of two units is not split. */
export const pieceEnd = (text: string, end: number): number => {
  if (end >= text.length) return text.length;
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? end - 1 : end;
};
