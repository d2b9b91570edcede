/** Consents and tokens of several processes that share a database. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type ExecutionView, type Runtime, type Workflow, workflow } from '../../../runtime/index.ts';
import { createOAuth, type OAuthOptions } from '../../../runtime/oauth/oauth.ts';
import { Database } from '../../../runtime/store/postgres/database.ts';
import { alice, bob } from '../../support/callers.ts';
import { turns } from '../../support/given.ts';
import { openPostgres, postgres, withoutPostgres } from '../../support/postgres.ts';
import { PostgresNodes } from '../../support/postgres-nodes.ts';
import { start } from '../../support/start.ts';
import { heldAnswer, json, type TokenAnswer, tokenEndpoint } from '../../support/token-endpoint.ts';
import { subject } from '../../support/token-subject.ts';

const SECRET = 'a secret of at least thirty-two characters';
const granted = json({ access_token: 'access-1', expires_in: 60, refresh_token: 'refresh-1' });

const it = (what: string, check: (t: TestContext) => Promise<void>) => test(what, { skip: withoutPostgres }, check);

const callbackOf = (authUrl: string, query = 'code=ok') =>
  new URL(`http://host/?${query}&state=${new URL(authUrl).searchParams.get('state')}`);

const providerAt = (origin: string) => ({
  clientId: 'lab-client',
  authorizationUrl: `${origin}/authorize`,
  tokenUrl: `${origin}/token`,
  redirectUri: 'http://127.0.0.1:8000/auth/redirect',
});

/** Processes, each with the flows and tokens of one database. */
const world = async (t: TestContext, options: Partial<OAuthOptions> = {}) => {
  const endpoint = await tokenEndpoint(t, granted);
  const server = await postgres();
  const url = await server.database();
  const clock = { ms: 1_000_000 };
  const process = async () => {
    const store = await openPostgres(url, { secret: SECRET });
    const oauth = createOAuth({
      providers: { bank: providerAt(endpoint.origin) },
      now: () => clock.ms,
      timeoutMs: 300_000,
      vault: store.vault,
      wait: () => setImmediate(),
      ...options,
    });
    const close = async () => {
      oauth.stop();
      await store.close();
    };
    t.after(close);
    return Object.assign(oauth, { vault: store.vault, close });
  };
  const processes = [await process(), await process()] as const;
  const consent = async (user = 'alice') => {
    const { authUrl } = await processes[0].ask({ provider: 'bank', user, executionId: 'execution-1' });
    await processes[0].complete({ url: callbackOf(authUrl), user });
    await processes[0].vault.put('builder', 'later', ''); // the consent is committed
  };
  return { endpoint, clock, processes, consent, sql: (text: string) => server.sql(text, url) };
};

/** A refresh token that is good once, and revokes all that came of it when it is used again. */
const rotating = (): TokenAnswer => {
  let newest = 1;
  return (response, request) => {
    const isNewest = request.form.refresh_token === `refresh-${newest}`;
    newest = isNewest ? newest + 1 : Number.NaN;
    const body = { access_token: `access-${newest}`, expires_in: 60, refresh_token: `refresh-${newest}` };
    json(isNewest ? body : { error: 'invalid_grant' }, isNewest ? 200 : 400)(response, request);
  };
};

it('of callbacks that arrive at several processes at once, one exchanges the code, wherever the consent began', async (t) => {
  const { endpoint, processes } = await world(t);
  const { authUrl } = await processes[0].ask({ provider: 'bank', user: 'alice', executionId: 'execution-1' });
  await processes[0].vault.put('builder', 'later', '');

  const outcomes = await Promise.all(
    [...processes, ...processes].map((oauth) => oauth.complete({ url: callbackOf(authUrl), user: 'alice' })),
  );
  const later = await processes[1].complete({ url: callbackOf(authUrl), user: 'alice' });

  const got = outcomes.map(({ outcome }) => outcome).sort();
  assert.deepEqual(got, ['granted', 'unknown_state', 'unknown_state', 'unknown_state']);
  assert.equal(later.outcome, 'unknown_state');
  assert.equal(endpoint.requests.length, 1);
});

