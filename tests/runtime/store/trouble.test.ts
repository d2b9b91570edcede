/** A store that cannot write for a while: what is refused meanwhile, what stays, and how it goes on. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pass } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createRuntime, type ExecutionView, type Runtime, text, workflow } from '../../../runtime/index.ts';
import { openStore, temporaryDirectory } from '../../support/durable.ts';
import { alice } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';
import { start } from '../../support/start.ts';

const asker = workflow({
  name: 'asker',
  run: async (_input: unknown, ctx) => {
    const first = await ctx.step('look', () => 1);
    return [first, (await ctx.prompt(text({ text: 'Name?' }))).text];
  },
});
const unavailable = { code: 'store_unavailable', retryable: true };

const runtimeOn = async (t: TestContext, path: string): Promise<Runtime> => {
  const runtime = await createRuntime({ workflows: [asker], store: await openStore(path) });
  t.after(() => runtime.stop());
  return runtime;
};
const begin = async (runtime: Runtime, input: unknown): Promise<ExecutionView> =>
  (await start(runtime, { workflow: 'asker', input })).execution;
const asks = async (runtime: Runtime, execution: ExecutionView): Promise<ExecutionView> => {
  await runtime.waitUntil(execution, ({ context }) => context.pauses.length > 0);
  return execution;
};
const startAsking = async (runtime: Runtime): Promise<ExecutionView> => asks(runtime, await begin(runtime, null));
const answer = (runtime: Runtime, { id, context }: ExecutionView) =>
  runtime.answer(id, context.pauses[0]!.id, { kind: 'text', text: 'Ada' }, alice);
const finish = async (runtime: Runtime, execution: ExecutionView): Promise<void> => {
  assert.equal(await answer(runtime, execution), 'accepted');
  await runtime.waitUntil(execution, ({ isSettled }) => isSettled);
  assert.deepEqual(execution.context.result, [1, 'Ada']);
};

/** What the store tries again each second; there is no clock that could be given to a disk. */
const untilItWorks = async (act: () => Promise<unknown>): Promise<void> => {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      await act();
      return;
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'store_unavailable');
      await pass(50);
    }
  }
  assert.fail('it never worked again');
};

test('on a disk that is full nothing new is taken, what was accepted stays, and it goes on when there is room', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'fermata-disk-'));
  t.after(() => {
    spawnSync('umount', ['-l', path]);
    rmSync(path, { recursive: true });
  });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', path]);
  if (mounted.status !== 0) return t.skip('a small disk can only be made by root');
  const runtime = await runtimeOn(t, path);
  const ballast = join(path, 'ballast');
  writeFileSync(ballast, Buffer.alloc(1024 * 1024));
  const waiting = await startAsking(runtime);
  const accepted: ExecutionView[] = [];

  const fill = async (): Promise<never> => {
    for (;;) accepted.push(await begin(runtime, 'x'.repeat(50_000)));
  };
  await assert.rejects(fill, unavailable);

  await assert.rejects(answer(runtime, waiting), unavailable);
  assert.equal(waiting.status, 'awaiting_interaction', 'what could not be kept has not happened');
  assert.equal(immediate(runtime.list(alice, { limit: 100 })).executions.length, accepted.length + 1);
  rmSync(ballast);
  await untilItWorks(() => startAsking(runtime));
  await finish(runtime, waiting);
  await finish(runtime, await asks(runtime, accepted.at(-1)!));
});

test('when the thread that writes is lost, runs go back to what is kept and on from there', async (t) => {
  const path = temporaryDirectory(t);
  const workers: Worker[] = [];
  const { postMessage } = Worker.prototype;
  t.mock.method(Worker.prototype, 'postMessage', function (this: Worker, ...given: Parameters<typeof postMessage>) {
    workers.push(this);
    return postMessage.apply(this, given);
  });
  const runtime = await runtimeOn(t, path);
  const waiting = await startAsking(runtime);
  const seen: string[] = [];
  waiting.watch(({ type }) => seen.push(type));

  const lost = answer(runtime, waiting);
  await workers.at(-1)!.terminate();

  await assert.rejects(lost, unavailable);
  assert.deepEqual([seen, waiting.status], [[], 'awaiting_interaction'], 'it was not published');
  await untilItWorks(() => finish(runtime, waiting));
  const { entries } = (await runtime.facts(waiting.id, 0, alice))!;
  assert.equal(entries.filter(({ type }) => type === 'step.completed').length, 1, 'the step was not done again');
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, index) => index + 1),
  );
});

test('what the thread has written is kept, even if it was lost before it could say so', async (t) => {
  const runtime = await runtimeOn(t, temporaryDirectory(t));
  const [waiting, other] = [await startAsking(runtime), await startAsking(runtime)];
  const { emit } = Worker.prototype;
  const deaf = t.mock.method(Worker.prototype, 'emit', function (this: Worker, ...given: Parameters<typeof emit>) {
    if (given[0] !== 'message') return emit.apply(this, given);
    deaf.mock.restore();
    void this.terminate();
    return true;
  });

  assert.equal(await answer(runtime, waiting), 'accepted');
  await untilItWorks(() => finish(runtime, other));

  await runtime.waitUntil(waiting, ({ isSettled }) => isSettled);
  assert.deepEqual(waiting.context.result, [1, 'Ada']);
});
