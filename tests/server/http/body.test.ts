import assert from 'node:assert/strict';
import test from 'node:test';
import { Backlog } from '../../../server/http/backlog.ts';
import { type BodyOutcome, framingFault, readBody } from '../../../server/http/body.ts';
import { fakeTimers } from '../../support/http.ts';

const given = {
  /** A body that is being read; the memory of a `chunk` is emptied afterwards, as a library may do. */
  reading: ({ announced = Number.NaN, maxBodyBytes = 100, requestTimeoutMs = 10_000 } = {}) => {
    const timers = fakeTimers();
    const outcomes: BodyOutcome[] = [];
    const seen = { waitedLonger: 0, gone: (): void => {} };
    let take: (chunk: Uint8Array, isLast: boolean) => void = () => {};
    const request = {
      read: (handler: typeof take) => {
        take = handler;
      },
      waitLonger: () => void (seen.waitedLonger += 1),
    };
    const sender = {
      client: { host: '', port: 0 },
      onGone: (listener: () => void) => {
        seen.gone = listener;
      },
    };
    const limits = { maxBodyBytes, requestTimeoutMs, after: timers.after, unread: new Backlog(1e9) };
    readBody(request, sender, announced, limits, (outcome) => outcomes.push(outcome));
    const chunk = (text: string, isLast = false): void => {
      const bytes = new TextEncoder().encode(text);
      take(bytes, isLast);
      bytes.fill(0);
    };
    return { outcomes, timers, seen, chunk };
  },
};

const shown = (outcomes: readonly BodyOutcome[]) => outcomes.map((outcome) => outcome?.toString());

test('a body is a copy of its chunks, which are taken back', () => {
  const { outcomes, chunk } = given.reading();

  for (const text of ['', 'a', 'bcdefgh', '', 'i']) chunk(text);
  chunk('jkl', true);

  assert.deepEqual(shown(outcomes), ['abcdefghijkl']);
});

test('a body may be exactly as long as the limit, and not a byte longer', () => {
  for (const [last, outcome] of [
    ['x'.repeat(50), 'x'.repeat(100)],
    ['x'.repeat(51), 'tooLarge'],
  ] as const) {
    const { outcomes, chunk } = given.reading({ maxBodyBytes: 100 });
    chunk('x'.repeat(50));
    chunk(last, true);

    assert.deepEqual(shown(outcomes), [outcome]);
  }
});

test('what comes after a refusal is not looked at', () => {
  const { outcomes, chunk } = given.reading({ announced: 101 });

  chunk('a');
  chunk('b', true);

  assert.deepEqual(outcomes, ['tooLarge']);
});

test('a body that is too large is dropped to its end, but not for ever', () => {
  const { outcomes, chunk } = given.reading({ maxBodyBytes: 100 });
  const megabyte = 'x'.repeat(1024 * 1024);

  for (let sent = 0; sent < 64; sent += 1) chunk(megabyte);
  assert.deepEqual(outcomes, []);
  chunk(megabyte);

  assert.deepEqual(outcomes, ['farTooLarge']);
});

test('a slow body gets its whole time from a library that would end it earlier', () => {
  const { outcomes, timers, seen, chunk } = given.reading({ requestTimeoutMs: 10_000 });
  chunk('a');

  const waits = [timers.elapse(), timers.elapse()];
  chunk('b');
  waits.push(timers.elapse());

  assert.deepEqual(waits, [4_000, 4_000, 2_000]);
  assert.equal(seen.waitedLonger, 2);
  assert.deepEqual(outcomes, ['tooSlow']);
  assert.equal(timers.waiting.length, 0);
});

test('a body that came at once sets no timer', () => {
  const { timers, chunk } = given.reading();

  chunk('abc', true);

  assert.equal(timers.waiting.length, 0);
});

test('no wait is left for a sender that has disconnected', () => {
  const { outcomes, timers, seen, chunk } = given.reading();
  chunk('a');

  seen.gone();

  assert.equal(timers.waiting.length, 0);
  assert.deepEqual(outcomes, []);
});

test('the end of a request is certain with one length, or in chunks, or without a body', () => {
  const certain = [{}, { 'content-length': '0' }, { 'content-length': '12' }, { 'transfer-encoding': 'Chunked' }];
  const uncertain = [
    { 'content-length': '1, 2' },
    { 'content-length': '' },
    { 'content-length': '1e3' },
    { 'content-length': '1'.repeat(16) },
    { 'transfer-encoding': '' },
    { 'transfer-encoding': 'gzip, chunked' },
    { 'transfer-encoding': 'chunked', 'content-length': '1' },
  ];

  for (const headers of certain) assert.equal(framingFault(headers), undefined);
  for (const headers of uncertain) assert.match(framingFault(headers) ?? '', /^(Content-Length|The only)/);
  assert.match(framingFault(uncertain.at(-1)!) ?? '', /exclude each other/);
});
