/** The worlds that tests live in notice what is left behind in them. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { text, workflow } from '../../runtime/index.ts';
import { controlledWorkflow } from './controlled-workflow.ts';
import { alice, given } from './given.ts';
import { connectRaw, rawRequest, until } from './http.ts';
import { engineOf } from './in-process.ts';

/** A test within the test: `end` ends it, and gives what its world has found. */
const inner = () => {
  const hooks: (() => Promise<void>)[] = [];
  const t = { after: (hook: () => Promise<void>) => hooks.push(hook) } as unknown as TestContext;
  const end = async (): Promise<string> => {
    const ends = await Promise.allSettled(hooks.map((hook) => hook()));
    return ends.flatMap((one) => (one.status === 'rejected' ? (one.reason.actual as string[]) : [])).join('\n');
  };
  return { t, end };
};

test('a world in which everything has ended, or waits for people, ends in silence', async () => {
  const { t, end } = inner();
  const { workflow: served, runs } = controlledWorkflow();
  const { start } = await given.runtime(t, { workflows: [served] });
  const [done, parked] = [await start(), await start()];
  runs.get(done.id)!.complete('done');
  runs
    .get(parked.id)!
    .ctx.prompt(text({ text: '?' }))
    .catch(() => {});

  assert.equal(await end(), '');
});

test('unfinished work is found, with the slot and the claim that it holds', async () => {
  const { t, end } = inner();
  const { start } = await given.runtime(t, {
    workflows: [controlledWorkflow().workflow],
    options: { maxConcurrency: 1 },
  });
  const [busy, queued] = [await start(), await start()];

  const found = await end();

  for (const what of [
    `execution ${busy.id} still executes`,
    `execution ${queued.id} still waits for a slot`,
    '2 claims on builders, 0 parked executions',
    'builder of null: 1 slots held, 1 waited for',
  ]) {
    assert.ok(found.includes(what), found);
  }
});

test('watchers, claims, timers and defects are found', async () => {
  const { t, end } = inner();
  const served = workflow({
    name: 'w',
    perUser: { build: () => null },
    run: async (_input: unknown, ctx) => ctx.sleep(9),
  });
  const { runtime, start } = await given.runtime(t, { workflows: [served] });
  const execution = await start({ by: alice });
  execution.watch(() => {});
  execution.watch(() => {
    throw new Error('broken watcher');
  });
  runtime.builders('w').lease('bob');
  engineOf(runtime).wheel.schedule(Number.MAX_SAFE_INTEGER, () => {});

  const found = await end();

  for (const what of [
    `execution ${execution.id} is still watched`,
    'claims on builders',
    'timers are pending although there is nothing left to wait for',
    'a subscriber of an execution failed',
  ]) {
    assert.ok(found.includes(what), found);
  }
});

test('an unanswered request is found', async (t) => {
  const { t: innerT, end } = inner();
  const { workflow: served, runs } = controlledWorkflow();
  const { server, runtime } = await given.server(innerT, { workflow: served });
  const client = await connectRaw(t, server.port);
  client.send(rawRequest('POST /v1/workflow', ['Content-Type: application/json', 'Content-Length: 2'], '{}'));
  await until(() => runs.size === 1, 'the run');
  const [id = ''] = runs.keys();
  runs
    .get(id)!
    .ctx.sleep(1e12)
    .catch(() => {});

  const found = await end();

  assert.ok(found.includes('1 requests are open'), found);
  assert.equal(runtime.isAccepting, false, 'and its world has ended all the same');
});
