/** Keys of objects: paths such as `reports/may.pdf`, which are names and lead nowhere, whatever a store makes of them. */
import { isName } from '../http/router.ts';

/** Bytes of UTF-8. */
const maxKeyBytes = 512;

/** Segments between slashes that mean themselves on every system: not `..`, no backslash, no control character. */
export const isKey = (key: string): boolean =>
  Buffer.byteLength(key) <= maxKeyBytes &&
  !/[\\\p{Cc}\p{Cs}]/u.test(key) &&
  key.split('/').every((segment) => isName(segment));

/**
 * The key that NAT makes of a path to write at: without empty segments and `.`, and `..` takes back the one before.
 * Undefined if nothing is left, if it leads out, or if it is no key.
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

/** Throws a TypeError for what is no key. */
export const requireKey = (key: string): void => {
  if (!isKey(key)) throw new TypeError(`${JSON.stringify(key.slice(0, 80))} cannot be the key of an object`);
};
