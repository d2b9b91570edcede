/** Consents and tokens that outlive the process: the store is closed and opened again in between. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pass, setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createRuntime, type OAuthProviderConfig, text, type Workflow, workflow } from '../../../runtime/index.ts';
import { createOAuth } from '../../../runtime/oauth/oauth.ts';
import type { Vault } from '../../../runtime/store/vault.ts';
import { alice } from '../../support/callers.ts';
import { DurableWorld } from '../../support/durable.ts';
import { identityProvider } from '../../support/identity-provider.ts';
import { immediate } from '../../support/in-process.ts';
import { reopenableStore } from '../../support/reopenable-store.ts';
import { start } from '../../support/start.ts';
import { heldAnswer, json, type TokenAnswer, tokenEndpoint } from '../../support/token-endpoint.ts';
import { subject } from '../../support/token-subject.ts';

const SECRET = 'a key of 32 random bytes, say';

/** Processes that come one after the other; each has an OAuth of its own, and the vault of the same directory. */
const world = async (t: TestContext, secret: string | null = SECRET) => {
  const answer = json({ access_token: 'access-1', expires_in: 60, refresh_token: 'refresh-1' });
  const endpoint = await tokenEndpoint(t, answer);
  const kept = await reopenableStore(t, secret ?? undefined);
  const clock = { ms: 1_000_000 };
  const bank = {
    clientId: 'lab-client',
    authorizationUrl: `${endpoint.origin}/authorize`,
    tokenUrl: `${endpoint.origin}/token`,
    redirectUri: 'http://127.0.0.1:8000/auth/redirect',
  };
  const process = (vault: Vault = kept.store.vault) => {
    const wait = async (ms: number) => {
      clock.ms += ms;
      await setImmediate();
    };
    const oauth = createOAuth({ providers: { bank }, now: () => clock.ms, timeoutMs: 300_000, vault, wait });
    t.after(() => oauth.stop());
    return oauth;
  };
  const restart = async (otherSecret?: string) => process((await kept.reopen(otherSecret)).vault);
  return { endpoint, kept, clock, bank, process, restart };
};

const asked = { provider: 'bank', user: 'alice', executionId: 'execution-1' };
const callback = (state: string) => new URL(`http://host/?code=ok&state=${state}`);

for (const secret of [SECRET, null]) {
  test(`a consent that began before a restart ends after it, ${secret ? 'with' : 'without'} a key`, async (t) => {
    const { process, restart, endpoint } = await world(t, secret);
    const { state } = process().begin(asked);

    const oauth = await restart();
    const stranger = await oauth.complete({ url: callback(state), user: 'bob' });
    const outcome = await oauth.complete({ url: callback(state), user: 'alice' });
    const again = await oauth.complete({ url: callback(state), user: 'alice' });
    const later = await (await restart()).complete({ url: callback(state), user: 'alice' });

    assert.deepEqual(stranger, { outcome: 'unknown_state' });
    assert.deepEqual(outcome, { outcome: 'granted', executionId: 'execution-1', state });
    assert.deepEqual([again, later], [{ outcome: 'unknown_state' }, { outcome: 'unknown_state' }]);
    assert.match(endpoint.requests[0]?.form.code_verifier ?? '', /^[\w-]{43,}$/);
    assert.equal(endpoint.requests.length, 1);
  });
}

test('a real provider takes the verifier of a process that is gone', async (t) => {
  const bank = await identityProvider(t);
  const kept = await reopenableStore(t, SECRET);
  const create = () =>
    createOAuth({
      providers: { bank: bank.config },
      now: Date.now,
      timeoutMs: 300_000,
      vault: kept.store.vault,
    });
  const { authUrl } = create().begin({ ...asked, scopes: ['openid', 'read'] });
  const url = await bank.accept(authUrl, 'alice');

  await kept.reopen();
  await create().complete({ url, user: 'alice' });
  await kept.reopen();
  const token = await create().token(subject('alice'), 'bank', ['openid', 'read']);

  assert.equal(await bank.whoHas(token?.value ?? ''), 'alice');
});

test('a consent that was abandoned, or has expired, is over in the next process too', async (t) => {
  const { process, restart, clock, kept } = await world(t);
  const first = process();
  const [abandoned, expired] = [first.begin(asked), first.begin(asked)];
  first.abandon(abandoned.state);

  clock.ms += 300_000;
  const second = await restart();
  const outcomes = await Promise.all(
    [abandoned, expired].map(({ state }) => second.complete({ url: callback(state), user: 'alice' })),
  );

  assert.deepEqual(outcomes, [{ outcome: 'unknown_state' }, { outcome: 'unknown_state' }]);
  assert.deepEqual(immediate(kept.store.vault.entries('flow', '', '', 10)), []);
});

