import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { type Store, text, workflow } from '../../../../runtime/index.ts';
import { DelayedStore } from '../../../support/delayed-store.ts';
import { turns } from '../../../support/given.ts';
import { viewsOf } from '../../../support/in-process.ts';
import {
  contentOf,
  givenSocketServer,
  interactionReply,
  isComplete,
  isPrompt,
  isText,
  type SocketServerWorld,
  textsOf,
  userMessage,
} from '../../../support/socket-server.ts';
import type { SocketMessage } from '../../../support/web-socket.ts';

const C = '?conversation_id=c1';
const alice = { cookie: 'nat-session=alice' };
const inC = { conversation_id: 'c1' };

const only = ({ runtime }: SocketServerWorld) => {
  const [execution] = viewsOf(runtime);
  if (execution === undefined) throw new Error('nothing was started');
  return execution;
};

/** Says a text for each call of `next`. */
const told = () => {
  let say = (_word: string): void => {};
  const teller = workflow({
    name: 'teller',
    async run(_: unknown, ctx) {
      await new Promise<void>((resolve) => {
        say = (word) => {
          if (word === 'end') resolve();
          else ctx.emit(word);
        };
        ctx.signal.addEventListener('abort', () => resolve());
      });
    },
  });
  return { teller, say: (word: string) => say(word) };
};

const cutOffAfterEach = async (t: TestContext, store?: Store): Promise<void> => {
  const talk = await givenSocketServer(t, {
    ...(store && { store }),
    workflow: workflow({
      name: 'long',
      async *run(_: unknown, ctx) {
        ctx.observe('trace-1');
        for (let index = 0; index < 20; index += 1) {
          const span = ctx.span('LLM', 'model', { input: index });
          span.chunk('to');
          span.chunk('ken');
          span.end('token');
          yield `word ${index}`;
          if (index === 10) await ctx.prompt(text({ text: 'Go on?' }));
        }
        return undefined;
      },
    }),
  });
  let client = await talk.connect('?after=0', alice);
  client.send(userMessage('go', { ...inC, schema_type: 'generate_stream' }));

  const pieces: SocketMessage[] = [];
  for (let cursor = '0'; pieces.at(-1)?.type !== 'observability_trace_message'; ) {
    await client.when(() => client.messages.some((message) => !isPrompt(message)) || client.messages.some(isPrompt));
    const [message] = client.messages.splice(0, 1);
    if (message !== undefined && isPrompt(message)) client.send(interactionReply('yes'));
    else if (message !== undefined) {
      pieces.push(message);
      cursor = String(message.cursor);
      client.drop();
      client = await talk.connect(`${C}&after=${cursor}`, alice);
    }
  }

  const whole = await talk.connect(`${C}&after=0`, alice);
  const expected = await whole.until(({ type }) => type === 'observability_trace_message');
  assert.deepEqual(pieces, expected);
  assert.deepEqual(
    textsOf(pieces),
    Array.from({ length: 20 }, (_, index) => `word ${index}`),
  );
};

test('who is cut off after every message, and says what it has got, loses nothing and gets nothing twice', (t) =>
  cutOffAfterEach(t));

test('nor does it where the store keeps things late', (t) =>
  cutOffAfterEach(t, new DelayedStore({ maxJournalFacts: 10_000, maxJournalBytes: 2 ** 24 })));

test('who comes back without saying so gets what was said in between, once, and the end', async (t) => {
  const { teller, say } = told();
  const talk = await givenSocketServer(t, { workflow: teller });
  const first = await talk.connect('', alice);
  first.send(userMessage('go', { ...inC, schema_type: 'generate_stream' }));
  await first.until(({ type }) => type === 'system_intermediate_message');
  say('seen');
  await first.until(isText);

  first.close();
  await first.closed();
  for (const word of ['missed', 'too']) say(word);
  const second = await talk.connect(C, alice);
  const heard = await second.until((message) => contentOf(message).text === 'too');
  say('live');
  say('end');

  assert.deepEqual(textsOf([...heard, ...(await second.until(isComplete))]), ['missed', 'too', 'live']);
  const third = await talk.connect(C, alice);
  third.send({ type: 'nonsense' });
  assert.equal((await third.until(() => true))[0]?.type, 'error_message');
});

