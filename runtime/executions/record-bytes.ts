/** The approximate heap usage of records in memory: callers decide the size of their inputs and results. */
import type { Execution } from './execution.ts';

/** The approximate bytes of a JSON value in V8's heap: nested values take many times their length as text. */
export const heapBytesOf = (value: unknown): number => {
  if (typeof value === 'string') return textBytes(value);
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 56;
  if (Array.isArray(value)) for (const item of value) bytes += 8 + heapBytesOf(item);
  else for (const key in value) bytes += textBytes(key) + heapBytesOf((value as Record<string, unknown>)[key]);
  return bytes;
};

/**
 * V8 stores a text of Latin-1 characters with one byte for each, and any other with two. The test costs nothing for the
 * length of the first, but 50 ns for each text, so a short one counts as if it were wide.
 */
const textBytes = (text: string): number =>
  24 + (text.length < SHORT || isWide.test(text) ? 2 * text.length : text.length);

const SHORT = 64;

const isWide = /[^\0-\xff]/;

export class RecordBytes {
  readonly #limit: number;
  #total = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether this many more bytes would exceed the limit. */
  isExceededBy(bytes: number): boolean {
    return this.#total + bytes > this.#limit;
  }

  add(execution: Execution, bytes: number): void {
    execution.recordBytes += bytes;
    this.#total += bytes;
  }

  release(execution: Execution): void {
    this.#total -= execution.recordBytes;
    execution.recordBytes = 0;
  }
}
