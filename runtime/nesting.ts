/** How deep values may be nested. `JSON.stringify` recurses, and would exhaust the stack of whatever writes them later. */

/** Objects and lists inside one another. NAT fails at Python's limit of a thousand calls; recursive schemas fail earlier. */
export const MAX_DEPTH = 200;
/** The same for what workflows give: it may be made of several things that came from outside. */
export const MAX_RESULT_DEPTH = 1_000;

/** Index of the first bracket of a JSON text that opens one level too many; undefined if none does. */
export const tooDeepAt = (text: string, limit = MAX_DEPTH): number | undefined => {
  if (text.length <= limit) return undefined;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"') index = endOfText(text, index);
    else if (character === '}' || character === ']') depth -= 1;
    else if ((character === '{' || character === '[') && (depth += 1) > limit) return index;
  }
  return undefined;
};

/** Index of the closing quote, or of the end where there is none. */
const endOfText = (text: string, opening: number): number => {
  let index = opening + 1;
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index;
};
