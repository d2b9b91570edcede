/** Keys of objects: paths such as `reports/may.pdf`, which are names and lead nowhere, whatever a store makes of them. */
import { isName } from './router.ts';

/** Bytes of UTF-8. */
const maxKeyBytes = 512;

/** Segments between slashes that mean themselves on every system: not `..`, no backslash, no control character. */
export const isKey = (key: string): boolean =>
  Buffer.byteLength(key) <= maxKeyBytes &&
  !/[\\\p{Cc}\p{Cs}]/u.test(key) &&
  key.split('/').every((segment) => isName(segment));

/** Throws a TypeError for what is no key. */
export const requireKey = (key: string): void => {
  if (!isKey(key)) throw new TypeError(`${JSON.stringify(key.slice(0, 80))} cannot be the key of an object`);
};
