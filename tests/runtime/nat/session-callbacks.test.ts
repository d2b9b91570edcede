/** People who are asked through functions. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AskedConsent, type Prompt, type Response, text, workflow } from '../../../runtime/index.ts';
import { untilIdle } from '../../support/given.ts';
import { immediate } from '../../support/in-process.ts';
import { gate, sessionManager } from '../../support/session-manager.ts';
import { json, tokenEndpoint } from '../../support/token-endpoint.ts';

const greeter = workflow({
  name: 'greeter',
  perUser: { build: () => {} },
  run: async (_input: unknown, ctx) => {
    const { text: name } = await ctx.prompt(text({ text: `Who is ${ctx.conversationId}?` }));
    await ctx.notify(`Hello ${name}`);
    return name;
  },
});

const says = (given: string): Response => ({ kind: 'text', text: given });

test('what a run asks and tells goes to the callback of its session, which answers', async (t) => {
  const { manager } = await sessionManager(t, greeter);
  const asked: [text: string, kind: string, interactionId: string | null][] = [];
  const session = await manager.session({
    userId: 'alice',
    conversationId: 'c1',
    userInputCallback: (prompt, { interactionId }) => {
      asked.push([prompt.text, prompt.input_type, interactionId]);
      return says('Ada');
    },
  });

  const result = await (await session.run(null)).result();

  assert.equal(result, 'Ada');
  const [[question, kind, id], notification] = asked as [(typeof asked)[0], (typeof asked)[0]];
  assert.deepEqual([question, kind], ['Who is c1?', 'text']);
  assert.ok(id);
  assert.deepEqual(notification, ['Hello Ada', 'notification', null]);
});

test('two sessions of one user are asked each through its own callback, also the one that built the builder', async (t) => {
  const { manager } = await sessionManager(t, greeter);
  const open = (conversationId: string, userInputCallback: (prompt: Prompt) => Response) =>
    manager.session({ userId: 'alice', conversationId, userInputCallback });
  const first = await open('c1', ({ text: asked }) => says(`first: ${asked}`));
  const second = await open('c2', ({ text: asked }) => says(`second: ${asked}`));

  const results = await Promise.all([(await second.run(null)).result(), (await first.run(null)).result()]);

  assert.deepEqual(results, ['second: Who is c2?', 'first: Who is c1?']);
});

test('without a callback the run waits, and can be answered through the runtime', async (t) => {
  const { manager } = await sessionManager(t, greeter);
  const session = await manager.session({ userId: 'alice' });
  const run = await session.run(null);
  await untilIdle(manager.runtime);
  assert.equal(run.status, 'awaiting_interaction');
  const by = { userId: 'alice' };

  const [pause] = immediate(manager.runtime.get(run.executionId, by))?.context.pauses ?? [];
  await manager.runtime.answer(run.executionId, pause?.id ?? '', says('Grace'), by);

  assert.equal(await run.result(), 'Grace');
});

test('a prompt that others answer while the callback thinks is answered, and the callback comes too late', async (t) => {
  const { manager } = await sessionManager(t, greeter);
  const { opened, open } = gate();
  const thinking = gate();
  const session = await manager.session({
    userId: 'alice',
    userInputCallback: async ({ input_type }) => {
      if (input_type === 'text') thinking.open();
      await opened;
      return says('late');
    },
  });
  const run = await session.run(null);
  await thinking.opened;
  const by = { userId: 'alice' };
  const [pause] = immediate(manager.runtime.get(run.executionId, by))?.context.pauses ?? [];

  await manager.runtime.answer(run.executionId, pause?.id ?? '', says('early'), by);
  open();

  assert.equal(await run.result(), 'early');
});

test('a callback that throws ends the run with what it threw', async (t) => {
  const { manager } = await sessionManager(t, greeter);
  const userInputCallback = (): never => {
    throw new TypeError('nobody is at the terminal');
  };
  const session = await manager.session({ userId: 'alice', userInputCallback });

  const result = (await session.run(null)).result();

  await assert.rejects(result, { name: 'TypeError', message: 'nobody is at the terminal', code: 'workflow_error' });
});

test('a callback that throws after its prompt has expired does not end the run', async (t) => {
  const patient = workflow({
    name: 'patient',
    run: async (_input: unknown, ctx) => {
      const first = await ctx.prompt(text({ text: 'Name?', timeoutS: 60, default: 'nobody' }));
      const second = await ctx.prompt(text({ text: 'And now?' }));
      return [first.text, second.text];
    },
  });
  const { manager, clock } = await sessionManager(t, patient);
  const { opened, open } = gate();
  const asked = gate();
  const again = gate();
  const session = await manager.session({
    userInputCallback: async ({ text: question }) => {
      if (question === 'Name?') {
        asked.open();
        await opened;
        throw new Error('too late to matter');
      }
      await again.opened;
      return says('Ada');
    },
  });
  const run = await session.run(null);
  await asked.opened;
  clock.advance(65_000);

  open();
  await new Promise(setImmediate);
  again.open();

  assert.deepEqual(await run.result(), ['nobody', 'Ada']);
});

test('a callback whose answer does not fit ends the run, and says what would have fitted', async (t) => {
  const { manager } = await sessionManager(t, greeter);
  const userInputCallback = (): Response => ({ kind: 'radio', picks: [{ id: 'a' }] });
  const session = await manager.session({ userId: 'alice', userInputCallback });

  const result = (await session.run(null)).result();

  await assert.rejects(result, { message: 'The prompt asks for text, the answer is of type radio.' });
});

test('a run that may not ask fails where it would have, and no callback is called', async (t) => {
  const { manager } = await sessionManager(t, greeter);
  const session = await manager.session({ userId: 'alice', userInputCallback: () => assert.fail('was asked') });

  const result = (await session.run(null, { interactive: false })).result();

  await assert.rejects(result, { name: 'NotImplementedError' });
});

// --- consents ----------------------------------------------------------------------------------------------------

const banker = workflow({
  name: 'banker',
  run: async (_input: unknown, ctx) => (await ctx.authorize('bank')).value,
});

/** A manager whose provider grants whatever comes, and the callback to which it would send a browser. */
const withBank = async (t: TestContext) => {
  const bank = await tokenEndpoint(t, json({ access_token: 'opens-the-vault', token_type: 'bearer', expires_in: 60 }));
  const redirectUri = 'http://127.0.0.1:8000/auth/redirect';
  const provider = {
    clientId: 'c',
    authorizationUrl: `${bank.origin}/auth`,
    tokenUrl: `${bank.origin}/token`,
    redirectUri,
  };
  const { manager } = await sessionManager(t, banker, { providers: { bank: provider } });
  return { manager, agreed: (state: string) => new URL(`${redirectUri}?code=abc&state=${encodeURIComponent(state)}`) };
};

