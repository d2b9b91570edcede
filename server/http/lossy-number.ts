/**
 * Numbers of a JSON text that JavaScript would read as other numbers: whole ones beyond 2^53, and those beyond the largest
 * there is. A body that has one is refused, since a workflow would get an amount, or an id, that was never sent.
 */

export interface LossyNumber {
  /** As it stands in the text. */
  readonly written: string;
  /** Members and places that lead to it. */
  readonly path: readonly (string | number)[];
}

/** Nearly no body has so many digits in a row, or an exponent. */
const SUSPICIOUS = /\d{16}|\d[eE]\+?\d/;
/** A text, a number, or one sign of structure. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[[\]{},:]/g;

/** The first one; undefined if there is none. The text has to be JSON. */
export const lossyNumberIn = (text: string): LossyNumber | undefined => {
  if (!SUSPICIOUS.test(text)) return undefined;
  const path: (string | number)[] = [];
  let last = '';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '[') path.push(0);
    else if (token === '{') path.push('');
    else if (token === ']' || token === '}') path.pop();
    else if (token === ',') {
      const place = path.at(-1);
      if (typeof place === 'number') path[path.length - 1] = place + 1;
    } else if (token === ':') path[path.length - 1] = JSON.parse(last) as string;
    else if (token[0] !== '"' && isLossy(token)) return { written: token, path };
    last = token;
  }
  return undefined;
};

const isLossy = (written: string): boolean => {
  const value = Number(written);
  if (!Number.isFinite(value)) return true;
  if (Number.isSafeInteger(value) || !/^-?\d+$/.test(written)) return false;
  return BigInt(written) !== BigInt(value) && written !== String(value); // JavaScript writes zeros behind its last digit
};
