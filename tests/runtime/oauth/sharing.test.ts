/** One consent for all that wait for it: calls of one run, and runs of one user. */

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Context, type Workflow, workflow } from '../../../runtime/index.ts';
import { createOAuth } from '../../../runtime/oauth/oauth.ts';
import { DurableWorld, openStore } from '../../support/durable.ts';
import { alice, bob, given } from '../../support/given.ts';
import { engineOf, immediate } from '../../support/in-process.ts';
import { reopenableStore } from '../../support/reopenable-store.ts';
import { json, tokenEndpoint } from '../../support/token-endpoint.ts';
import { subject } from '../../support/token-subject.ts';

const provider = (origin: string) => ({
  clientId: 'lab-client',
  authorizationUrl: `${origin}/authorize`,
  tokenUrl: `${origin}/token`,
  redirectUri: 'http://127.0.0.1:8000/auth/redirect',
});

const callbackOf = (authUrl: string, query = 'code=ok') =>
  new URL(`http://host/?${query}&state=${new URL(authUrl).searchParams.get('state')}`);

const reading = (run: (ctx: Context) => Promise<unknown>): Workflow =>
  workflow({ name: 'reading', run: (_: unknown, ctx) => run(ctx) });

const values = (tokens: readonly { value: string }[]) => tokens.map(({ value }) => value);

const world = async (t: TestContext, run: (ctx: Context) => Promise<unknown>) => {
  const endpoint = await tokenEndpoint(t, json({ access_token: 'token-1', token_type: 'Bearer' }));
  const world = await given.runtime(t, { workflows: [reading(run)], providers: { bank: provider(endpoint.origin) } });
  const { runtime } = world;
  const waiting = async (by = alice) => {
    const execution = await world.start({ by });
    await runtime.waitUntil(execution, ({ status, isSettled }) => status === 'awaiting_oauth' || isSettled);
    return execution;
  };
  const settled = async (execution: Awaited<ReturnType<typeof waiting>>) => {
    await runtime.waitUntil(execution, ({ isSettled }) => isSettled);
    return execution.context.result ?? execution.context.error?.message;
  };
  return { ...world, endpoint, waiting, settled };
};

const addresses = (executions: readonly Awaited<ReturnType<Awaited<ReturnType<typeof world>>['waiting']>>[]) =>
  executions.flatMap(({ context }) => context.pauses.map((pause) => ('authUrl' in pause ? pause.authUrl : '')));

test('parallel calls of one run share one consent', async (t) => {
  const { waiting, settled, runtime, endpoint } = await world(t, async (ctx) =>
    values(await Promise.all([ctx.authorize('bank'), ctx.authorize('bank'), ctx.authorize('bank')])),
  );
  const execution = await waiting();
  const urls = addresses([execution]);

  const outcome = await runtime.completeOAuth(callbackOf(urls[0]!), alice);

  assert.equal(urls.length, 3);
  assert.equal(new Set(urls).size, 1);
  assert.equal(outcome.outcome, 'granted');
  assert.deepEqual(await settled(execution), ['token-1', 'token-1', 'token-1']);
  assert.equal(endpoint.requests.length, 1);
});

test('parallel runs of one user share one consent, and those of others have their own', async (t) => {
  const { waiting, settled, runtime, endpoint } = await world(t, async (ctx) => (await ctx.authorize('bank')).value);
  const mine = [await waiting(), await waiting(), await waiting()];
  const other = await waiting(bob);
  const [url, ...urls] = addresses([...mine, other]);

  await runtime.completeOAuth(callbackOf(url!), alice);

  assert.deepEqual([url, url], urls.slice(0, 2));
  assert.notEqual(urls[2], url);
  assert.deepEqual(await Promise.all(mine.map(settled)), ['token-1', 'token-1', 'token-1']);
  assert.equal(other.status, 'awaiting_oauth');
  assert.equal(endpoint.requests.length, 1);
});

test('a refusal of a shared consent is heard by all who wait for it', async (t) => {
  const { waiting, settled, runtime } = await world(t, async (ctx) => (await ctx.authorize('bank')).value);
  const executions = [await waiting(), await waiting()];

  await runtime.completeOAuth(callbackOf(addresses(executions)[0]!, 'error=access_denied'), alice);

  for (const told of await Promise.all(executions.map(settled))) assert.match(String(told), /access_denied/);
});

test('a shared consent goes on when the run that asked first has ended', async (t) => {
  const { waiting, settled, runtime } = await world(t, async (ctx) => (await ctx.authorize('bank')).value);
  const [first, second] = [await waiting(), await waiting()];
  const [url] = addresses([first]);
  await runtime.cancel(first.id, alice);

  await runtime.completeOAuth(callbackOf(url!), alice);

  assert.equal(await settled(second), 'token-1');
});

test('a shared consent is over when all who waited for it have ended', async (t) => {
  const { waiting, runtime } = await world(t, async (ctx) => (await ctx.authorize('bank')).value);
  const executions = [await waiting(), await waiting()];
  const [url] = addresses(executions);
  for (const { id } of executions) await runtime.cancel(id, alice);

  const outcome = await runtime.completeOAuth(callbackOf(url!), alice);

  assert.deepEqual(outcome, { outcome: 'unknown_state' });
  assert.equal(engineOf(runtime).oauth.pending, 0);
});

