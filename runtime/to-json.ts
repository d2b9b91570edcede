/**
 * What a workflow gives is journaled as JSON: a reader must not get something else because it was stored in between.
 * Plain data, which it nearly always is, is kept as it is; everything else becomes what `JSON.stringify` makes of it.
 */
import { MAX_RESULT_DEPTH, tooDeepAt } from './nesting.ts';
import type { Json } from './prompts.ts';

/** Deeper than that, nesting is left to `JSON.stringify`. */
const PLAIN_DEPTH = 64;

/** Throws a TypeError if there is no JSON for it: a circle, a BigInt, something that cannot be read, or is too deep. */
export const toJson = (value: unknown, what: string): Json => {
  try {
    if (isPlain(value, 0)) return value;
    const text = JSON.stringify(value);
    if (text === undefined) return null;
    if (tooDeepAt(text, MAX_RESULT_DEPTH) !== undefined)
      throw new TypeError(`it has more than ${MAX_RESULT_DEPTH} levels`);
    return JSON.parse(text);
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new TypeError(`${what} cannot be written as JSON: ${reason}`, { cause: error });
  }
};

/** For what need not be written: null if it cannot be. */
export const toJsonOrNull = (value: unknown): Json => {
  try {
    return toJson(value, 'It');
  } catch {
    return null;
  }
};

const isPlain = (value: unknown, depth: number): value is Json => {
  if (typeof value !== 'object')
    return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
  if (value === null) return true;
  if (depth === PLAIN_DEPTH) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isPlain(item, depth + 1)) return false;
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) if (!isPlain((value as Record<string, unknown>)[key], depth + 1)) return false;
  return true;
};
