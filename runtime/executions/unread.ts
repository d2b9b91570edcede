/**
 * Published facts that a subscriber has not read yet. A journal may drop a large output as soon as the next fact is
 * appended; a subscriber that is behind for a moment still reads it from here. One that is far behind reads the journal.
 */
import type { JournalEntry } from '../../machines/facts.ts';
import type { JournalPage } from '../store/store.ts';
import { heapBytesOf } from './record-bytes.ts';

/** Approximate bytes of the facts of one subscriber. */
export const MAX_UNREAD_BYTES = 16 * 1024 * 1024;

export class UnreadFacts {
  #facts: { readonly fact: JournalEntry; readonly bytes: number }[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Facts arrive in order. After a gap, and beyond the limit, the earlier ones are dropped. */
  add(fact: JournalEntry): void {
    const last = this.#facts.at(-1);
    const bytes = heapBytesOf(fact);
    if (this.#bytes + bytes > MAX_UNREAD_BYTES || (last !== undefined && last.fact.seq + 1 !== fact.seq)) this.clear();
    this.#facts.push({ fact, bytes });
    this.#bytes += bytes;
  }

  /** The facts above a number; undefined if the journal has to be read. */
  after(seq: number): JournalPage | undefined {
    this.forget(seq);
    if (this.#facts[0]?.fact.seq !== seq + 1) this.clear();
    return this.#facts.length === 0
      ? undefined
      : { entries: this.#facts.map(({ fact }) => fact), truncatedThrough: null };
  }

  /** The facts up to a number were read. */
  forget(through: number): void {
    let count = 0;
    for (; count < this.#facts.length && this.#facts[count]!.fact.seq <= through; count += 1)
      this.#bytes -= this.#facts[count]!.bytes;
    if (count > 0) this.#facts.splice(0, count);
  }

  clear(): void {
    this.#facts = [];
    this.#bytes = 0;
  }
}
