/** An execution that the served code does not fit: what its owner and operators see of it, and what they may do. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient } from '../../client/index.ts';
import { text, workflow } from '../../runtime/index.ts';
import { DurableServer } from '../support/durable-server.ts';
import { openStream } from '../support/event-reader.ts';
import type { HttpReply } from '../support/given.ts';
import { fermata } from '../support/process.ts';

const asking = (version: string) =>
  workflow({
    name: 'asking',
    version,
    run: async (_: unknown, ctx) => `${version}: ${(await ctx.prompt(text({ text: 'Who?' }))).text}`,
  });

const ada = { cookie: 'nat-session=ada' };
const key = 'the key of the operator';
const operator = { 'x-operator-key': key };
const config = { identity: { operatorKey: key } };

/** Begun by version 1, and answered when only version 2 is served. */
const blocked = async (t: TestContext) => {
  const world = await DurableServer.open(t, asking('1'), config);
  const paused = await world.startPrompting({}, ada);
  await world.restart(asking('2'));
  const status = await world.answer(paused, 'Ada', ada);
  const { execution_id: id } = paused;
  const get = async (headers = ada) => (await world.call(`GET /executions/${id}`, { headers })).body as Body;
  for (let body = await get(); body.blocked === undefined; body = await get()) assert.equal(body.status, 'running');
  const retry = (headers: Readonly<Record<string, string>> = ada) =>
    world.call(`POST /executions/${id}/retry`, { headers });
  return { world, id, status, get, retry };
};

type Body = { readonly status: string; readonly blocked?: object; readonly result?: unknown };

const codeOf = ({ status, body }: HttpReply) => [status, (body as { code?: string }).code];

test('an answer to an execution of a version that is not served is accepted, and its owner and operators see why it waits', async (t) => {
  const { world, id, status, get } = await blocked(t);

  const { blocked: seen, ...body } = await get();
  const listed = (await world.call('GET /executions', { headers: operator })).body as { executions: Body[] };
  const stream = await openStream(t, `${world.server.url}/executions/${id}/stream`, { headers: ada });
  const frames = await stream.frames(4);

  assert.equal(status, 204);
  assert.deepEqual(body, { execution_id: id, status: 'running' });
  const { since, ...why } = seen as { since: string };
  assert.deepEqual(why, { expected: 'version 1 of workflow asking', came: 'version 2, and no other', version: '2' });
  assert.ok(Math.abs(Date.parse(since) - Date.now()) < 60_000, since);
  assert.deepEqual(listed.executions[0]?.blocked, seen);
  assert.match(frames[3] ?? '', /^id: \d+\nevent: execution.blocked\ndata: .*"came":"version 2, and no other"/);
});

test('a blocked execution waits for its owner or an operator, who lets it go on with the code that is served', async (t) => {
  const { world, id, get, retry } = await blocked(t);

  const strangers = await Promise.all([retry({}), retry({ cookie: 'nat-session=bob' })]);
  const client = createClient({ baseUrl: world.server.url, headers: operator });
  await client.retry(id);
  const result = await client.follow(id);
  const again = await retry();

  assert.deepEqual(
    strangers.map(({ status }) => status),
    [404, 404],
  );
  assert.deepEqual(result, { value: '2: Ada' });
  assert.equal((await get()).blocked, undefined);
  assert.deepEqual(codeOf(again), [409, 'execution_settled']);
});

test('a blocked execution goes on by itself when its version is served again', async (t) => {
  const { world, id } = await blocked(t);

  await world.restart(asking('2'), asking('1'));
  const client = createClient({ baseUrl: world.server.url, headers: ada });

  assert.deepEqual(await client.follow(id), { value: '1: Ada' });
});

test('a blocked execution is ended as any other', async (t) => {
  const { world, id, get } = await blocked(t);

  const { status } = await world.call(`DELETE /executions/${id}`, { headers: ada });

  assert.equal(status, 204);
  assert.deepEqual(await get(), { execution_id: id, status: 'failed', error: 'The execution was cancelled.' });
});

test('an execution that is not blocked cannot be retried, and the reply says so', async (t) => {
  const world = await DurableServer.open(t, asking('1'), config);
  const { execution_id: id } = await world.startPrompting({}, ada);

  const refused = await world.call(`POST /executions/${id}/retry`, { headers: ada });

  assert.deepEqual(codeOf(refused), [409, 'execution_not_blocked']);
  assert.match((refused.body as { detail: string }).detail, /is not blocked: it is awaiting_interaction/);
});

test('who looks after executions in the terminal sees which are blocked and why, and lets them try again', async (t) => {
  const { world, id } = await blocked(t);
  const typed = async (...words: string[]) => {
    const process = fermata(t, ['executions', ...words], { FERMATA_OPERATOR_KEY: key });
    const code = await process.ended;
    return { code, said: process.stdout + process.stderr };
  };
  const beside = ['--data', world.directory];

  const [table, lines, shown, elsewhere] = await Promise.all([
    typed('ls', ...beside),
    typed('ls', '--json', ...beside),
    typed('show', ...beside, '--', id),
    typed('retry', '--url', 'http://127.0.0.1:1', '--', id),
  ]);
  const retried = await typed('retry', '--url', world.server.url, '--', id);
  const result = await createClient({ baseUrl: world.server.url, headers: ada }).follow(id);
  const again = await typed('retry', '--url', world.server.url, '--', id);

  assert.match(table.said, new RegExp(`^${id} +running, blocked +asking`, 'm'));
  assert.equal(JSON.parse(lines.said).blocked.came, 'version 2, and no other');
  assert.match(shown.said, /blocked +for .*: the code of version 2 does not do what the journal has\n/);
  assert.match(shown.said, /expected +version 1 of workflow asking\n +came +version 2, and no other\n/);
  assert.match(shown.said, /execution\.blocked expected version 1 of workflow asking; came version 2/);
  assert.match(
    elsewhere.said,
    /^No server answers at http:\/\/127\.0\.0\.1:1\. Name the server .* with --url, or start it/,
  );
  assert.equal(retried.said, `${id} tries again.\n`);
  assert.deepEqual(result, { value: '2: Ada' });
  assert.match(again.said, new RegExp(`answers 409 for ${id}: Execution ${id} is over`));
  assert.deepEqual([elsewhere.code, retried.code, again.code], [1, 0, 2]);
});
