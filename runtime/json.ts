/**
 * Values of a workflow are journaled as JSON, in a separate copy. A reader gets the same value, whether it was stored
 * meanwhile or not, and whatever the author does with the object afterwards. A value that JSON would change is refused
 * by name.
 */

import type { Json } from '../machines/prompts.ts';
import { MAX_RESULT_DEPTH, tooDeepAt } from './nesting.ts';

/**
 * A copy as JSON. Members that are `undefined` are left out, and objects with a `toJSON`, such as dates, become its
 * result. Throws a TypeError that names the place of a value without JSON: functions, symbols, BigInts, numbers that
 * are not finite, `Map`, `Set` and other class instances, cycles.
 */
export const toJson = (value: unknown, what: string): Json => {
  const before = left;
  left = MAX_VALUES;
  try {
    return copied(value, 0);
  } catch (error) {
    if (error instanceof NoJson) throw new TypeError(`${what} cannot be written as JSON: ${error.words}`);
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new TypeError(`${what} cannot be written as JSON: ${reason}`, { cause: error });
  } finally {
    left = before;
  }
};

/** For display: the result of `JSON.stringify`, or null if there is none, or if it has more than `most` values. */
export const toJsonOrNull = (value: unknown, most = MAX_SHOWN): Json => {
  const before = left;
  left = most;
  try {
    return copied(value, 0);
  } catch (error) {
    return error instanceof TooMany ? null : leniently(value, most);
  } finally {
    left = before;
  }
};

const leniently = (value: unknown, most: number): Json => {
  left = most;
  try {
    return fromText(value);
  } catch {
    return null;
  }
};

/**
 * Maximum number of members and items of a value, at all levels. An object that occurs several times counts each time:
 * thirty levels that each contain the next one twice are a thousand million. Copying this many takes about 50 ms, in
 * which the process does nothing else.
 */
const MAX_VALUES = 500_000;
/** The same for display. */
const MAX_SHOWN = 100_000;
/** The rest of that limit during a copy. */
let left = 0;

const count = (values: number): void => {
  left -= values;
  if (left < 0) throw new TooMany('it has too many members and items, all levels together; use fewer, or a text');
};

/** A copy of a JSON value. */
export const copyJson = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = new Array(value.length);
    for (let index = 0; index < value.length; index += 1) items[index] = copyJson(value[index]);
    return items as T;
  }
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    if (key === '__proto__') define(copy, key, copyJson(value[key]));
    else copy[key] = copyJson(value[key]);
  }
  return copy as T;
};

class NoJson extends Error {
  /** The path in the value; completed on the way out. */
  place = '';

  get words(): string {
    return this.place === '' ? this.message : `at ${this.place}: ${this.message}`;
  }
}
class TooMany extends NoJson {}

const copied = (value: unknown, depth: number): Json => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value + 0; // JSON has no -0
      throw new NoJson(`JSON has no number ${value}`);
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : copiedObject(value, depth);
    default:
      throw new NoJson(`it is a ${typeof value}`);
  }
};

const copiedObject = (value: object, depth: number): Json => {
  if (depth >= MAX_RESULT_DEPTH) throw new NoJson(`it has more than ${MAX_RESULT_DEPTH} levels, or goes in a circle`);
  if (Array.isArray(value)) {
    count(value.length);
    const items = new Array<Json>(value.length);
    for (let index = 0; index < value.length; index += 1) items[index] = member(value[index], depth, index);
    return items;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype) countBytes(value);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return fromText(value);
  if (prototype !== Object.prototype && prototype !== null && !isForeign(prototype)) {
    const { name } = (value.constructor ?? {}) as { name?: string };
    throw new NoJson(
      `it is a ${name || 'class instance'}; give plain objects, such as Object.fromEntries(map) or { ...it }`,
    );
  }
  const copy: Record<string, Json> = {};
  const keys = Object.keys(value);
  count(keys.length);
  for (const key of keys) {
    const each = (value as Record<string, unknown>)[key];
    if (each === undefined) continue;
    if (key === '__proto__') define(copy, key, member(each, depth, key));
    else copy[key] = member(each, depth, key);
  }
  return copy;
};

/** A plain object of another realm, such as that of a test runner. */
const isForeign = (prototype: object): boolean =>
  Object.getPrototypeOf(prototype) === null &&
  (prototype.constructor as { name?: string } | undefined)?.name === 'Object';

const fromText = (value: unknown): Json => {
  const text = JSON.stringify(value, counted);
  if (text === undefined) return null;
  if (tooDeepAt(text, MAX_RESULT_DEPTH) !== undefined) throw new NoJson(`it has more than ${MAX_RESULT_DEPTH} levels`);
  return JSON.parse(text);
};

const counted = (_key: string, value: unknown): unknown => {
  count(1);
  if (typeof value === 'object') countBytes(value);
  return value;
};

/** JSON converts each byte to a number or a member before the limits apply. */
const countBytes = (value: object | null): void => {
  if (ArrayBuffer.isView(value)) count(value.byteLength);
};

const member = (value: unknown, depth: number, key: string | number): Json => {
  if (typeof value === 'string') return value;
  try {
    return copied(value, depth + 1);
  } catch (error) {
    if (error instanceof NoJson && !(error instanceof TooMany))
      error.place = `${typeof key === 'number' ? `[${key}]` : `.${key}`}${error.place}`;
    throw error;
  }
};

const define = (target: object, key: string, value: unknown): void => {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
};
