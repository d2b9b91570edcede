/** How much memory callers can make records take. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import Database from 'libsql';
import { noRequest, text, workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';
import { alice, given, operator, turns } from '../../support/given.ts';
import { heapUsed } from '../../support/heap.ts';
import { engineOf, immediate } from '../../support/in-process.ts';

const asks = workflow({
  name: 'asks',
  run: async (input: { wait?: boolean }, ctx) => (input.wait ? (await ctx.prompt(text({ text: '?' }))).text : 'done'),
});

/** As versions left it that stored no outlines: lists have to read the journals. */
const forgetOutlines = ({ directory }: DurableWorld): void => {
  const database = new Database(join(directory, 'fermata.db'));
  database.exec('UPDATE executions SET outline = NULL');
  database.close();
};

/** Little text, and much of the heap. */
const nested = JSON.parse(`[${'[],'.repeat(5_000)}[]]`);

test('starts are refused before what waits takes the heap, and taken again when it has gone', async (t) => {
  const { start, runtime } = await given.runtime(t, { workflows: [asks], options: { maxRecordBytes: 10_000_000 } });
  const started: string[] = [];

  const refused = await (async () => {
    for (let count = 0; count < 100; count += 1) {
      const outcome = await start({ by: alice, input: { wait: true, nested } }).catch((error: unknown) => error);
      if (outcome instanceof Error) return outcome;
      started.push((outcome as { id: string }).id);
      await turns();
    }
    return undefined;
  })();

  assert.equal((refused as { code?: string } | undefined)?.code, 'queue_full');
  assert.ok(started.length > 2 && started.length < 20, `${started.length} were taken`);
  await runtime.cancel(started[0]!, alice);
  await start({ by: alice, input: { wait: true, nested } });
});

test('what a request says beside the input of its run counts too', async (t) => {
  const { start } = await given.runtime(t, { workflows: [asks], options: { maxRecordBytes: 10_000_000 } });
  let taken = 0;

  const begun = async (): Promise<unknown> => {
    for (; taken < 30; taken += 1) {
      const payload = { text: 'hi', attachment: `${taken}`.padEnd(1_000_000, 'x') };
      await start({ by: alice, input: { wait: true }, request: { ...noRequest, payload } });
      await turns();
    }
    return undefined;
  };

  await assert.rejects(begun, { code: 'queue_full' });
  assert.ok(taken > 2 && taken < 20, `${taken} were taken`);
});

test('executions that are over leave memory for those that begin', async (t) => {
  const { start, runtime } = await given.runtime(t, { workflows: [asks], options: { maxRecordBytes: 10_000_000 } });

  for (let count = 0; count < 50; count += 1) {
    await start({ by: alice, input: { nested } });
    await turns();
  }

  const left = immediate(runtime.list(operator, { limit: 100 })).executions.length;
  assert.ok(left > 2 && left < 20, `${left} are left`);
});

test('a page of large executions of an earlier version is cut short, and its cursor leads to all of them', async (t) => {
  const world = await DurableWorld.open(t, [asks]);
  const started: string[] = [];
  for (let count = 0; count < 12; count += 1) {
    started.push(await world.start({ workflow: 'asks', input: { padding: 'x'.repeat(1_000_000) } }));
  }
  await world.stop();
  forgetOutlines(world);
  await world.open(asks);

  const pages: string[][] = [];
  let before: string | undefined;
  do {
    const { executions, next } = immediate(world.runtime.list(operator, { limit: 200, before }));
    pages.push(executions.map(({ id }) => id));
    before = next;
  } while (before !== undefined);

  assert.ok(pages.length > 1 && pages.every(({ length }) => length < 12), `${pages.map(({ length }) => length)}`);
  assert.deepEqual(pages.flat(), started.toReversed());
});

test('an execution whose retention is over is not held in memory any more', async (t) => {
  const world = await DurableWorld.open(t, [asks], { options: { retentionMs: 1_000 } });
  const refs: WeakRef<object>[] = [];
  for (let count = 0; count < 5; count += 1) {
    refs.push(new WeakRef(world.get(await world.start({ workflow: 'asks', input: {} }))));
  }

  await world.pass(1_000);
  await world.pass(1_000);
  await turns(); // a weak reference keeps its object until the turn is over
  heapUsed();

  assert.equal(immediate(world.runtime.list(operator, { limit: 10 })).executions.length, 0);
  assert.deepEqual(
    refs.map((ref) => ref.deref()?.constructor.name),
    [undefined, undefined, undefined, undefined, undefined],
  );
});

test('the inbox is whole however large the journals of an earlier version are, and others get their turn while it is read', async (t) => {
  const world = await DurableWorld.open(t, [asks]);
  const started: string[] = [];
  for (let count = 0; count < 12; count += 1) {
    started.push(await world.start({ workflow: 'asks', input: { wait: true, padding: 'x'.repeat(1_000_000) } }));
  }
  await world.stop();
  forgetOutlines(world);
  await world.open(asks);
  let passed = 0;
  const count = (): void => {
    passed += 1;
    beat = setImmediate(count);
  };
  let beat = setImmediate(count);

  const both = await Promise.all([world.runtime.inbox(operator, 200), world.runtime.inbox(operator, 200)]);
  clearImmediate(beat);

  for (const inbox of both) assert.deepEqual(inbox.map(({ executionId }) => executionId).sort(), started.toSorted());
  assert.ok(passed >= 4, `${passed} turns of the event loop`);
  assert.deepEqual(engineOf(world.runtime).executions.all(), [], 'reading brings none into memory');
});

test('an execution that has ended stays in memory for those who ask, and is not held once its retention is over', async (t) => {
  const world = await DurableWorld.open(t, [asks], { options: { retentionMs: 9_000, hibernateAfterMs: 1_000 } });
  const id = await world.start({ workflow: 'asks', input: { wait: true } });
  const ref = new WeakRef(world.get(id));

  await world.runtime.cancel(id, alice);
  await world.pass(3_000); // it had been parked, and would have left memory by now
  const kept = engineOf(world.runtime)
    .executions.all()
    .map((execution) => execution.id);
  for (let pass = 0; pass < 3; pass += 1) await world.pass(6_000);
  heapUsed();

  assert.deepEqual(kept, [id]);
  assert.equal(ref.deref()?.constructor.name, undefined);
});
