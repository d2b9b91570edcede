/** Keys of objects: paths such as `reports/may.pdf`. They are names, and cannot lead out of a store. */
import { isName } from '../http/router.ts';

/** Bytes of UTF-8. */
const maxKeyBytes = 512;

/** Segments between slashes, safe on every system: not `..`, no backslash, no control character. */
export const isKey = (key: string): boolean =>
  Buffer.byteLength(key) <= maxKeyBytes &&
  !/[\\\p{Cc}\p{Cs}]/u.test(key) &&
  key.split('/').every((segment) => isName(segment));

/**
 * NAT's normalization of a path for a write: without empty segments and `.`; `..` removes the segment before it.
 * Undefined if nothing is left, if it leads out, or if it is not a key.
 */
export const keyFrom = (path: string): string | undefined => {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..' && segments.pop() === undefined) return undefined;
    if (segment !== '' && segment !== '.' && segment !== '..') segments.push(segment);
  }
  const key = segments.join('/');
  return isKey(key) ? key : undefined;
};

/** Throws a TypeError for an invalid key. */
export const requireKey = (key: string): void => {
  if (!isKey(key)) throw new TypeError(`${JSON.stringify(key.slice(0, 80))} cannot be the key of an object`);
};
