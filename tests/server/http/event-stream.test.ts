import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Execution } from '../../../runtime/executions/execution.ts';
import { type Context, type RuntimeOptions, type Store, text, workflow } from '../../../runtime/index.ts';
import type { Translator } from '../../../server/http/event-frames.ts';
import { eventStream } from '../../../server/http/event-stream.ts';
import { DelayedStore } from '../../support/delayed-store.ts';
import { FakeSink } from '../../support/fake-sink.ts';
import { given, type RuntimeWorld, turns } from '../../support/given.ts';

/** A run that does what the test tells it, and a way to read it. */
const world = async (t: TestContext, { store, options }: { store?: Store; options?: RuntimeOptions } = {}) => {
  let ctx: Context | undefined;
  let finish = (): void => {};
  const told = workflow({
    name: 'told',
    run: (_, given) => {
      ctx = given;
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    },
  });
  const runtime = await given.runtime(t, { workflows: [told], ...(store && { store }), ...(options && { options }) });
  const execution = await runtime.start();
  await turns(10);
  return {
    ...runtime,
    execution,
    emit: (...values: unknown[]) => {
      for (const value of values) ctx!.emit(value);
    },
    ask: () => ctx!.prompt(text({ text: 'Who?' })).catch(() => {}),
    finish: async () => {
      finish();
      await turns(10);
    },
    read: (more: { after?: number; translator?: Translator; sink?: FakeSink } = {}) => reader(runtime, execution, more),
  };
};

/** `2 3`: outputs by their values, all else by type. */
const outputs: Translator = {
  frames: (entry) => (entry.type === 'output.emitted' ? `${entry.value} ` : ''),
  missed: (through) => `missed-through-${through} `,
};
const numbers: Translator = { frames: ({ seq }) => `${seq} `, missed: () => 'missed ' };

const reader = (
  { runtime }: RuntimeWorld,
  execution: Execution,
  { after, translator = outputs, sink = new FakeSink() }: { after?: number; translator?: Translator; sink?: FakeSink },
): FakeSink => {
  eventStream({ runtime, execution, translator, ...(after !== undefined && { after }) }).stream?.(sink);
  return sink;
};

test('a reader gets what has happened, then what happens, and the end once the run has settled', async (t) => {
  const { read, emit, finish, execution } = await world(t);
  emit('a', 'b');

  const sink = read();
  assert.equal(sink.text, 'a b ');
  emit('c');
  await turns();
  assert.equal(sink.text, 'a b c ');
  assert.equal(execution.watchers, 1);
  await finish();

  assert.equal(sink.state, 'ended');
  assert.equal(execution.watchers, 0);
});

test('facts of one turn are written in one piece, and no more than 64 kB wait for its end', async (t) => {
  const { read, emit, finish } = await world(t);
  const sink = read();

  emit('a', 'b', 'c');
  await turns();
  assert.deepEqual(sink.pieces, ['a b c ']);
  emit(...Array.from({ length: 9 }, () => 'x'.repeat(10_000)));

  assert.equal(sink.pieces.length, 2);
  await turns();
  assert.equal(sink.text.trim().split(' ').length, 12);
  await finish();
});

test('a reader who comes after the end gets everything, and the end', async (t) => {
  const { read, emit, finish } = await world(t);
  emit('a');
  await finish();

  const sink = read();

  assert.equal(sink.text, 'a ');
  assert.equal(sink.state, 'ended');
});

test('from whichever fact a reader goes on, he gets all later ones and no other', async (t) => {
  const { read, emit, finish, execution } = await world(t);
  emit(...'abcdefghij');
  await finish();
  const all = read({ translator: numbers }).text.trim().split(' ');

  for (let after = 0; after <= execution.context.seq; after += 1) {
    const sink = read({ after, translator: numbers });

    assert.deepEqual(sink.text.split(' ').slice(0, -1), all.slice(after));
    assert.equal(sink.state, 'ended');
  }
});

test('while a socket is full nothing is read for it, and then it goes on without gap or repetition', async (t) => {
  const { read, emit, finish } = await world(t);
  const sink = new FakeSink();
  sink.room = 1;
  read({ sink });

  emit('a');
  await turns();
  emit('b', 'c');
  await turns();
  assert.equal(sink.text, 'a ');
  sink.drain(1);
  assert.equal(sink.text, 'a b c ');
  await finish();
  assert.equal(sink.state, 'open');
  sink.drain();
  assert.equal(sink.state, 'ended');
});

test('a long journal is written in pieces of bounded length, each when the socket has taken the last', async (t) => {
  const { read, emit, finish } = await world(t);
  const long = 'x'.repeat(10_000);
  emit(...Array.from({ length: 30 }, (_, index) => `${index}${long}`));
  const sink = new FakeSink();
  sink.room = 1;

  read({ sink });
  while (sink.pieces.length < 5) sink.drain(1);
  sink.drain();

  assert.ok(sink.pieces.every((piece) => piece.length < 80_000));
  assert.deepEqual(
    sink.text.split(' ').slice(0, -1),
    Array.from({ length: 30 }, (_, index) => `${index}${long}`),
  );
  await finish();
});