test('abandoned consents do not accumulate', async (t) => {
  const { process, restart, clock, kept } = await world(t);
  const first = process();
  for (let n = 0; n < 20; n += 1) first.begin(asked);

  clock.ms += 300_000;
  const second = await restart();
  for (let n = 0; n < 6; n += 1) second.begin(asked);

  assert.equal(immediate(kept.store.vault.entries('flow', '')).length, 6);
});

test('a callback whose process ends before anything is kept may come again, and the provider decides', async (t) => {
  const { process, restart, endpoint, kept } = await world(t);
  const { state } = process().begin(asked);
  await kept.reopen();
  const exchange = heldAnswer(json({ access_token: 'too-late' }));
  endpoint.answer = exchange.answer;
  const dying = process();
  const lost = dying.complete({ url: callback(state), user: 'alice' });
  await exchange.asked;

  const oauth = await restart();
  endpoint.answer = json({ error: 'invalid_grant' }, 400);
  const outcome = await oauth.complete({ url: callback(state), user: 'alice' });

  assert.ok(outcome.outcome === 'failed' && outcome.error === 'invalid_grant');
  assert.deepEqual(await oauth.complete({ url: callback(state), user: 'alice' }), { outcome: 'unknown_state' });
  dying.stop();
  exchange.release();
  await lost.catch(() => {});
});

