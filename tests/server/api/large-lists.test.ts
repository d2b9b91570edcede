/** Lists of executions with large results and prompts: a reply stays small, and the next page has the rest. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../../runtime/index.ts';
import { DurableServer } from '../../support/durable-server.ts';
import { given } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';

const MB = 1024 * 1024;
const headers = { 'x-api-key': 'alice' };

const large = workflow({
  name: 'large',
  run: async ({ asks }: { asks?: boolean }, ctx) => {
    const padding = 'x'.repeat(MB);
    return asks === true ? (await ctx.prompt(text({ text: padding }))).text : padding;
  },
});

const listed = (body: unknown) =>
  body as { executions: { execution_id: string; result?: unknown }[]; next: string | null };

test('a list of large prompts comes in pages', async (t) => {
  const { call, runtime } = await given.server(t, { workflow: large });
  for (let count = 0; count < 9; count += 1) await call('POST /v1/workflow', { headers, body: { asks: true } });

  const pages: string[][] = [];
  for (let before: string | null = ''; before !== null; ) {
    const { body } = await call(`GET /executions?limit=200${before === '' ? '' : `&before=${before}`}`, { headers });
    assert.ok(JSON.stringify(body).length < 5 * MB);
    pages.push(listed(body).executions.map(({ execution_id }) => execution_id));
    before = listed(body).next;
  }

  assert.ok(pages.length > 1, `${pages.length} pages`);
  const by = { userId: undefined, isOperator: true };
  assert.deepEqual(
    pages.flat(),
    immediate(runtime.list(by, { limit: 10 })).executions.map(({ id }) => id),
  );
});

for (const place of ['in memory', 'in a directory, from a process before']) {
  test(`a list leaves out large results, and an execution itself has its own, ${place}`, async (t) => {
    const durable = place === 'in memory' ? undefined : await DurableServer.open(t, large);
    const started = durable ?? (await given.server(t, { workflow: large }));
    for (let count = 0; count < 9; count += 1) await started.call('POST /v1/workflow', { headers, body: {} });
    await durable?.restart();

    const { body } = await started.call('GET /executions?limit=200', { headers });
    const { executions } = listed(body);
    const one = await started.call(`GET /executions/${executions[0]!.execution_id}`, { headers });

    assert.deepEqual(
      executions.map((execution) => 'result' in execution),
      Array.from({ length: 9 }, () => false),
    );
    assert.deepEqual((one.body as { result: { value: string } }).result, { value: 'x'.repeat(MB) });
  });
}

test('an inbox of large prompts begins with those that have waited longest', async (t) => {
  const { call } = await given.server(t, { workflow: large });
  const asked: unknown[] = [];
  for (let count = 0; count < 6; count += 1) {
    const { body } = await call('POST /v1/workflow', { headers, body: { asks: true } });
    asked.push((body as { execution_id: string }).execution_id);
  }

  const { body } = await call('GET /interactions?limit=200', { headers });

  const ids = (body as { interactions: { execution_id: string }[] }).interactions.map((item) => item.execution_id);
  assert.ok(ids.length >= 2 && ids.length < 6, `${ids.length} prompts`);
  assert.deepEqual(ids, asked.slice(0, ids.length));
});