test('an open prompt is asked again, with the time that is left', async (t) => {
  const talk = await givenSocketServer(t, {
    workflow: workflow({
      name: 'asker',
      run: async (_: unknown, ctx) => (await ctx.prompt(text({ text: 'Name?', timeoutS: 60 }))).text,
    }),
  });
  const first = await talk.connect('', alice);
  first.send(userMessage('go', inC));
  const [asked] = (await first.until(isPrompt)).slice(-1);

  first.drop();
  talk.clock.advance(20_000);
  const second = await talk.connect(C, alice);
  const [again] = await second.until(isPrompt);
  second.send(interactionReply('Ada'));

  assert.equal(contentOf(asked!).timeout, 60);
  assert.equal(contentOf(again!).timeout, 40);
  assert.equal(again?.parent_id, 'message-1');
  assert.deepEqual(textsOf(await second.until(isComplete)), ['Ada']);
});

test('an open consent is shown again, with its address', async (t) => {
  const bank = {
    clientId: 'fermata',
    authorizationUrl: 'https://bank.example/authorize',
    tokenUrl: 'https://bank.example/token',
    redirectUri: 'http://localhost:8000/auth/redirect',
  };
  const talk = await givenSocketServer(t, {
    workflow: workflow({ name: 'pays', run: async (_: unknown, ctx) => (await ctx.authorize('bank')).value }),
    config: { providers: { bank } },
  });
  const first = await talk.connect('', alice);
  first.send(userMessage('go', inC));
  const [asked] = (await first.until(isPrompt)).slice(-1);

  first.drop();
  const second = await talk.connect(C, alice);
  const [again] = await second.until(isPrompt);

  assert.equal(contentOf(asked!).input_type, 'oauth_consent');
  assert.match(String(contentOf(asked!).text), /^https:\/\/bank\.example\/authorize\?/);
  assert.deepEqual(again, asked);
});

test('a conversation is shown on the socket that came last; the one before stays open and is told nothing more', async (t) => {
  const { teller, say } = told();
  const talk = await givenSocketServer(t, { workflow: teller });
  const first = await talk.connect('', alice);
  first.send(userMessage('go', { ...inC, schema_type: 'generate_stream' }));
  await first.until(({ type }) => type === 'system_intermediate_message');

  const second = await talk.connect(C, alice);
  second.send({ type: 'nonsense' }); // when this is answered, the conversation has moved
  await second.until(({ type }) => type === 'error_message');
  say('moved');
  say('end');

  assert.deepEqual(textsOf(await second.until(isComplete)), ['moved']);
  first.send({ type: 'nonsense' });
  assert.deepEqual(
    (await first.until(({ type }) => type === 'error_message')).map(({ type }) => type),
    ['error_message'],
  );
});

test('a conversation belongs to its owner only; the owner may identify itself later', async (t) => {
  const talk = await givenSocketServer(t, {
    workflow: workflow({
      name: 'asker',
      run: async (_: unknown, ctx) => (await ctx.prompt(text({ text: 'Name?' }))).text,
    }),
  });
  const auth = (token: string) => ({ type: 'auth_message', payload: { method: 'api_key', token } });
  const owner = await talk.connect();
  owner.send(auth('the key of the owner'));
  owner.send(userMessage('go', inC));
  await owner.until(isPrompt);
  owner.drop();

  const thief = await talk.connect(C, { cookie: 'nat-session=mallory' });
  thief.send(interactionReply('Mallory'));
  const [refused] = await thief.until(() => true);
  const back = await talk.connect(C);
  back.send(auth('the key of the owner'));
  await back.until(isPrompt);
  back.send(interactionReply('Ada'));

  assert.equal(refused?.type, 'error_message');
  assert.deepEqual(textsOf(await back.until(isComplete)), ['Ada']);
});

test('a run continues without its client if it can be found again, and is cancelled otherwise', async (t) => {
  const talk = await givenSocketServer(t, {
    workflow: workflow({ name: 'waits', run: (_: unknown, ctx) => ctx.prompt(text({ text: 'Name?' })) }),
  });
  const outcomeOf = async (headers: Record<string, string>, more: object): Promise<string> => {
    const client = await talk.connect('', headers);
    client.send(userMessage('go', more));
    await client.until(isPrompt);
    client.drop();
    while (talk.server.openRequests > 0) await turns();
    await turns();
    return only(talk).status;
  };

  assert.equal(await outcomeOf({}, {}), 'failed');
  assert.equal(await outcomeOf({}, inC), 'awaiting_interaction');
  assert.equal(await outcomeOf(alice, {}), 'awaiting_interaction');
});
