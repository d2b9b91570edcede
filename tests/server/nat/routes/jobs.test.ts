/** Jobs: executions seen through another window, with the words and times of NAT. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { type RuntimeOptions, text, type Workflow, workflow } from '../../../../runtime/index.ts';
import type { ServerOptions } from '../../../../server/index.ts';
import { asAlice, asUser, type Headers } from '../../../support/controlled-server.ts';
import { controlledWorkflow } from '../../../support/controlled-workflow.ts';
import { given, operator, turns } from '../../../support/given.ts';
import { until } from '../../../support/http.ts';
import { immediate, viewsOf } from '../../../support/in-process.ts';

type Job = Readonly<Record<string, unknown>>;

const serve = async (t: TestContext, served: Workflow, config: Partial<ServerOptions> = {}) => {
  const world = await given.server(t, { workflow: served, config: { asyncJobs: true, ...config } });
  const submit = async (body: unknown = {}, headers: Headers = asAlice) => {
    const reply = await world.call('POST /v1/workflow/async', { headers, body });
    return { ...reply, job: reply.body as Job, executionId: reply.headers.get('execution-id') ?? '' };
  };
  const look = async (jobId: unknown, headers: Headers = asAlice) => {
    const { status, body } = await world.call(`GET /v1/workflow/async/job/${encodeURIComponent(String(jobId))}`, {
      headers,
    });
    return { status, job: body as Job };
  };
  return { ...world, submit, look };
};

/** Runs do what the test tells them to. */
const controlledJobs = async (t: TestContext, runtime: RuntimeOptions = {}) => {
  const { workflow: controlled, runs } = controlledWorkflow();
  const world = await serve(t, { ...controlled, input: z.object({}) }, { runtime });
  const complete = async (executionId: string, result: unknown = { done: true }) => {
    runs.get(executionId)!.complete(result);
    await turns();
  };
  return { ...world, runs, complete };
};

const echo = workflow({
  name: 'echo',
  input: z.strictObject({ say: z.string() }),
  run: ({ say }) => ({ said: say }),
});

test('a job is an execution: it has its id, is listed with the others, and ends with it', async (t) => {
  const { call, submit, look, complete } = await controlledJobs(t);
  const { status, job, executionId } = await submit();

  const listed = await call('GET /executions', { headers: asAlice });
  const before = await look(executionId);
  await complete(executionId);
  const after = await look(executionId);
  const polled = await call(`GET /executions/${executionId}`, { headers: asAlice });

  assert.equal(status, 202);
  assert.deepEqual(job, { job_id: executionId, status: 'submitted' });
  assert.equal((listed.body as { executions: { execution_id: string }[] }).executions[0]?.execution_id, executionId);
  assert.equal(before.job.status, 'running');
  assert.deepEqual([after.job.status, after.job.output], ['success', { done: true }]);
  assert.deepEqual((polled.body as { result: unknown }).result, { done: true });
});

test('a job tells when it was submitted, has ended, and will be forgotten; then it is, and its id is free', async (t) => {
  const { clock, submit, look, complete } = await controlledJobs(t);
  const { executionId } = await submit({ job_id: 'nightly', expiry_seconds: 7_200 });
  clock.advance(61_500);
  await complete(executionId);

  const ended = await look('nightly');
  clock.advance(7_199_999);
  const last = await look('nightly');
  clock.advance(1);
  const gone = await look('nightly');
  const again = await submit({ job_id: 'nightly' });

  assert.deepEqual(ended.job, {
    job_id: 'nightly',
    status: 'success',
    error: null,
    created_at: '2026-01-01T00:00:00.000000',
    updated_at: '2026-01-01T00:01:01.500000',
    expires_at: '2026-01-01T02:01:01.500000Z',
    output: { done: true },
  });
  assert.deepEqual(last, ended);
  assert.deepEqual(gone, { status: 404, job: { detail: 'Job nightly not found' } });
  assert.equal(again.status, 202);
  await complete(again.executionId);
});

test('a job without an expiry of its own is kept for an hour, however short other executions are kept', async (t) => {
  const { clock, submit, look, complete } = await controlledJobs(t, { retentionMs: 1_000 });
  const { executionId } = await submit();
  await complete(executionId);

  clock.advance(3_599_999);

  assert.equal((await look(executionId)).status, 200);
  clock.advance(1);
  assert.equal((await look(executionId)).status, 404);
});

