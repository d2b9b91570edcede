/** Facts for a subscriber that is behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalEntry } from '../../../machines/facts.ts';
import { MAX_UNREAD_BYTES, UnreadFacts } from '../../../runtime/executions/unread.ts';

const output = (seq: number, length = 1): JournalEntry => {
  return { type: 'output.emitted', call: seq, value: 'x'.repeat(length), seq, at: seq };
};

const seqsAfter = (unread: UnreadFacts, seq: number) => unread.after(seq)?.entries.map((entry) => entry.seq);

test('facts are given from the first unread one on, and nothing is left of those that were read', () => {
  const unread = new UnreadFacts();
  for (const seq of [3, 4, 5]) unread.add(output(seq, 1_000));

  assert.deepEqual(seqsAfter(unread, 2), [3, 4, 5]);
  assert.deepEqual(seqsAfter(unread, 4), [5]);
  assert.ok(unread.bytes < 2_000, `${unread.bytes}`);
  assert.equal(seqsAfter(unread, 5), undefined);
  assert.equal(unread.bytes, 0);
});

test('with a gap before them or between them the journal has to be read, and later facts are given again', () => {
  const unread = new UnreadFacts();
  for (const seq of [3, 4, 7, 8]) unread.add(output(seq));

  assert.equal(seqsAfter(unread, 2), undefined);
  for (const seq of [9, 10]) unread.add(output(seq));

  assert.deepEqual(seqsAfter(unread, 8), [9, 10]);
});

test('a subscriber that reads nothing holds no more than the limit', () => {
  const unread = new UnreadFacts();
  let most = 0;
  for (let seq = 1; seq <= 100; seq += 1) {
    unread.add(output(seq, 1_000_000));
    most = Math.max(most, unread.bytes);
  }

  assert.ok(most > MAX_UNREAD_BYTES / 2 && most <= MAX_UNREAD_BYTES, `${most} bytes`);
  assert.equal(seqsAfter(unread, 0), undefined);
});