test('a reader who stays behind is told once what is missing, and goes on with what there is', async (t) => {
  const { read, emit, finish } = await world(t, { options: { maxJournalFacts: 20 } });
  const sink = new FakeSink();
  sink.room = 1;
  read({ sink });
  emit('first');
  await turns();

  emit(...Array.from({ length: 100 }, (_, index) => `${index}:${'x'.repeat(300_000)}`));
  await turns();
  sink.drain();

  const [first, missed, ...rest] = sink.text.trim().split(' ');
  const numbers = rest.map((value) => Number.parseInt(value, 10));
  assert.equal(first, 'first');
  assert.match(missed ?? '', /^missed-through-\d+$/);
  assert.equal(numbers.at(-1), 99);
  assert.equal(numbers.length, 99 - numbers[0]! + 1);
  await finish();
});

test('a reader that is behind for a moment gets output that the journal has dropped meanwhile', async (t) => {
  const { read, emit, finish } = await world(t, { options: { maxJournalFacts: 20 } });
  const sink = new FakeSink();
  sink.room = 1;
  read({ sink });
  emit('first');
  await turns();

  emit(...Array.from({ length: 100 }, (_, index) => index));
  await turns();
  sink.drain();

  assert.deepEqual(sink.text.trim().split(' '), ['first', ...Array.from({ length: 100 }, (_, index) => `${index}`)]);
  await finish();
});

test('silence is broken by a comment after one second, and then every fifteen', async (t) => {
  const { read, clock, emit, finish } = await world(t);
  const sink = read();

  clock.advance(999);
  assert.equal(sink.text, '');
  clock.advance(1);
  assert.equal(sink.text, ':\n\n');
  clock.advance(10_000);
  emit('a');
  await turns();
  clock.advance(14_999);
  assert.deepEqual(sink.pieces, [':\n\n', 'a ']);
  clock.advance(1);

  assert.deepEqual(sink.pieces, [':\n\n', 'a ', ':\n\n']);
  await finish();
});

test('a full socket gets no comments', async (t) => {
  const { read, clock, emit, finish } = await world(t);
  const sink = new FakeSink();
  sink.room = 1;
  read({ sink });
  emit('a');
  await turns();

  clock.advance(60_000);

  assert.equal(sink.text, 'a ');
  sink.drain();
  await finish();
});

test('with a client who leaves, watcher and timer leave too, whatever the stream was about to do', async (t) => {
  const { read, emit, runtime, execution, finish } = await world(t);
  const before = runtime.pendingTimers;
  const idle = read();
  const full = new FakeSink();
  full.room = 1;
  read({ sink: full });
  emit('a');

  idle.leave();
  full.leave();
  await turns();
  full.drain();

  assert.equal(execution.watchers, 0);
  assert.equal(runtime.pendingTimers, before);
  assert.equal(idle.text, '');
  await finish();
});

test('a stream that cannot be written is cut off, and the run goes on', async (t) => {
  const { read, emit, execution, finish } = await world(t);
  const bad: Translator = {
    frames: ({ type }) => {
      if (type === 'output.emitted') throw new Error('cannot be written');
      return '';
    },
    missed: () => '',
  };
  const sink = read({ translator: bad });

  emit('a');
  await turns();

  assert.equal(sink.state, 'cut');
  assert.equal(String(sink.errors), 'Error: cannot be written');
  assert.equal(execution.watchers, 0);
  assert.equal(execution.isSettled, false);
  await finish();
});

test('with a store that takes its time nothing is lost, repeated or out of order', async (t) => {
  const store = new DelayedStore({ maxJournalFacts: 1_000, maxJournalBytes: 1_000_000 });
  const { read, emit, finish } = await world(t, { store });
  const early = read({ translator: numbers });

  for (const value of 'abcdef') {
    emit(value, value);
    await turns(2);
  }
  await finish();
  await store.settled();
  await turns(20);
  const late = read({ translator: numbers });
  await turns(20);

  const seqs = late.text.trim().split(' ').map(Number);
  assert.deepEqual(
    seqs,
    seqs.map((_, index) => index + 1),
  );
  assert.equal(early.text, late.text);
  assert.equal(early.state, 'ended');
});

test('a parked run keeps its readers, who hear of the prompt', async (t) => {
  const { read, ask, execution, runtime } = await world(t);
  const types: Translator = { frames: ({ type }) => `${type} `, missed: () => '' };
  const sink = read({ translator: types, after: 2 });

  void ask();
  await turns();

  assert.equal(sink.text, 'interaction.requested ');
  await runtime.cancel(execution.id, { userId: undefined });
  await turns();
  assert.equal(sink.text, 'interaction.requested execution.failed ');
  assert.equal(sink.state, 'ended');
});