test('a run that comes late has the whole time for a shared consent', async (t) => {
  const { waiting, settled, runtime, clock } = await world(t, async (ctx) => (await ctx.authorize('bank')).value);
  const first = await waiting();
  clock.advance(299_000);
  const second = await waiting();
  const [url] = addresses([second]);
  clock.advance(2_000);

  await runtime.completeOAuth(callbackOf(url!), alice);

  assert.match(String(await settled(first)), /timed out/);
  assert.equal(await settled(second), 'token-1');
});

test('a consent to more scopes ends those that it includes, and no other', async (t) => {
  const { endpoint } = await world(t, async () => {});
  const oauth = createOAuth({ providers: { bank: provider(endpoint.origin) }, now: () => 0, timeoutMs: 300_000 });
  const ask = (...scopes: string[]) =>
    immediate(oauth.ask({ provider: 'bank', scopes, user: 'alice', executionId: `of ${scopes.join()}` }));
  const [narrow, same, wide, other] = [ask('read'), ask('read'), ask('read', 'write'), ask('admin')];

  const outcome = await oauth.complete({ url: callbackOf(wide.authUrl), user: 'alice' });

  assert.ok(outcome.outcome === 'granted');
  assert.deepEqual(outcome.also, [
    { executionId: 'of read', state: narrow.state },
    { executionId: 'of read', state: same.state },
  ]);
  assert.deepEqual(
    [narrow, same, wide, other].map(({ state }) => oauth.claim(state)?.value),
    ['token-1', 'token-1', 'token-1', undefined],
  );
  assert.equal(oauth.pending, 1);
});

test('a consent that is shared is still shared after a restart', async (t) => {
  const endpoint = await tokenEndpoint(t, json({ access_token: 'token-1', token_type: 'Bearer' }));
  const kept = await reopenableStore(t, 'a key of 32 random bytes, say');
  const create = () => {
    const providers = { bank: provider(endpoint.origin) };
    return createOAuth({ providers, now: () => 0, timeoutMs: 300_000, vault: kept.store.vault });
  };
  const ask = (oauth: ReturnType<typeof create>, executionId: string) =>
    immediate(oauth.ask({ provider: 'bank', user: 'alice', executionId }));
  const first = create();
  const [one, two] = [ask(first, 'one'), ask(first, 'two')];
  await kept.reopen();
  const second = create();
  const three = ask(second, 'three');

  const outcome = await second.complete({ url: callbackOf(one.authUrl), user: 'alice' });
  const late = await create().complete({ url: callbackOf(one.authUrl), user: 'alice' });

  assert.equal(three.authUrl, one.authUrl);
  assert.deepEqual(outcome, {
    outcome: 'granted',
    executionId: 'one',
    state: one.state,
    also: [
      { executionId: 'two', state: two.state },
      { executionId: 'three', state: three.state },
    ].sort((a, b) => (a.state < b.state ? -1 : 1)),
  });
  assert.equal((await second.token(subject('alice'), 'bank'))?.value, 'token-1');
  assert.deepEqual(late, { outcome: 'unknown_state' });
});

test('a run replaces a token that was refused, and does so once however often it is executed again', async (t) => {
  const { waiting, settled, runtime, endpoint } = await world(t, async (ctx) => {
    const dead = await ctx.authorize('bank');
    const token = await ctx.authorize('bank', { rejected: dead });
    return [dead.value, token.value];
  });
  const execution = await waiting();
  await runtime.completeOAuth(callbackOf(addresses([execution])[0]!), alice);
  await runtime.waitUntil(execution, ({ status }) => status === 'awaiting_oauth');
  endpoint.answer = json({ access_token: 'token-2', token_type: 'Bearer' });

  await runtime.completeOAuth(callbackOf(addresses([execution])[0]!), alice);

  assert.deepEqual(await settled(execution), ['token-1', 'token-2']);
});

test('a process that is lost while a shared consent is stored leaves no run waiting for it', async (t) => {
  const endpoint = await tokenEndpoint(t, json({ access_token: 'token-1', token_type: 'Bearer' }));
  const needsToken = reading(async (ctx) => (await ctx.authorize('bank')).value);
  const world = await DurableWorld.open(t, [needsToken], { providers: { bank: provider(endpoint.origin) } });
  const ids = [];
  for (let count = 0; count < 3; count += 1) ids.push(await world.start({ workflow: 'reading' }));
  const [first] = ids.map((id) => world.get(id));
  const copy = join(world.directory, 'lost');
  /** The files as they are when the first of the three is told. */
  const unwatch = first!.watch(({ type }) => {
    if (type !== 'oauth.granted') return;
    mkdirSync(copy);
    for (const name of ['fermata.db', 'fermata.db-wal']) copyFileSync(join(world.directory, name), join(copy, name));
  });

  await world.runtime.completeOAuth(callbackOf(addresses([first!])[0]!), alice);
  unwatch();

  const store = await openStore(copy);
  t.after(() => store.close());
  const granted = ids.map((id) => store.read(id)?.entries.some(({ type }) => type === 'oauth.granted'));
  assert.deepEqual(granted, [true, true, true]);
  assert.deepEqual(immediate(store.vault.entries('flow', '', '', 10)), []);
});
