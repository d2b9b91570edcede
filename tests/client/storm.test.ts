/** Many runs at once, a proxy that does something else to each request, and a server that restarts: as if nothing had been. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { createClient, type StreamEvent } from '../../client/index.ts';
import { text, workflow } from '../../runtime/index.ts';
import { badProxy, type Mischief } from '../support/bad-proxy.ts';
import { DurableServer } from '../support/durable-server.ts';
import { operator } from '../support/given.ts';
import { immediate } from '../support/in-process.ts';

const RUNS = 20;
const mischiefs: readonly Mischief[] = ['refuse', 'lose', 'halve', 'repeat', 'delay', 502, 503, 504, 429, 408];

/** Mulberry32 */
const randomOf = (seed: number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const counted = <T>(values: readonly T[]): Map<T, number> => {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
};

test('in a storm no run, answer, event or result is lost or doubled, though the server restarts', async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000);
  t.diagnostic(`SEED=${seed}`);
  const random = randomOf(seed);
  const noted: string[] = [];
  const asker = workflow({
    name: 'asker',
    input: z.object({ n: z.number() }),
    async *run({ n }, ctx) {
      yield `begin ${n}`;
      const { text: left } = await ctx.prompt(text({ text: 'Left?' }));
      await ctx.step('note', async () => void noted.push(`${n} ${left}`));
      yield `middle ${n}`;
      const { text: right } = await ctx.prompt(text({ text: 'Right?' }));
      yield `end ${n}`;
      return `${left} ${right}`;
    },
  });
  const world = await DurableServer.open(t, asker, { runtime: { stopTimeoutMs: 500 } });
  const proxy = await badProxy(
    t,
    () => world.server.url,
    () => (random() < 0.4 ? (mischiefs[Math.floor(random() * mischiefs.length)] ?? 'pass') : 'pass'),
  );
  const headers = { 'x-api-key': 'ada' };
  const client = createClient({ baseUrl: proxy.url, headers, retryMs: () => 5 + random() * 20 });

  const follow = async (n: number) => {
    const asked: string[] = [];
    const events: StreamEvent[] = [];
    const { executionId } = await client.start({ n });
    const streamed = (async () => {
      for await (const event of client.stream(executionId, { retryMs: () => 5 + random() * 20 })) events.push(event);
    })();
    const onPrompt = async ({ text: question }: { text: string }) => {
      asked.push(question);
      await setTimeout(random() * 60);
      return `${n}-${question}`;
    };
    const result = await client.follow(executionId, { onPrompt });
    await streamed;
    return { executionId, result, asked, events };
  };
  const followed = Promise.all(Array.from({ length: RUNS }, (_, n) => follow(n)));
  for (let restart = 0; restart < 2; restart += 1) {
    await setTimeout(100);
    await world.restart();
  }
  const runs = await followed;

  const { runtime } = world.server;
  assert.equal(immediate(runtime.list(operator, { limit: 100 })).executions.length, RUNS);
  for (const [n, { result, asked, events }] of runs.entries()) {
    assert.deepEqual([result, asked], [{ value: `${n}-Left? ${n}-Right?` }, ['Left?', 'Right?']]);
    const seqs = events.map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      [...new Set(seqs)].sort((a, b) => a - b),
    );
    const outputs = events.flatMap((event) => (event.type === 'output.emitted' ? [event.data.value] : []));
    assert.deepEqual(outputs, [`begin ${n}`, `middle ${n}`, `end ${n}`]);
    assert.equal(counted(events.map(({ type }) => type)).get('interaction.answered'), 2);
    assert.equal(events.at(-1)?.type, 'execution.completed');
  }
  assert.deepEqual(
    counted(noted),
    new Map(noted.map((note) => [note, 1])),
    'a finished step was done again, or an answer counted twice',
  );
  assert.equal(noted.length, RUNS);
});
