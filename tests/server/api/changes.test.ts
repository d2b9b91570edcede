/** News of many executions: who gets which, how often, and what it costs a slow reader. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Context, workflow } from '../../../runtime/index.ts';
import { changesRoute, GATHER_MS } from '../../../server/api/changes.ts';
import type { Call } from '../../../server/http/route.ts';
import { FakeSink } from '../../support/fake-sink.ts';
import { alice, bob, given, operator } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';

const world = async (t: TestContext) => {
  const runs: Context[] = [];
  const talker = workflow({
    name: 'talker',
    run: (_input, ctx) => {
      runs.push(ctx);
      return new Promise<never>((_, reject) => ctx.signal.addEventListener('abort', reject));
    },
  });
  const runtime = await given.runtime(t, { workflows: [talker] });
  const read = (by = operator, sink = new FakeSink()) => {
    const { handle } = changesRoute({ runtime: runtime.runtime, who: () => by });
    const reply = handle({ headers: {} } as Call);
    assert.ok(!(reply instanceof Promise));
    reply.stream?.(sink);
    t.after(() => sink.leave());
    return sink;
  };
  const end = async () => {
    const { executions } = immediate(runtime.runtime.list(operator, { limit: 1_000 }));
    for (const { id } of executions) await runtime.runtime.cancel(id, operator);
  };
  return { ...runtime, runs, read, end };
};

const told = ({ text }: FakeSink): unknown[] =>
  [...text.matchAll(/^data: (.*)$/gm)].map(([, json = '']) => (JSON.parse(json) as { executions: unknown }).executions);

test('the first event says to look at everything, and those after it at what has changed meanwhile', async (t) => {
  const { read, start, clock, end } = await world(t);
  const sink = read();

  const [one, other] = [await start(), await start()];
  assert.deepEqual(told(sink), [null]);
  clock.advance(GATHER_MS);

  const [, ids] = told(sink) as [null, string[]];
  assert.ok(ids.includes(one.id) && ids.includes(other.id));
  assert.equal(told(sink).length, 2);
  await end();
  sink.leave();
});

test('an owner hears of his own executions only', async (t) => {
  const { read, start, clock, end } = await world(t);
  const [hers, his] = [read(alice), read(bob)];

  const { id } = await start({ by: alice });
  clock.advance(GATHER_MS);

  assert.deepEqual(told(hers), [null, [id]]);
  assert.deepEqual(told(his), [null]);
  await end();
  hers.leave();
  his.leave();
});

test('a slow reader is told once, in few words, of all that he has missed', async (t) => {
  const { read, start, clock, end } = await world(t);
  const sink = new FakeSink();
  sink.room = 1;
  read(operator, sink);

  for (let count = 0; count < 150; count += 1) await start();
  clock.advance(60_000);
  assert.deepEqual(told(sink), [null]);
  sink.drain();

  assert.deepEqual(told(sink), [null, null]);
  await end();
  sink.leave();
});

test('a reader who hears nothing is shown that the stream lives, and leaves nothing behind', async (t) => {
  const { read, clock, runtime } = await world(t);
  const sink = read();

  clock.advance(1_000 + 2 * GATHER_MS); // until the builder has told that it is idle
  clock.advance(15_000);
  const beats = sink.pieces.filter((piece) => piece.startsWith(':')).length;
  sink.leave();

  assert.equal(beats, 1);
  assert.equal(runtime.inspection.inspectors, 0);
});

test('the stream ends with the server, which need not wait for its readers', async (t) => {
  const { read, runtime } = await world(t);
  const sink = read();

  await runtime.stop();

  assert.equal(sink.state, 'ended');
});

test('who has not said who he is hears nothing', async (t) => {
  const { read } = await world(t);

  assert.throws(() => read({ userId: undefined }), { code: 'identity_required' });
});
