/** Many executions at once, one journal whole, and what there is to run and to run on. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { BuilderListBody, ExecutionListBody, JournalBody, WorkflowListBody } from '../../../client/wire.ts';
import { shownDueAt, text, workflow } from '../../../runtime/index.ts';
import { given, operator } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';

const asking = workflow({
  name: 'asking',
  input: z.object({ topic: z.string() }),
  run: async (_input, ctx) => (await ctx.prompt(text({ text: 'Well?', timeoutS: 60 }))).text,
});
const notebook = workflow({ name: 'notebook', perUser: { build: () => ({}) }, run: () => 'noted' });

const endpoint = { functionName: 'notebook', method: 'POST', path: '/notes', legacyPath: null } as const;
const asOperator = { 'x-as-operator': '1' };
const as = (user: string) => ({ 'x-api-key': user, prefer: 'respond-async' });

const started = async (call: (line: string, options: object) => Promise<{ headers: Headers }>, user = 'ada') => {
  const { headers } = await call('POST /v1/workflow', { headers: as(user), body: { topic: 'x' } });
  return headers.get('execution-id') ?? '';
};

test('a list says whose each execution is, what it does and when it is due, and is filtered by that', async (t) => {
  const { call, runtime } = await given.server(t, { workflow: asking });
  const [first, second] = [await started(call, 'ada'), await started(call, 'grace')];
  await call(`DELETE /executions/${second}`, { headers: asOperator });
  const list = async (query: string) =>
    ((await call(`GET /executions?${query}`, { headers: asOperator })).body as ExecutionListBody).executions;

  const [all, waiting] = [await list(''), await list('status=interaction_required')];

  assert.deepEqual(
    all.map(({ execution_id: id, phase, code }) => ({ id, phase, code })),
    [
      { id: second, phase: 'settled', code: 'cancelled' },
      { id: first, phase: 'waiting', code: null },
    ],
  );
  assert.equal(
    Date.parse(waiting[0]?.due_at ?? ''),
    shownDueAt(immediate(runtime.get(first, operator))!.context.pauses[0]!),
  );
  const { owner } = all[1]!;
  for (const query of [`owner=${owner}`, `id=${first.slice(0, 12)}`, 'status=interaction_required&workflow=asking']) {
    assert.deepEqual(
      (await list(query)).map((one) => one.execution_id),
      [first],
      query,
    );
  }
  assert.deepEqual(await list(`owner=${owner}&status=failed`), []);
});

test('a journal is given whole, to its owner and to operators', async (t) => {
  const { call } = await given.server(t, { workflow: asking });
  const id = await started(call);
  const journal = (headers: Record<string, string>, query = '') =>
    call(`GET /executions/${id}/journal${query}`, { headers });

  const { entries, truncated_through } = (await journal(as('ada'))).body as JournalBody;
  const later = (await journal(asOperator, '?after=2')).body as JournalBody;
  const stranger = await journal(as('grace'));

  assert.deepEqual(
    entries.map(({ type }) => type),
    ['execution.started', 'slot.granted', 'interaction.requested'],
  );
  assert.deepEqual(entries[0]?.type === 'execution.started' && entries[0].input, { topic: 'x' });
  assert.equal(truncated_through, null);
  assert.deepEqual(later.entries, entries.slice(2));
  assert.equal(stranger.status, 404);
});

test('workflows are listed with the schema of what they take, where one can start them', async (t) => {
  const config = { endpoints: [endpoint], rootPath: '/api' };
  const { call } = await given.server(t, { workflow: asking, workflows: [notebook], config });

  const { workflows } = (await call('GET /workflows')).body as WorkflowListBody;

  assert.deepEqual(
    workflows.map(({ name, path, is_per_user }) => ({ name, path, is_per_user })),
    [
      { name: 'asking', path: '/api/v1/workflow', is_per_user: false },
      { name: 'notebook', path: '/api/notes', is_per_user: true },
    ],
  );
  assert.deepEqual(workflows[0]?.input?.required, ['topic']);
  assert.equal(workflows[1]?.input, null);
});

test('builders show operators their slots, their queue and what they have done', async (t) => {
  const config = { endpoints: [endpoint], runtime: { maxConcurrency: 2, maxQueued: 7 } };
  const { call } = await given.server(t, { workflow: asking, workflows: [notebook], config });
  await started(call);
  await call('POST /notes', { headers: { 'x-api-key': 'ada' }, body: {} });

  const { builders } = (await call('GET /builders', { headers: asOperator })).body as BuilderListBody;
  const refused = await call('GET /builders', { headers: as('ada') });

  const [shared, own] = [builders[0]!, builders[1]!];
  assert.deepEqual(shared.slots, { limit: 2, held: 0, queued: 0, max_queued: 7 });
  assert.deepEqual([shared.user, shared.state, shared.executions], [null, 'ready.in_use', 1]);
  assert.ok(own.user);
  assert.deepEqual([own.requests.total, own.requests.failed], [1, 0]);
  assert.equal(refused.status, 403);
});