test('a consent goes to the callback of its session, and the address it gives back lets the run go on', async (t) => {
  const { manager, agreed } = await withBank(t);
  const asked: AskedConsent[] = [];
  const session = await manager.session({
    userId: 'alice',
    userAuthenticationCallback: (consent) => {
      asked.push(consent);
      return agreed(consent.state);
    },
  });

  const run = await session.run(null);

  assert.equal(await run.result(), 'opens-the-vault');
  assert.equal(asked.length, 1);
  assert.deepEqual([asked[0]?.provider, asked[0]?.executionId], ['bank', run.executionId]);
  assert.match(asked[0]?.authUrl ?? '', /\/auth\?.*code_challenge=/);
});

const noConsent: Record<string, { callback: () => URL | null; reason: string }> = {
  'the user would not go': { callback: () => null, reason: 'The user did not consent.' },
  'the callback throws': {
    callback: () => {
      throw new Error('no browser here');
    },
    reason: 'no browser here',
  },
  'the address is of another consent': {
    callback: () => new URL('http://127.0.0.1:8000/auth/redirect?code=abc&state=unheard-of'),
    reason: 'The returned URL belongs to no open consent.',
  },
};

for (const [why, { callback, reason }] of Object.entries(noConsent)) {
  test(`a workflow is told why there is no consent when ${why}`, async (t) => {
    const { manager } = await withBank(t);
    const session = await manager.session({ userId: 'alice', userAuthenticationCallback: callback });

    const result = (await session.run(null)).result();

    await assert.rejects(result, { name: 'AuthorizationError', message: `Authentication callback failed: ${reason}` });
  });
}
