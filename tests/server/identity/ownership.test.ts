/** What callers see of executions that are not theirs, beside what `matrix/` tries on every route. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SignJWT } from 'jose';
import { text, workflow } from '../../../runtime/index.ts';
import type { ServerOptions } from '../../../server/options.ts';
import { given, type HttpReply, type ServerWorld } from '../../support/given.ts';

const secret = 'the secret of those who issue tokens, long enough';
const operatorKey = 'the key of the operator';

const jwt = (sub: string, { key = secret, expiresAt = '1h' }: { key?: string; expiresAt?: string | number } = {}) =>
  new SignJWT({ sub })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expiresAt)
    .sign(new TextEncoder().encode(key));
const bearer = async (token: Promise<string>) => ({ authorization: `Bearer ${await token}` });

const callers: Record<string, () => Promise<Record<string, string>>> = {
  owner: () => bearer(jwt('alice')),
  other: () => bearer(jwt('bob')),
  nobody: async () => ({}),
  /** Signed with another key. */
  forged: () => bearer(jwt('alice', { key: 'the secret of somebody else, also long enough' })),
  expired: () => bearer(jwt('alice', { expiresAt: 1 })),
  unsigned: async () => ({ authorization: `Bearer ${btoa('{"alg":"none"}')}.${btoa('{"sub":"alice"}')}.` }),
  /** A caller who knows the name of the owner can write it into a cookie. */
  cookie: async () => ({ cookie: 'nat-session=alice' }),
  operator: async () => ({ 'x-operator-key': operatorKey }),
};

const ask = { ask: true };
const answer = { response: { type: 'text', text: 'This.' } };

/** What has an execution in its path; `:i` is what it asks. */
const rows = [
  'GET /executions/:e',
  'GET /executions/:e?wait=1&after=0',
  'GET /executions/:e/journal',
  'POST /executions/:e/interactions/:i/response',
  'POST /executions/:e/retry',
  'DELETE /executions/:e',
];

const run = async (input: unknown, ctx: Parameters<ReturnType<typeof workflow>['run']>[1]) =>
  (input as { ask?: boolean }).ask ? (await ctx.prompt(text({ text: 'Which?' }))).text : 'done';

const givenServer = (t: TestContext, config: Partial<ServerOptions> = {}): Promise<ServerWorld> =>
  given.server(t, {
    workflow: workflow({ name: 'shared', run }),
    workflows: [workflow({ name: 'personal', perUser: { build: () => null }, run })],
    config: {
      identity: { jwt: { secret }, operatorKey },
      monitorUsers: true,
      endpoints: [{ functionName: 'personal', method: 'POST', path: '/v1/personal', legacyPath: '/personal' }],
      ...config,
    },
  });

/** An execution of the owner's that waits for an answer. */
const owned = async ({ call }: ServerWorld): Promise<{ e: string; i: string }> => {
  const { body } = await call('POST /v1/workflow', { headers: await callers.owner!(), body: ask });
  const { execution_id: e, interaction_id: i } = body as Record<string, string>;
  return { e: e!, i: i! };
};

/** Everything a reply says but the time, with the ids that were asked for taken out. */
const seen = ({ status, headers, body }: HttpReply, { e, i }: { e: string; i: string }): unknown => {
  const texts = JSON.stringify({ status, headers: [...headers].filter(([name]) => name !== 'date'), body });
  return JSON.parse(texts.replaceAll(e, 'E').replaceAll(i, 'I'));
};

test('an execution of another user gets exactly the reply of an unknown one', async (t) => {
  const world = await givenServer(t);
  const mine = await owned(world);
  const unknown = { e: 'x'.repeat(mine.e.length), i: 'y'.repeat(mine.i.length) };
  const bad = { response: { type: 'radio', selected_option: { id: 'none' } } };
  const probes = [
    ...rows.map((row) => ({ row, body: row.endsWith('/response') ? answer : undefined })),
    { row: 'POST /executions/:e/interactions/:i/response', body: bad },
    { row: 'POST /executions/:e/interactions/:i/response', body: 'no object' },
    { row: 'GET /executions/:e?wait=-1', body: undefined },
    { row: 'POST /executions/:e', body: {} },
    { row: 'GET /executions/:e/interactions', body: undefined },
  ];

  for (const { row, body } of probes) {
    for (const who of ['other', 'nobody', 'forged', 'expired', 'cookie']) {
      const options = { headers: await callers[who]!(), ...(body !== undefined && { body }) };
      const [foreign, missing] = await Promise.all(
        [mine, unknown].map(async (ids) =>
          seen(await world.call(row.replace(':e', ids.e).replace(':i', ids.i), options), ids),
        ),
      );
      assert.deepEqual(foreign, missing, `${row} as ${who}`);
    }
  }
  const { body } = await world.call(`GET /executions/${mine.e}`, { headers: await callers.owner!() });
  assert.equal((body as { interaction_id: string }).interaction_id, mine.i, 'and nothing has come of all this');
});

test('lists and the inbox show what is one’s own, and everything to an operator', async (t) => {
  const world = await givenServer(t);
  const mine = await owned(world);
  const as = async (who: string, path: string) =>
    (await world.call(`GET ${path}`, { headers: await callers[who]!() })).body;

  for (const [path, key] of [
    ['/executions', 'executions'],
    ['/interactions', 'interactions'],
  ] as const) {
    const idsOf = async (who: string) =>
      ((await as(who, path)) as Record<string, { execution_id: string }[]>)[key]!.map((one) => one.execution_id);
    assert.deepEqual(
      await Promise.all(['owner', 'other', 'cookie', 'operator'].map(idsOf)),
      [[mine.e], [], [], [mine.e]],
      path,
    );
  }
});

test('a caller without identity shares its execution by its id, and finds it in no list', async (t) => {
  const world = await givenServer(t);
  const { body } = await world.call('POST /v1/workflow', { body: ask });
  const { execution_id: id, response_url } = body as Record<string, string>;

  const polled = await Promise.all(
    ['owner', 'other', 'nobody', 'operator'].map(async (who) =>
      world.call(`GET /executions/${id}`, { headers: await callers[who]!() }),
    ),
  );
  const listed = await world.call('GET /executions', { headers: await callers.other!() });

  assert.deepEqual(
    polled.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  assert.deepEqual((listed.body as { executions: unknown[] }).executions, []);
  assert.equal((await world.call(`POST ${response_url}`, { body: answer })).status, 204);
});

test('without an operator key the monitor answers every caller on this machine', async (t) => {
  const world = await givenServer(t, { identity: { jwt: { secret } } });
  await world.call('POST /v1/personal', { headers: await callers.owner!(), body: ask });

  for (const headers of Object.values(callers)) {
    const { status, body } = await world.call('GET /monitor/users', { headers: await headers() });
    assert.deepEqual([status, (body as { total_active_users: number }).total_active_users], [200, 1]);
  }
});

test('what came through a proxy is not from this machine, wherever the proxy runs', async (t) => {
  const world = await givenServer(t, { identity: { jwt: { secret } } });

  for (const name of ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via']) {
    const { status } = await world.call('GET /monitor/users', { headers: { [name]: '203.0.113.7' } });
    assert.equal(status, 403, name);
  }
});

test('without the option there is no monitor', async (t) => {
  const world = await givenServer(t, { monitorUsers: false });

  const { status } = await world.call('GET /monitor/users', { headers: await callers.operator!() });

  assert.equal(status, 404);
});