it('a callback whose process ends before anything is stored may arrive again at another one, after its claim', async (t) => {
  const { endpoint, processes, sql } = await world(t);
  const [first, second] = processes;
  const { authUrl } = await first.ask({ provider: 'bank', user: 'alice', executionId: 'execution-1' });
  await first.vault.put('builder', 'later', '');
  const held = heldAnswer(granted);
  endpoint.answer = held.answer;
  const lost = first.complete({ url: callbackOf(authUrl), user: 'alice' });
  await held.asked;
  assert.equal((await second.complete({ url: callbackOf(authUrl), user: 'alice' })).outcome, 'unknown_state');

  await sql("UPDATE fermata.claims SET until = '-infinity'");
  endpoint.answer = json({ error: 'invalid_grant' }, 400);
  const outcome = await second.complete({ url: callbackOf(authUrl), user: 'alice' });

  assert.ok(outcome.outcome === 'failed' && outcome.error === 'invalid_grant');
  held.release();
  assert.equal((await lost).outcome, 'granted');
});

it('processes that refresh at once use a refresh token once, and all have the new token', async (t) => {
  const { endpoint, clock, processes, consent } = await world(t);
  await consent();
  await processes[1].token(subject('alice'), 'bank');
  endpoint.answer = rotating();

  const values: unknown[] = [];
  for (let round = 0; round < 5; round += 1) {
    clock.ms += 60_000;
    const tokens = await Promise.all(
      [...processes, ...processes].map((oauth) => oauth.token(subject('alice'), 'bank')),
    );
    values.push(...new Set(tokens.map((token) => token?.value)));
  }

  assert.deepEqual(values, ['access-2', 'access-3', 'access-4', 'access-5', 'access-6']);
  assert.equal(endpoint.requests.length, 6);
});

it('tokens of several scopes that share a refresh token use it once in all processes', async (t) => {
  const { endpoint, clock, processes } = await world(t);
  for (const scope of ['read', 'write']) {
    const request = { provider: 'bank', user: 'alice', executionId: 'execution-1', scopes: [scope] };
    const { authUrl } = await processes[0].ask(request);
    endpoint.answer = json({ access_token: scope, expires_in: 60, refresh_token: 'refresh-1', scope });
    await processes[0].complete({ url: callbackOf(authUrl), user: 'alice' });
  }
  await processes[0].vault.put('builder', 'later', '');
  const held = heldAnswer(rotating());
  endpoint.answer = held.answer;
  clock.ms += 60_000;

  const first = processes[0].token(subject('alice'), 'bank', ['read']);
  await held.asked;
  const second = processes[1].token(subject('alice'), 'bank', ['write']);
  for (let look = 0; look < 20; look += 1) await processes[1].vault.get('flow', 'unknown');
  assert.equal(endpoint.requests.length, 3, 'the second one waits');
  held.release();
  const tokens = await Promise.all([first, second]);

  assert.deepEqual(tokens.map((token) => token?.value).sort(), ['access-2', 'access-3']);
  assert.deepEqual(
    endpoint.requests.slice(2).map(({ form }) => form.refresh_token),
    ['refresh-1', 'refresh-2'],
  );
});

it('a process that ends while it refreshes only delays the others', async (t) => {
  const { endpoint, clock, processes, consent, sql } = await world(t);
  const [first, second] = processes;
  await consent();
  await second.token(subject('alice'), 'bank');
  const never = heldAnswer(granted);
  endpoint.answer = never.answer;
  clock.ms += 60_000;
  const lost = first.token(subject('alice'), 'bank');
  await never.asked;
  endpoint.answer = json({ access_token: 'access-2', expires_in: 60 });
  const waits = second.token(subject('alice'), 'bank');
  while ((await sql('SELECT 1 FROM fermata.claims')).length === 0);
  assert.equal(endpoint.requests.length, 2);

  await sql("UPDATE fermata.claims SET until = '-infinity'");

  assert.equal((await waits)?.value, 'access-2');
  first.stop();
  await assert.rejects(lost, { code: 'oauth_failed' });
});

it('a token that was revoked, or replaced, at one process is not used at another', async (t) => {
  const { endpoint, processes, consent } = await world(t);
  const [first, second] = processes;
  await consent();
  const before = await second.token(subject('alice'), 'bank');
  endpoint.answer = json({ access_token: 'replaced', expires_in: 60 });
  await consent();
  const replaced = await second.token(subject('alice'), 'bank');

  await first.disconnect(subject('alice'), 'bank');
  await first.vault.put('builder', 'later', '');

  assert.deepEqual([before?.value, replaced?.value], ['access-1', 'replaced']);
  assert.equal(await second.token(subject('alice'), 'bank'), undefined);
});

it('a limit of consents counts those that a process has begun', async (t) => {
  const { processes } = await world(t, { maxFlows: 4 });
  const begin = (place: number, user: string) =>
    processes[place]!.begin({ provider: 'bank', user, executionId: 'execution-1' });
  for (let count = 0; count < 2; count += 1) begin(0, 'alice');
  assert.throws(() => begin(0, 'alice'), { code: 'queue_full' });

  begin(1, 'alice');

  assert.deepEqual(
    processes.map(({ pending }) => pending),
    [2, 1],
  );
});

