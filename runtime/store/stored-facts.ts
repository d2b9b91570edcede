/** The rows of a journal: each is a list of facts with a checksum, and the first one begins with the start request. */
import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import type { JournalEntry } from '../../machines/facts.ts';
import { MAX_RESULT_DEPTH, tooDeepAt } from '../nesting.ts';
import { damaged } from './damage.ts';
import type { StoredOrigin } from './start-request-text.ts';

export interface StoredFacts {
  readonly entries: JournalEntry[];
  /** Of the entries, as text. */
  readonly bytes: number;
  readonly origin: StoredOrigin;
}

export interface FactsRow {
  readonly facts: Buffer;
  /** CRC-32; null in rows of old versions. */
  readonly sum: unknown;
  readonly seq: unknown;
}

/** The rows are in order. Throws `execution_damaged` if they are not as they were written. */
export const readJournal = (id: string, rows: readonly FactsRow[]): StoredFacts => {
  const { all, bytes } = readRows(id, rows);
  const [origin, ...entries] = all as [StoredOrigin, ...JournalEntry[]];
  if (typeof origin !== 'object' || origin === null || entries.length === 0) throw damaged(id, 'it has no beginning');
  if (!isNumbered(entries)) throw damaged(id, 'its facts are not numbered in their order');
  return { entries, bytes, origin };
};

/** The same for the last rows of a journal. Undefined if they are a whole journal, which has replaced earlier rows. */
export const readContinuation = (id: string, rows: readonly FactsRow[]): readonly JournalEntry[] | undefined => {
  const entries = readRows(id, rows).all as JournalEntry[];
  if (entries.length > 0 && entries[0]?.seq === undefined) return undefined;
  if (!isNumbered(entries)) throw damaged(id, 'its facts are not numbered in their order');
  return entries;
};

const readRows = (id: string, rows: readonly FactsRow[]): { readonly all: unknown[]; readonly bytes: number } => {
  const all: unknown[] = [];
  let bytes = 0;
  for (const { facts, sum, seq } of rows) {
    const read = readFacts(facts, sum);
    if (!Array.isArray(read)) throw damaged(id, `the row from ${seq} on ${read}`);
    bytes += facts.byteLength;
    for (const each of read) all.push(each);
  }
  return { all, bytes };
};

/** Describes a damaged row. Rows of older versions have no checksum. */
const readFacts = (read: Buffer, sum: unknown): readonly unknown[] | string => {
  if (!isUtf8(read)) return 'is not UTF-8';
  if (sum !== null && sum !== crc32(read)) return 'differs from what was written: its checksum is wrong';
  const text = read.toString();
  // Versions that wrote no checksum had no limit either.
  if (sum === null && tooDeepAt(text, MAX_STORED_DEPTH) !== undefined) return 'is nested too deeply';
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : 'is no list of facts';
  } catch {
    return 'is no JSON';
  }
};

/** A result in its fact, in the list of a row. */
const MAX_STORED_DEPTH = MAX_RESULT_DEPTH + 10;

const isNumbered = (entries: readonly (JournalEntry | null | undefined)[]): boolean => {
  let last = 0;
  for (const entry of entries) {
    const seq = entry?.seq;
    if (typeof seq !== 'number' || seq <= last) return false;
    last = seq;
  }
  return true;
};
