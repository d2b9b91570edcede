/** A run that ends its process again and again: it is given up, and those that were beside it are not. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { workflow } from '../../../runtime/index.ts';
import { DurableWorld, temporaryDirectory } from '../../support/durable.ts';

type End = { readonly workflow: string; readonly status: string; readonly code: string | null };

const LIFE = new URL('../../support/poison/process.ts', import.meta.url);

test('a run that kills its process is given up, and four that worked beside it come to their end', async (t) => {
  const path = temporaryDirectory(t);
  let ends: readonly End[] = [];
  let lives = 0;
  for (let code: number | null = null; code !== 0; lives += 1) {
    assert.ok(lives < 12, 'it is not given up');
    const child = fork(LIFE, [path, '2'], { execArgv: ['--import', 'tsx'] });
    t.after(() => child.kill('SIGKILL'));
    child.on('message', (told) => (ends = told as readonly End[]));
    [code] = (await once(child, 'exit')) as [number | null];
    assert.ok(code === 0 || code === 7, `a process ended with ${code}`);
  }

  const byName = (name: string) =>
    ends.filter((end) => end.workflow === name).map(({ status, code }) => [status, code]);
  assert.deepEqual(
    byName('innocent'),
    Array.from({ length: 4 }, () => ['completed', null]),
  );
  assert.deepEqual(byName('poison'), [['failed', 'interrupted']]);
  assert.deepEqual(byName('waiting'), [['awaiting_interaction', null]]);
  t.diagnostic(`${lives} lives`);
});

/** Each has a step that never ends, so that none ever gets any further. */
const endless = workflow({
  name: 'endless',
  run: async (_input: unknown, ctx) => ctx.step('never ends', () => new Promise(() => {})),
});

test('a run that was merely beside when the process died is not ended, however often that was', async (t) => {
  const world = await DurableWorld.open(t, [endless], { options: { maxRecoveries: 2 } });
  const first = await world.start({ workflow: 'endless' });
  for (let life = 0; life < 6; life += 1) {
    await world.crashAndReopen(endless);
    await world.start({ workflow: 'endless' }); // executes in the turn of each that is tried
    await world.pass(0);
  }

  const { error, executionId } = world.get(first).context;
  assert.deepEqual([executionId, error?.code ?? null], [first, null]);
});

test('a stop in order is held against none', async (t) => {
  const world = await DurableWorld.open(t, [endless], { options: { maxRecoveries: 1 } });
  const id = await world.start({ workflow: 'endless' });
  await world.crashAndReopen(endless);
  await world.crashAndReopen(endless);

  for (let life = 0; life < 4; life += 1) await world.reopen(endless);

  assert.equal(world.get(id).context.error, null);
});

test('each suspect has a turn of its own, and those behind it wait for that', async (t) => {
  const executed: unknown[] = [];
  const noting = workflow({
    name: 'noting',
    run: async (input: unknown, ctx) => {
      executed.push(input);
      await ctx.step('never ends', () => new Promise(() => {}));
    },
  });
  const world = await DurableWorld.open(t, [noting]);
  for (const input of [1, 2, 3]) await world.start({ workflow: 'noting', input });
  await world.crashAndReopen(noting);
  assert.deepEqual(executed.splice(0), [1, 2, 3, 1, 2, 3], 'once may be chance');

  await world.crashAndReopen(noting);
  assert.deepEqual(executed, [1]);
  await world.pass(5_000);
  assert.deepEqual(executed, [1, 2]);
  await world.pass(5_000);
  assert.deepEqual(executed, [1, 2, 3]);
});
