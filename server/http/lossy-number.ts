/**
 * Numbers in a JSON text that JavaScript would change: integers beyond 2^53, and numbers beyond the largest double. A
 * body with one is refused, because a workflow would get an amount, or an id, that was never sent.
 */

import { endOfText } from '../../runtime/index.ts';

export interface LossyNumber {
  /** As written in the text. */
  readonly written: string;
  /** The path to it. */
  readonly path: readonly (string | number)[];
}

/** Almost no body has this many digits in a row, or an exponent. */
const SUSPICIOUS = /\d{16}|\d[eE]\+?\d/;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STARTS_NUMBER = /[-\d]/;

/**
 * Returns the first one; undefined if there is none. The text must be JSON. Strings are skipped by hand: a regular
 * expression would exhaust its stack in a large one, such as an image.
 */
export const lossyNumberIn = (text: string): LossyNumber | undefined => {
  if (!SUSPICIOUS.test(text)) return undefined;
  const path: (string | number)[] = [];
  let [from, to] = [0, 0]; // of the last text
  for (let index = 0; index < text.length; index += 1) {
    const sign = text[index]!;
    if (sign === '"') {
      [from, to] = [index, endOfText(text, index)];
      index = to;
    } else if (sign === '[') path.push(0);
    else if (sign === '{') path.push('');
    else if (sign === ']' || sign === '}') path.pop();
    else if (sign === ',') {
      const place = path.at(-1);
      if (typeof place === 'number') path[path.length - 1] = place + 1;
    } else if (sign === ':') path[path.length - 1] = JSON.parse(text.slice(from, to + 1)) as string;
    else if (STARTS_NUMBER.test(sign)) {
      NUMBER.lastIndex = index;
      const [written] = NUMBER.exec(text)!;
      if (isLossy(written)) return { written, path };
      index += written.length - 1;
    }
  }
  return undefined;
};

const isLossy = (written: string): boolean => {
  const value = Number(written);
  if (!Number.isFinite(value)) return true;
  if (Number.isSafeInteger(value) || !/^-?\d+$/.test(written)) return false;
  return BigInt(written) !== BigInt(value) && written !== String(value); // JavaScript writes zeros after its last digit
};
