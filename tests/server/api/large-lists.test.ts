/** Lists of executions with large results and prompts: a reply stays small, and the next page has the rest. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../../runtime/index.ts';
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

test('a list of large results comes in pages', async (t) => {
  const { call, runtime } = await given.server(t, { workflow: large });
  for (let count = 0; count < 9; count += 1) await call('POST /v1/workflow', { headers, body: {} });

  const pages: string[][] = [];
  for (let before: string | null = ''; before !== null; ) {
    const { body } = await call(`GET /executions?limit=200${before === '' ? '' : `&before=${before}`}`, { headers });
    const page = body as { executions: { execution_id: string }[]; next: string | null };
    assert.ok(JSON.stringify(body).length < 5 * MB);
    pages.push(page.executions.map(({ execution_id }) => execution_id));
    before = page.next;
  }

  assert.ok(pages.length > 1, `${pages.length} pages`);
  const by = { userId: undefined, isOperator: true };
  assert.deepEqual(
    pages.flat(),
    immediate(runtime.list(by, { limit: 10 })).executions.map(({ id }) => id),
  );
});

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
