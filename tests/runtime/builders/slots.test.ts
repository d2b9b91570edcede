/** Run slots: never too many, in the order in which they were asked for, and what is not wanted any more is let go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SlotRequest, Slots } from '../../../runtime/builders/slots.ts';
import { Failure } from '../../../runtime/index.ts';
import { heapUsed } from '../../support/heap.ts';

type Command = 'open' | 'request' | 'refuse' | { readonly release: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 1, arbitrary: fc.constant('open' as const) },
  { weight: 6, arbitrary: fc.constant('request' as const) },
  { weight: 2, arbitrary: fc.constant('refuse' as const) },
  { weight: 6, arbitrary: fc.record({ release: fc.nat() }) },
);

test('whatever is asked for and given back, slots go round as in a queue on paper', () => {
  const limits = { limit: fc.integer({ min: 1, max: 4 }), maxQueued: fc.integer({ min: 0, max: 4 }) };

  fc.assert(
    fc.property(fc.record(limits), fc.array(command, { maxLength: 80, size: 'max' }), (given, commands) => {
      const slots = new Slots(given.limit, given.maxQueued);
      const granted: number[] = [];
      const requests: SlotRequest[] = [];
      const paper = { isOpen: false, held: [] as number[], queue: [] as number[], granted: [] as number[] };
      const serve = (): void => {
        while (paper.isOpen && paper.held.length < given.limit && paper.queue.length > 0) {
          const next = paper.queue.shift()!;
          paper.held.push(next);
          paper.granted.push(next);
        }
      };

      for (const next of commands) {
        if (next === 'open') {
          paper.isOpen = true;
          serve();
          slots.open();
        } else if (next === 'request') {
          const index = requests.length;
          const request = new SlotRequest({ slotGranted: () => granted.push(index) });
          requests.push(request);
          paper.queue.push(index);
          serve();
          slots.request(request);
        } else if (next === 'refuse') {
          const isBusy = !paper.isOpen || paper.held.length === given.limit;
          assert.equal(slots.isFull, isBusy && paper.queue.length >= given.maxQueued);
          if (slots.isFull) assert.throws(() => slots.refuseIfFull(), isQueueFull);
          else slots.refuseIfFull();
        } else if (requests.length > 0) {
          const index = next.release % requests.length;
          paper.queue = paper.queue.filter((waiting) => waiting !== index);
          paper.held = paper.held.filter((holding) => holding !== index);
          serve();
          slots.release(requests[index]!);
        }
        assert.deepEqual(granted, paper.granted);
        assert.deepEqual([slots.held, slots.queued], [paper.held.length, paper.queue.length]);
      }
    }),
    { numRuns: 300 },
  );
});

const isQueueFull = (thrown: unknown): boolean => {
  assert.ok(thrown instanceof Failure);
  assert.equal(thrown.code, 'queue_full');
  assert.ok(thrown.retryable);
  assert.equal(thrown.retryAfterMs, 1_000);
  return true;
};

test('a limit of 0 is none', () => {
  const slots = new Slots(0, 0);
  slots.open();

  for (let count = 0; count < 100; count += 1) slots.request(new SlotRequest({ slotGranted: () => {} }));

  assert.deepEqual([slots.limit, slots.held, slots.queued, slots.isFull], [Number.POSITIVE_INFINITY, 100, 0, false]);
});

test('who asks while slots are being given out comes after those who have waited', () => {
  const slots = new Slots(2, 10);
  const order: string[] = [];
  const late = new SlotRequest({ slotGranted: () => order.push('late') });
  const early = ['first', 'second', 'third'].map(
    (name) =>
      new SlotRequest({
        slotGranted: () => {
          order.push(name);
          if (name === 'first') slots.request(late);
        },
      }),
  );
  for (const request of early) slots.request(request);

  slots.open();
  for (const request of early) slots.release(request);

  assert.deepEqual(order, ['first', 'second', 'third', 'late']);
  assert.deepEqual([slots.held, slots.queued], [1, 0]);
});

test('a run that gives its slot back as soon as it has it lets the next one have it, however many there are', () => {
  const slots = new Slots(1, 100_000);
  let granted = 0;
  for (let count = 0; count < 100_000; count += 1) {
    const request = new SlotRequest({
      slotGranted: () => {
        granted += 1;
        slots.release(request);
      },
    });
    slots.request(request);
  }

  slots.open();

  assert.deepEqual([granted, slots.held, slots.queued], [100_000, 0, 0]);
});

test('a run that leaves the queue leaves nothing in it, also while no slot is returned', () => {
  const slots = new Slots(1, 10);
  slots.open();
  slots.request(new SlotRequest({ slotGranted: () => {} }));
  const before = heapUsed();

  for (let count = 0; count < 20_000; count += 1) {
    const burden = Array.from({ length: 100 }, () => count);
    const request = new SlotRequest({ slotGranted: () => void burden.pop() });
    slots.request(request);
    slots.release(request);
  }

  assert.equal(slots.queued, 0);
  assert.ok(heapUsed() - before < 1_000_000, 'the memory of those who have left is free again');
});
