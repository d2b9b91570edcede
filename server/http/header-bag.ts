/** The headers of a request as routes read them. */
import { noteRepeated } from './repeated-headers.ts';

/**
 * The prototype without members. Objects of one class share their hidden class, while `Object.create(null)` makes a
 * hash table each time; and a parked execution stores its headers.
 */
class Bag {
  [name: string]: string;
}
Reflect.deleteProperty(Bag.prototype, 'constructor');
Object.setPrototypeOf(Bag.prototype, null);

export const headerBag = (): Record<string, string> => new Bag();

/** Repeated ones are joined: `cookie` by `; `, all others by `, `. */
export const addHeader = (headers: Record<string, string>, lowerCaseName: string, value: string): void => {
  const before = headers[lowerCaseName];
  headers[lowerCaseName] =
    before === undefined ? value : `${before}${lowerCaseName === 'cookie' ? '; ' : ', '}${value}`;
  if (before !== undefined) noteRepeated(headers, lowerCaseName);
};
