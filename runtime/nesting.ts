/** How deep and how many: values of JSON are bounded before they are parsed. */

/**
 * Objects and lists inside one another: `JSON.stringify` recurses, and would exhaust the stack of whatever writes them later. NAT
 * fails at Python's limit of a thousand calls; recursive schemas fail earlier.
 */
export const MAX_DEPTH = 200;
/** The same for what workflows give: it may be made of several things that came from outside. */
export const MAX_RESULT_DEPTH = 1_000;
/**
 * Members and items of what comes from outside, all levels together. Parsing and checking a million of them takes seconds, in which
 * the process does nothing else.
 */
const MAX_RECEIVED_VALUES = 250_000;

/** Index of the first bracket of a JSON text that opens one level too many; undefined if none does. */
export const tooDeepAt = (text: string, limit = MAX_DEPTH): number | undefined =>
  text.length <= limit ? undefined : firstFault(text, limit, Number.POSITIVE_INFINITY)?.at;

/** Why a JSON text from outside is not parsed: where, and what it may have at most. Undefined for a text that may be. */
export const boundsFault = (text: string): { readonly at: number; readonly most: string } | undefined =>
  text.length <= MAX_DEPTH ? undefined : firstFault(text, MAX_DEPTH, MAX_RECEIVED_VALUES);

const firstFault = (text: string, maxDepth: number, maxValues: number) => {
  let depth = 0;
  let values = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"') index = endOfText(text, index);
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === '{' || character === '[') {
      if ((depth += 1) > maxDepth) return { at: index, most: `${maxDepth} levels` };
      values += 1;
    } else if (character === ',') values += 1;
    if (values > maxValues) return { at: index, most: `${maxValues} values` };
  }
  return undefined;
};

/** Index of the closing quote of a text in JSON, or of the end where there is none. */
export const endOfText = (text: string, opening: number): number => {
  let index = opening + 1;
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return index;
};