test('while nothing can be kept no consent begins, and a callback is refused without being used up', async (t) => {
  const { process, kept, endpoint } = await world(t);
  const { vault } = kept.store;
  const broken = { is: false };
  const failing = new Proxy(vault, {
    get: (target, name) => {
      if (broken.is && ['put', 'remove', 'refuseIfUnavailable'].includes(String(name)))
        return () => {
          throw Object.assign(new Error('The disk is full.'), { code: 'store_unavailable' });
        };
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const oauth = process(failing);
  const { state } = oauth.begin(asked);

  broken.is = true;
  assert.throws(() => oauth.begin(asked), { code: 'store_unavailable' });
  await assert.rejects(oauth.complete({ url: callback(state), user: 'alice' }), { code: 'store_unavailable' });
  broken.is = false;
  const outcome = await oauth.complete({ url: callback(state), user: 'alice' });

  assert.equal(outcome.outcome, 'granted');
  assert.equal(endpoint.requests.length, 1);
  assert.equal(oauth.pending, 0);
});

test('a token is there after a restart, is refreshed with what the last process was given, and is revoked', async (t) => {
  const { process, restart, endpoint, clock } = await world(t);
  const first = process();
  await first.complete({ url: callback(first.begin(asked).state), user: 'alice' });

  const second = await restart();
  const before = await second.token(subject('alice', 'execution-2'), 'bank');
  endpoint.answer = json({ access_token: 'access-2', expires_in: 60, refresh_token: 'refresh-2' });
  clock.ms += 60_000;
  await second.token(subject('alice'), 'bank');
  const third = await restart();
  const after = await third.token(subject('alice'), 'bank');
  clock.ms += 60_000;
  await third.token(subject('alice'), 'bank');
  third.revoke('alice');
  const revoked = await (await restart()).token(subject('alice'), 'bank');

  assert.deepEqual([before?.value, after?.value, revoked], ['access-1', 'access-2', undefined]);
  assert.deepEqual(
    endpoint.requests.map(({ form }) => form.refresh_token),
    [undefined, 'refresh-1', 'refresh-2'],
  );
});

test('a token with more scopes is found after a restart as well, and a user is disconnected from both', async (t) => {
  const { process, restart } = await world(t);
  const first = process();
  await first.complete({ url: callback(first.begin({ ...asked, scopes: ['read', 'write'] }).state), user: 'alice' });

  const second = await restart();
  const token = await second.token(subject('alice'), 'bank', ['write']);
  const third = await restart();
  await third.disconnect(subject('alice'), 'bank');
  const gone = await (await restart()).token(subject('alice'), 'bank', ['read', 'write']);

  assert.deepEqual([token?.value, gone], ['access-1', undefined]);
});

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

test('a process that comes late to a refresh takes what the other one was given', async (t) => {
  const { process, endpoint, clock } = await world(t);
  const [first, second] = [process(), process()];
  await first.complete({ url: callback(first.begin(asked).state), user: 'alice' });
  await second.token(subject('alice'), 'bank');
  endpoint.answer = rotating();
  clock.ms += 60_000;

  const tokens = [await first.token(subject('alice'), 'bank'), await second.token(subject('alice'), 'bank')];
  clock.ms += 60_000;
  tokens.push(await second.token(subject('alice'), 'bank'), await first.token(subject('alice'), 'bank'));

  assert.deepEqual(
    tokens.map((token) => token?.value),
    ['access-2', 'access-2', 'access-3', 'access-3'],
  );
  assert.equal(endpoint.requests.length, 3);
});

test('two processes that refresh at once use a refresh token once', async (t) => {
  const { process, endpoint, clock } = await world(t);
  const [first, second] = [process(), process()];
  await first.complete({ url: callback(first.begin(asked).state), user: 'alice' });
  await second.token(subject('alice'), 'bank');
  endpoint.answer = rotating();
  clock.ms += 60_000;

  const tokens = await Promise.all([first, second].map((oauth) => oauth.token(subject('alice'), 'bank')));

  assert.deepEqual(
    tokens.map((token) => token?.value),
    ['access-2', 'access-2'],
  );
  assert.equal(endpoint.requests.length, 2);
});

for (const how of ['refuses it', 'loses it'] as const) {
  test(`a refreshed token is stored as soon as the store works again that ${how}`, async (t) => {
    const { process, restart, endpoint, clock, kept } = await world(t);
    const first = process();
    await first.complete({ url: callback(first.begin(asked).state), user: 'alice' });
    const { vault } = kept.store;
    const put = vault.put.bind(vault);
    let failures = 0;
    const stored = new Promise<unknown>((resolve) => {
      t.mock.method(vault, 'put', (...given: Parameters<typeof put>) => {
        if (given[0] !== 'token' || failures === 3) return put(...given).finally(() => resolve(undefined));
        failures += 1;
        const failure = Object.assign(new Error('The disk is full.'), { code: 'store_unavailable' });
        if (how === 'refuses it') throw failure;
        return Promise.reject(failure);
      });
    });
    endpoint.answer = json({ access_token: 'access-2', expires_in: 600, refresh_token: 'refresh-2' });
    clock.ms += 60_000;

    const token = await first.token(subject('alice'), 'bank');
    await stored;

    assert.equal(token?.value, 'access-2');
    assert.equal(failures, 3);
    assert.equal((await (await restart()).token(subject('alice'), 'bank'))?.value, 'access-2');
    assert.equal(endpoint.requests.length, 2);
  });
}

test('a token that another process has removed is not refreshed', async (t) => {
  const { process, endpoint, clock } = await world(t);
  const [first, second] = [process(), process()];
  await first.complete({ url: callback(first.begin(asked).state), user: 'alice' });
  await second.token(subject('alice'), 'bank');

  first.revoke('alice');
  clock.ms += 60_000;
  const token = await second.token(subject('alice'), 'bank');

  assert.equal(token, undefined);
  assert.equal(endpoint.requests.length, 1);
});

test('a refresh that had begun when its process ended is made by the next one, after a while', async (t) => {
  const { process, restart, endpoint, clock } = await world(t);
  const first = process();
  await first.complete({ url: callback(first.begin(asked).state), user: 'alice' });
  const never = heldAnswer(() => {});
  endpoint.answer = never.answer;
  clock.ms += 60_000;
  const lost = first.token(subject('alice'), 'bank');
  await never.asked;
  endpoint.answer = json({ access_token: 'access-2', expires_in: 60 });

  const second = await restart();
  const token = await second.token(subject('alice'), 'bank');

  assert.equal(token?.value, 'access-2');
  first.stop();
  await assert.rejects(lost, { code: 'oauth_failed' });
});

test('the tokens of an execution without owner are deleted with it, also in another process', async (t) => {
  const { process, restart, kept } = await world(t);
  const first = process();
  for (const executionId of ['execution-1', 'execution-2']) {
    const { state } = first.begin({ provider: 'bank', user: undefined, executionId });
    await first.complete({ url: callback(state), user: undefined });
  }

  const second = await restart();
  second.release('execution-1');
  second.release('unknown');
  const tokens = await Promise.all(
    ['execution-1', 'execution-2'].map((id) => second.token(subject(undefined, id), 'bank')),
  );

  assert.deepEqual(
    tokens.map((token) => token?.value),
    [undefined, 'access-1'],
  );
  assert.equal(immediate(kept.store.vault.entries('token', '', '', 10)).length, 1);
});

test('a token that was sealed under another key is none, and without a key none is written', async (t) => {
  const sealed = await world(t);
  const first = sealed.process();
  await first.complete({ url: callback(first.begin(asked).state), user: 'alice' });
  const plain = await world(t, null);
  const keyless = plain.process();
  await keyless.complete({ url: callback(keyless.begin(asked).state), user: 'alice' });

  const other = await sealed.restart('another key');

  assert.equal(await other.token(subject('alice'), 'bank'), undefined);
  assert.equal((await keyless.token(subject('alice'), 'bank'))?.value, 'access-1');
  assert.deepEqual(immediate(plain.kept.store.vault.entries('token', '', '', 10)), []);
});

test('nothing that is secret can be read in the files', async (t) => {
  const { process, kept, endpoint } = await world(t);
  const first = process();
  await first.complete({ url: callback(first.begin(asked).state), user: 'alice' });
  const { state } = first.begin(asked);
  kept.store.vault.put('builder', 'shown', 'as it is');
  await kept.reopen();
  await process().complete({ url: callback(state), user: 'alice' });
  const verifiers = endpoint.requests.map(({ form }) => form.code_verifier!);
  const live = kept.bytes();

  await kept.close();

  for (const bytes of [live, kept.bytes()]) {
    assert.ok(bytes.includes('as it is'));
    for (const secret of ['access-1', 'refresh-1', SECRET, ...verifiers]) assert.ok(!bytes.includes(secret));
  }
});

test('a vault shows what was put before it is on the disk, and its keys in order', async (t) => {
  const { kept } = await world(t);
  const { vault } = kept.store;
  vault.put('flow', 'a', '1');
  vault.put('flow', 'c', '3');
  await kept.reopen();
  const { vault: reopened } = kept.store;

  reopened.remove('flow', 'a');
  reopened.put('flow', 'b', '2');
  reopened.put('flow', 'd', '4');
  reopened.put('builder', 'bb', '5');

  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => reopened.get('flow', key)),
    [undefined, '2', '3'],
  );
  assert.deepEqual(reopened.entries('flow', '', '', 2), [
    ['b', '2'],
    ['c', '3'],
  ]);
  assert.deepEqual(reopened.entries('flow', '', 'b', 9), [
    ['c', '3'],
    ['d', '4'],
  ]);
});

for (const secret of [SECRET, null]) {
  test(`an execution that waits for a consent goes on in the next process, ${secret ? 'with' : 'without'} a key`, async (t) => {
    const { kept, bank } = await world(t, secret);
    const agent = workflow({ name: 'agent', run: async (_, ctx) => (await ctx.authorize('bank')).scopes });
    const openRuntime = async () => {
      const runtime = await createRuntime({ workflows: [agent], providers: { bank }, store: kept.store });
      t.after(() => runtime.stop());
      return runtime;
    };
    const first = await openRuntime();
    const { execution } = await start(first, { workflow: 'agent' });
    await first.waitUntil(execution, ({ status }) => status === 'awaiting_oauth');
    const [{ id: state } = { id: '' }] = execution.context.pauses;
    await first.stop();

    await kept.reopen();
    const second = await openRuntime();
    const outcome = await second.completeOAuth(callback(state), alice);
    const settled = immediate(second.get(execution.id, alice))!;
    await second.waitUntil(settled, ({ isSettled }) => isSettled);

    assert.equal(outcome.outcome, 'granted');
    assert.deepEqual([settled.context.error, settled.context.result], [null, []]);
  });
}

test('a browser that has followed the link of a bound consent may come back to the next process', async (t) => {
  const { kept, bank } = await world(t);
  const agent = workflow({ name: 'agent', run: async (_, ctx) => (await ctx.authorize('bank')).scopes });
  const consentLink = (state: string) => `https://fermata.test/connect/${state}`;
  const openRuntime = async () => {
    const runtime = await createRuntime({ workflows: [agent], providers: { bank }, store: kept.store, consentLink });
    t.after(() => runtime.stop());
    return runtime;
  };
  const first = await openRuntime();
  const { execution } = await start(first, { workflow: 'agent' });
  await first.waitUntil(execution, ({ status }) => status === 'awaiting_oauth');
  const [{ id: state } = { id: '' }] = execution.context.pauses;
  const { proof } = (await first.openConsent(state, alice))!;
  await first.stop();

  await kept.reopen();
  const second = await openRuntime();
  const stranger = await second.completeOAuth(callback(state), { userId: undefined });
  const outcome = await second.completeOAuth(callback(state), { userId: undefined }, proof);

  assert.equal(await second.openConsent(state, { userId: 'bob' }), undefined);
  assert.deepEqual([stranger.outcome, outcome.outcome], ['unknown_state', 'granted']);
  const settled = immediate(second.get(execution.id, alice))!;
  await second.waitUntil(settled, ({ isSettled }) => isSettled);
});

test('a run that is executed again does not reject the token that took the place of a refused one', async (t) => {
  const { kept, bank, endpoint } = await world(t);
  endpoint.answer = json({ access_token: 'dead', refresh_token: 'refresh-1' });
  const agent = workflow({
    name: 'agent',
    run: async (_, ctx) => {
      const first = await ctx.authorize('bank');
      const second = await ctx.authorize('bank', { rejected: first });
      await ctx.prompt(text({ text: 'Go on?' }));
      return [first.value, second.value];
    },
  });
  const openRuntime = async () => {
    const runtime = await createRuntime({ workflows: [agent], providers: { bank }, store: kept.store });
    t.after(() => runtime.stop());
    return runtime;
  };
  const first = await openRuntime();
  const { execution } = await start(first, { workflow: 'agent' });
  await first.waitUntil(execution, ({ status }) => status === 'awaiting_oauth');
  endpoint.answer = (response, request) =>
    json({ access_token: request.form.code ? 'dead' : 'good', refresh_token: 'refresh-1' })(response, request);
  await first.completeOAuth(callback(execution.context.pauses[0]!.id), alice);
  await first.waitUntil(execution, ({ status }) => status === 'awaiting_interaction');
  await first.stop();

  await kept.reopen();
  const second = await openRuntime();
  const [{ id: interaction } = { id: '' }] = immediate(second.get(execution.id, alice))!.context.pauses;
  await second.answer(execution.id, interaction, { kind: 'text', text: 'Yes.' }, alice);
  const settled = immediate(second.get(execution.id, alice))!;
  await second.waitUntil(settled, ({ isSettled }) => isSettled);

  assert.deepEqual([settled.context.error, settled.context.result], [null, ['good', 'good']]);
  assert.equal(endpoint.requests.length, 2, 'one code, and one refresh');
});

/** When the thread that writes is lost: before the grant has come, or with the grant under way. */
for (const moment of ['before', 'after'] as const) {
  test(`a grant that could not be stored, lost ${moment} it came, is there when its callback comes again`, async (t) => {
    const { bank, endpoint } = await world(t);
    const writer = writerThread(t);
    const agent = workflow({ name: 'agent', run: async (_, ctx) => (await ctx.authorize('bank')).value });
    const { runtime, get, start, pass: elapse } = await opened(t, agent, bank);
    const id = await start();
    const [{ id: state } = { id: '' }] = get(id).context.pauses;
    endpoint.answer = async (response, asked) => {
      if (moment === 'before') await writer.lose();
      else writer.loseWithNextBatch();
      json({ access_token: asked.form.code })(response, asked);
    };

    await assert.rejects(runtime.completeOAuth(callback(state), alice), { code: 'store_unavailable' });
    endpoint.answer = json({ error: 'invalid_grant' }, 400);
    const outcome = await untilStored(() => runtime.completeOAuth(callback(state), alice));
    await elapse(1_000); // after which a run goes on that a lost thread has stopped
    await runtime.waitUntil(get(id), ({ isSettled }) => isSettled);

    assert.equal(outcome.outcome, 'granted');
    assert.deepEqual([get(id).context.error, get(id).context.result], [null, 'ok']);
    assert.equal(endpoint.requests.length, 1);
  });
}

const writerThread = (t: TestContext) => {
  let last!: Worker;
  let isDoomed = false;
  const { postMessage } = Worker.prototype;
  t.mock.method(Worker.prototype, 'postMessage', function (this: Worker, ...given: Parameters<typeof postMessage>) {
    last = this;
    if (isDoomed) void this.terminate();
    else postMessage.apply(this, given);
    isDoomed = false;
  });
  return {
    lose: () => last.terminate(),
    loseWithNextBatch: () => {
      isDoomed = true;
    },
  };
};

const opened = async (t: TestContext, agent: Workflow, bank: OAuthProviderConfig) => {
  const world = await DurableWorld.open(t, [agent], { providers: { bank }, secret: SECRET });
  return {
    runtime: world.runtime,
    get: (id: string) => world.get(id),
    start: () => world.start({ workflow: agent.name }),
    pass: (ms: number) => world.pass(ms),
  };
};

/** What the store tries again each second; there is no clock that could be given to a disk. */
const untilStored = async <T>(act: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'store_unavailable');
      await pass(50);
    }
  }
};