it('expired consents are removed by those that begin later, at any process', async (t) => {
  const { processes, clock, sql } = await world(t);
  const [first, second] = processes;
  const begin = (oauth: typeof first, number: number) =>
    oauth.begin({ provider: 'bank', user: `user ${number}`, executionId: 'execution-1' });
  for (let number = 0; number < 10; number += 1) begin(first, number);
  await first.vault.put('builder', 'later', '');
  clock.ms += 300_000;

  for (let number = 0; number < 12; number += 1) {
    begin(second, number);
    for (let turn = 0; turn < 3; turn += 1) await second.vault.put('builder', 'later', `${turn}`); // a sweep reads, and then writes
    await second.vault.entries('flow', '');
  }
  await second.vault.put('builder', 'later', '');

  const rows = await sql("SELECT key FROM fermata.vault WHERE kind = 'flow'");
  assert.equal(rows.length, 12);
});

const agent = workflow({ name: 'agent', run: async (_, ctx) => (await ctx.authorize('bank')).value });

/** Runtimes that serve a workflow which needs a token. */
const nodes = async (t: TestContext, served: Workflow = agent, secret: string | undefined = SECRET) => {
  const nodes = await PostgresNodes.open(t);
  const requests: string[] = [];
  let count = 0;
  const fetch = async (_: unknown, init?: RequestInit) => {
    requests.push(String(init?.body));
    count += 1;
    return Response.json({ access_token: `access-${count}`, expires_in: 60, refresh_token: `refresh-${count}` });
  };
  const providers = { bank: providerAt('https://bank.example') };
  const add = () =>
    nodes.add({ workflows: [served], providers, fetch: fetch as never }, secret === '' ? {} : { secret });
  const asking = async (runtime: Runtime, by = alice) => {
    const { execution } = await start(runtime, { workflow: 'agent', by });
    await runtime.waitUntil(execution, ({ status, isSettled }) => status === 'awaiting_oauth' || isSettled);
    await nodes.quiet();
    return execution;
  };
  const urlOf = ({ context }: ExecutionView) => {
    const [pause] = context.pauses;
    assert.ok(pause?.kind === 'oauth');
    return pause.authUrl;
  };
  const resultAt = async (runtime: Runtime, id: string, by = alice) => {
    const execution = (await runtime.get(id, by))!;
    await runtime.waitUntil(execution, ({ isSettled }) => isSettled);
    return execution.context.result ?? execution.context.error?.message;
  };
  return { nodes, add, requests, asking, urlOf, resultAt };
};

it('a callback may arrive at any node, and the node that gets it continues the execution', async (t) => {
  const { add, asking, urlOf, resultAt, requests } = await nodes(t);
  const [first, second] = [await add(), await add()];
  const execution = await asking(first.runtime);

  const outcome = await second.runtime.completeOAuth(callbackOf(urlOf(execution)), alice);

  assert.equal(outcome.outcome, 'granted');
  assert.equal(await resultAt(second.runtime, execution.id), 'access-1');
  assert.equal(requests.length, 1);
});

it('parallel runs of a user share a consent, whichever nodes they are at, and those of others do not', async (t) => {
  const { add, asking, urlOf, resultAt, requests } = await nodes(t);
  const [first, second, third] = [await add(), await add(), await add()];
  const own = [await asking(first.runtime), await asking(second.runtime), await asking(second.runtime)];
  const other = await asking(third.runtime, bob);
  const urls = own.map(urlOf);
  assert.deepEqual(urls, [urls[0], urls[0], urls[0]]);
  assert.notEqual(urlOf(other), urls[0]);

  const outcome = await third.runtime.completeOAuth(callbackOf(urls[0]!), alice);

  assert.ok(outcome.outcome === 'granted' && outcome.also?.length === 2);
  for (const { id } of own) assert.equal(await resultAt(third.runtime, id), 'access-1');
  assert.equal((await third.runtime.get(other.id, bob))!.status, 'awaiting_oauth');
  assert.equal(requests.length, 1);
});

it('a shared consent goes on after the run, and the node, that asked first have ended', async (t) => {
  const { nodes: all, add, asking, urlOf, resultAt } = await nodes(t);
  const [first, second] = [await add(), await add()];
  const [ended, goesOn] = [await asking(first.runtime), await asking(second.runtime)];
  const url = urlOf(ended);
  await first.runtime.cancel(ended.id, alice);
  await all.quiet();
  await all.expire(first);

  await second.runtime.completeOAuth(callbackOf(url), alice);

  assert.equal(await resultAt(second.runtime, goesOn.id), 'access-1');
});