test('the status of a job is one of five words, whatever its execution is called', async (t) => {
  const { call, submit, look, runs, complete } = await controlledJobs(t, { maxConcurrency: 1 });
  const [first, second] = [await submit(), await submit()];
  const words = async () => [(await look(first.executionId)).job.status, (await look(second.executionId)).job.status];

  const atFirst = await words();
  runs.get(first.executionId)!.fail(new Error('no more paper'));
  await turns();
  const then = await words();
  await call(`DELETE /executions/${second.executionId}`, { headers: asAlice });
  const atLast = await words();
  const [failed, cancelled] = [(await look(first.executionId)).job, (await look(second.executionId)).job];
  const third = await submit();
  await complete(third.executionId, 4);

  assert.deepEqual(atFirst, ['running', 'submitted']);
  assert.deepEqual(then, ['failure', 'running']);
  assert.deepEqual(atLast, ['failure', 'interrupted']);
  assert.deepEqual([failed.error, failed.output], ['no more paper', null]);
  assert.deepEqual([cancelled.error, cancelled.output], ['cancelled', null]);
  assert.deepEqual((await look(third.executionId)).job.output, { value: 4 });
});

test('the same id again starts nothing and tells the status, whatever comes with it, and also at the same time', async (t) => {
  const { call, submit, complete, runtime } = await controlledJobs(t);
  const submitted = await Promise.all(
    Array.from({ length: 10 }, (_, index) => submit({ job_id: 'j', expiry_seconds: 600 + index })),
  );
  const legacy = await call('POST /generate/async', { headers: asAlice, body: { job_id: 'j' } });

  const statuses = submitted.map(({ status }) => status).sort();

  assert.deepEqual(statuses, [...Array(9).fill(200), 202]);
  assert.equal(new Set(submitted.map(({ executionId }) => executionId)).size, 1);
  assert.deepEqual([legacy.status, legacy.body], [200, { job_id: 'j', status: 'running' }]);
  assert.equal(immediate(runtime.list(operator, { limit: 99 })).executions.length, 1);
  await complete(submitted[0]!.executionId);
});

test('an id belongs to the caller that chose it: the same id of another caller is another job, or none', async (t) => {
  const { submit, look, complete } = await controlledJobs(t);
  const bob = asUser('bob');
  const ofAlice = await submit({ job_id: 'j' });
  const seenByBob = await look('j', bob);
  const seenByNobody = await look('j', {});
  const ofBob = await submit({ job_id: 'j' }, bob);
  await complete(ofAlice.executionId, { of: 'alice' });
  await complete(ofBob.executionId, { of: 'bob' });

  assert.deepEqual([seenByBob.status, seenByNobody.status], [404, 404]);
  assert.equal((await look(ofAlice.executionId, bob)).status, 404);
  assert.equal(ofBob.status, 202);
  assert.deepEqual((await look('j')).job.output, { of: 'alice' });
  assert.deepEqual((await look('j', bob)).job.output, { of: 'bob' });
});

test('a job without an owner is for every caller that knows its id', async (t) => {
  const { submit, look, complete } = await controlledJobs(t);
  const id = 'a-job-that-nobody-guesses';
  const { executionId } = await submit({ job_id: id }, {});
  await complete(executionId);

  assert.deepEqual([(await look(id, {})).status, (await look(id)).status], [200, 200]);
});

test('an operator finds the jobs of others by the ids of their executions', async (t) => {
  const { workflow: controlled, runs } = controlledWorkflow();
  const operatorKey = 'an operator key of some length';
  const config = { identity: { operatorKey } };
  const { submit, look } = await serve(t, { ...controlled, input: z.object({}) }, config);
  const { executionId } = await submit({ job_id: 'j' });
  runs.get(executionId)!.complete(null);
  await turns();

  const { status, job } = await look(executionId, { 'x-operator-key': operatorKey });

  assert.deepEqual([status, job.status], [200, 'success']);
});

test('a client that waits gets the end of the job in time, and blocks no other client', async (t) => {
  const { call, clock, submit, complete, runtime } = await controlledJobs(t);
  const waiting = [submit({ sync_timeout: 10 }), submit({ sync_timeout: 20 })];
  const isWaited = () => viewsOf(runtime).filter(({ watchers }) => watchers > 0).length;
  await until(() => isWaited() === 2, 'both are waited for');
  const jobs = immediate(runtime.list(operator, { limit: 9 })).executions;

  const { status: healthy } = await call('GET /health');
  clock.advance(10_000);
  const late = await waiting[0]!;
  for (const { id } of jobs) await complete(id);
  const inTime = await waiting[1]!;

  assert.equal(healthy, 200);
  assert.deepEqual([late.status, late.job.status], [202, 'submitted']);
  assert.deepEqual([inTime.status, inTime.job.status, inTime.job.output], [200, 'success', { done: true }]);
});

test('a job goes on when who waits for it has left', async (t) => {
  const { call, look, complete, runtime } = await controlledJobs(t);
  const leaving = new AbortController();
  const body = { sync_timeout: 300, job_id: 'j' };
  const left = call('POST /v1/workflow/async', { headers: asAlice, body, signal: leaving.signal }).catch(() => 'left');
  const job = () => viewsOf(runtime)[0];
  await until(() => (job()?.watchers ?? 0) > 0, 'the job is waited for');

  leaving.abort();

  assert.equal(await left, 'left');
  await until(() => job()?.watchers === 0, 'no client waits any more');
  assert.equal((await look('j')).job.status, 'running');
  await complete(job()!.id);
});

test('a job cannot prompt', async (t) => {
  const asking = workflow({
    name: 'asking',
    input: z.object({}),
    run: async (_input, ctx) => (await ctx.prompt(text({ text: 'Which?' }))).text,
  });
  const { submit } = await serve(t, asking);

  const { status, job } = await submit({ sync_timeout: 10 });

  assert.deepEqual([status, job.status, job.output], [200, 'failure', null]);
  assert.match(String(job.error), /./);
});

test('a strict input does not see what is for the job, and mistakes in both are told together', async (t) => {
  const { submit } = await serve(t, echo);

  const good = await submit({ say: 'hi', job_id: null, sync_timeout: '10', expiry_seconds: 600 });
  const bad = await submit({ say: 1, sync_timeout: -1, expiry_seconds: 86_401, job_id: 5 });
  const list = await submit([]);

  assert.deepEqual([good.status, good.job.output], [200, { said: 'hi' }]);
  const { detail } = bad.job as { detail: { loc: unknown[]; type: string }[] };
  assert.equal(bad.status, 422);
  assert.deepEqual(
    detail.map(({ loc, type }) => [loc.join('.'), type]),
    [
      ['body.say', 'string_type'],
      ['body.job_id', 'string_type'],
      ['body.sync_timeout', 'greater_than_equal'],
      ['body.expiry_seconds', 'less_than_equal'],
    ],
  );
  assert.deepEqual([list.status, (list.job as { detail: unknown[] }).detail.length], [422, 1]);
});

test('whatever text is sent as an id is refused, or the job is found by it', async (t) => {
  const { submit, look } = await serve(t, echo);
  const odd = fc.constantFrom(
    '',
    '.',
    '..',
    'a/b',
    '\0',
    '%2e',
    'a b',
    'é',
    '?',
    '#',
    '\ud800',
    'x'.repeat(201),
    '__proto__',
  );

  await fc.assert(
    fc.asyncProperty(fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 8 })), async (job_id) => {
      const { status } = await submit({ say: 'hi', job_id, sync_timeout: 10 });

      if (status === 422) return;
      assert.equal(status, 200);
      assert.deepEqual((await look(job_id)).job.output, { said: 'hi' });
    }),
    { numRuns: 60 },
  );
  for (const job_id of ['', '.', '..', 'a/b', '\0', '\ud800', 'x'.repeat(201)]) {
    assert.equal((await submit({ say: 'hi', job_id })).status, 422, job_id);
  }
});

test('a key sent twice starts one job', async (t) => {
  const { submit } = await serve(t, echo);
  const headers = { ...asAlice, 'idempotency-key': 'once' };

  const [first, second] = [await submit({ say: 'a' }, headers), await submit({ say: 'a' }, headers)];
  const other = await submit({ say: 'b' }, headers);

  assert.deepEqual([first.status, second.status, other.status], [202, 200, 422]);
  assert.equal(second.job.job_id, first.job.job_id);
});

test('a job for a user who does not say who it is is not started', async (t) => {
  const perUser = workflow({ name: 'own', input: z.object({}), perUser: { build: () => 1 }, run: () => 1 });
  const { submit } = await serve(t, perUser);

  assert.equal((await submit({}, {})).status, 401);
  assert.equal((await submit({}, { authorization: 'Bearer a.b.c' })).status, 401);
});

test('jobs are there only if they are wanted, for POST, and for inputs that are objects', async (t) => {
  const untyped = workflow({ name: 'untyped', run: () => 1 });
  const worded = workflow({ name: 'worded', input: z.string(), run: (word) => word });
  const paths = { path: '/v1/workflow', legacyPath: '/generate' };
  const servers = [
    await serve(t, echo, { asyncJobs: false }),
    await serve(t, untyped),
    await serve(t, worded),
    await serve(t, echo, { workflow: { method: 'GET', ...paths } }),
    await serve(t, echo, { disableLegacyRoutes: true }),
    await serve(t, echo),
  ];
  const statuses = async (path: string) => {
    const replies = await Promise.all(servers.map(({ call }) => call(`POST ${path}/async`, { body: { say: 'a' } })));
    return replies.map(({ status }) => status);
  };

  assert.deepEqual(await statuses('/v1/workflow'), [404, 404, 404, 404, 202, 202]);
  assert.deepEqual(await statuses('/generate'), [404, 404, 404, 404, 404, 202]);
});