it('a run that joins a consent while another node ends it gets its token', async (t) => {
  const { nodes: all, add, asking, urlOf, resultAt, requests } = await nodes(t);
  const [first, second] = [await add(), await add()];
  const execution = await asking(first.runtime);
  const { entries } = second.store.vault;
  let isEnded = false;
  // The other node ends the consent after this one has read it, and before its request is committed.
  t.mock.method(
    second.store.vault,
    'entries',
    async function (this: typeof second.store.vault, ...asked: Parameters<typeof entries>) {
      const found = await entries.apply(this, asked);
      if (asked[0] === 'flow' && found.length > 0 && !isEnded) {
        isEnded = true;
        await first.runtime.completeOAuth(callbackOf(urlOf(execution)), alice);
        await all.quiet();
      }
      return found;
    },
  );

  const { execution: late } = await start(second.runtime, { workflow: 'agent', by: alice });

  assert.equal(await resultAt(second.runtime, late.id), 'access-1');
  assert.ok(isEnded);
  assert.equal(requests.length, 1);
});

it('a run goes on when it is loaded, if a node has ended its consent and died before it recorded that', async (t) => {
  const { nodes: all, add, asking, urlOf, resultAt } = await nodes(t);
  const first = await add();
  const execution = await asking(first.runtime);
  await all.sql("DELETE FROM fermata.vault WHERE kind = 'flow'");
  const other = await asking(first.runtime);
  await first.runtime.completeOAuth(callbackOf(urlOf(other)), alice); // the token is there
  await all.quiet();
  const second = await add();

  const found = (await second.runtime.get(execution.id, alice))!;

  await all.until(() => found.isSettled);
  assert.equal(await resultAt(second.runtime, execution.id), 'access-1');
});

it('a consent for a run that another node executes reaches it there, with its token', async (t) => {
  const held = { release: () => {} };
  const busy = new Promise<void>((resolve) => (held.release = resolve));
  const both = workflow({
    name: 'agent',
    run: async (_, ctx) => {
      const [token] = await Promise.all([ctx.authorize('bank'), ctx.step('busy', () => busy)]);
      return token.value;
    },
  });
  const { nodes: all, add, urlOf, resultAt } = await nodes(t, both);
  const [first, second] = [await add(), await add()];
  const { execution } = await start(first.runtime, { workflow: 'agent', by: alice });
  await all.quiet();

  const lock = await (await Database.at(all.url)).connect('test');
  t.after(() => lock.close());
  await lock.exec('BEGIN; LOCK TABLE vault IN EXCLUSIVE MODE'); // the token is stored late

  const completed = second.runtime.completeOAuth(callbackOf(urlOf(execution)), alice);
  held.release();
  for (let round = 0; round < 20; round += 1) {
    all.clock.advance(1_000); // the node where it is executed looks for what others ask of it
    await turns(10);
    await Promise.all([first.store.named('unknown'), second.store.named('unknown')]);
  }
  await lock.exec('COMMIT');
  await all.pass(1_000);

  assert.equal((await completed).outcome, 'granted');
  assert.equal(await resultAt(first.runtime, execution.id), 'access-1');
});

it('without a secret the node that gets the callback continues the execution with the token that it has', async (t) => {
  const { nodes: all, add, asking, urlOf, resultAt } = await nodes(t, agent, '');
  const [first, second] = [await add(), await add()];
  const execution = await asking(first.runtime);

  await second.runtime.completeOAuth(callbackOf(urlOf(execution)), alice);

  assert.equal(await resultAt(second.runtime, execution.id), 'access-1');
  assert.deepEqual(await all.sql("SELECT key FROM fermata.vault WHERE kind IN ('token', 'flow')"), []);
});

it('a node whose lease has ended ends no consent: the same callback counts at another node', async (t) => {
  const { nodes: all, add, asking, urlOf, resultAt, requests } = await nodes(t);
  const [first, second] = [await add(), await add()];
  const execution = await asking(first.runtime);
  const callback = callbackOf(urlOf(execution));
  second.told('late');
  await all.quiet();

  await assert.rejects(second.runtime.completeOAuth(callback, alice), { code: 'store_unavailable' });
  await all.quiet();
  const outcome = await first.runtime.completeOAuth(callback, alice);

  assert.equal(outcome.outcome, 'granted');
  assert.match(String(await resultAt(first.runtime, execution.id)), /^access-/);
  assert.equal(requests.length, 1, 'the first one has not sent the code');
});
