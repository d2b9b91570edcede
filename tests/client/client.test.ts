import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient, type HttpOptions } from '../../client/index.ts';
import { binaryChoice, checkbox, radio, text, workflow } from '../../runtime/index.ts';
import { given } from '../support/given.ts';

const options = ['mail', 'phone'].map((id) => ({ id, label: id.toUpperCase(), value: `by-${id}` }));

/** Asks what its input names, all at once, and says what it was told. */
const asker = workflow({
  name: 'asker',
  async run(input, ctx) {
    const questions = {
      text: () => ctx.prompt(text({ text: 'Name?' })).then((answer) => answer.text),
      yes: () =>
        ctx
          .prompt(
            binaryChoice({
              text: 'Sure?',
              options: [
                { id: 'y', label: 'Yes', value: true },
                { id: 'n', label: 'No', value: false },
              ],
            }),
          )
          .then(({ value }) => value),
      one: () => ctx.prompt(radio({ text: 'Which?', options })).then(({ value }) => value),
      many: () => ctx.prompt(checkbox({ text: 'Which ones?', options })).then(({ values }) => values),
      fail: () => Promise.reject(new Error('no luck')),
    };
    const { ask } = input as { ask: (keyof typeof questions)[] };
    return { told: await Promise.all(ask.map((name) => questions[name]())) };
  },
});

const world = async (t: TestContext, given_: HttpOptions = {}) => {
  const { server } = await given.server(t, { workflow: asker });
  const headers = { 'x-api-key': 'ada' };
  return { server, client: createClient({ baseUrl: server.url, headers, ...given_ }) };
};

test('an execution is followed to its result, and each of its prompts is asked once', async (t) => {
  const { client } = await world(t);
  const asked: string[] = [];

  const result = await client.run(
    { ask: ['text', 'yes', 'one', 'many'] },
    {
      onPrompt: (prompt) => {
        asked.push(prompt.text);
        return { text: 'Ada', binary_choice: 'y', radio: 'phone', checkbox: ['mail', 'phone'] }[
          prompt.input_type as 'text'
        ];
      },
    },
  );

  assert.deepEqual(result, { told: ['Ada', true, 'by-phone', ['by-mail', 'by-phone']] });
  assert.deepEqual(asked.sort(), ['Name?', 'Sure?', 'Which ones?', 'Which?']);
});

test('headers may come from a function that takes its time, and the caller may leave meanwhile', async (t) => {
  const asked: string[] = [];
  const headers = async () => {
    asked.push('headers');
    return { 'x-api-key': 'ada' };
  };
  const { client } = await world(t, { headers });
  const { executionId } = await client.start({ ask: ['text'] });

  const [open] = await client.inbox(); // strangers have none
  const events = client.stream(executionId);
  const { value } = await events.next();
  await events.return();

  assert.equal(open!.execution_id, executionId);
  assert.equal(value!.type, 'execution.started');
  assert.equal(asked.length, 3);
  const gone = { signal: AbortSignal.abort(new Error('gone')) };
  await assert.rejects(client.start({ ask: [] }, gone), { message: 'gone' });
});

test('a page in place of JSON is an error at once, which names what came', async () => {
  let requests = 0;
  const fetch = async (): Promise<Response> => {
    requests += 1;
    const headers = { 'content-type': 'text/html', 'execution-seq': '1' };
    return new Response('<!doctype html><title>Sign in</title>', { headers });
  };
  const client = createClient({ baseUrl: 'http://page.test', fetch });

  for (const ask of [() => client.inbox(), () => client.list(), () => client.get('x'), () => client.facts('x')]) {
    await assert.rejects(ask(), { name: 'RequestError', status: 200, message: 'Expected JSON, got text/html.' });
  }
  assert.equal(requests, 4);
});

test('a failure of the workflow is an error with its words', async (t) => {
  const { client } = await world(t);

  await assert.rejects(client.run({ ask: ['fail'] }), { name: 'ExecutionFailedError', message: 'no luck' });
});

test('a client that leaves a prompt to another client gets the result after its answer', async (t) => {
  const { client } = await world(t);
  const { executionId } = await client.start({ ask: ['text'] });
  const followed = client.follow(executionId, { onPrompt: () => undefined });

  const [open] = await client.inbox();
  assert.ok(open?.status === 'interaction_required');
  await client.answer(open, 'Grace');

  assert.deepEqual(await followed, { told: ['Grace'] });
  assert.equal((await client.get(executionId)).status, 'completed');
  const listed = await client.list({ status: 'completed' });
  assert.deepEqual(
    listed.executions.map(({ execution_id, workflow: name }) => [execution_id, name]),
    [[executionId, 'asker']],
  );
});

test('an answer that does not fit is refused in words, and the prompt stays open', async (t) => {
  const { client } = await world(t);
  const { executionId } = await client.start({ ask: ['one'] });
  const state = await client.get(executionId);
  assert.ok(state.status === 'interaction_required');

  await assert.rejects(client.answer(state, 'fax'), {
    name: 'RequestError',
    status: 422,
    message: /fax was not offered/,
  });

  assert.equal((await client.get(executionId)).status, 'interaction_required');
  await client.cancel(executionId);
  await assert.rejects(client.cancel(executionId), { status: 409, code: 'execution_settled' });
  await assert.rejects(client.follow(executionId), { name: 'ExecutionFailedError' });
});

test('the same idempotency key is the same execution', async (t) => {
  const { client } = await world(t);
  const start = () => client.start({ ask: ['text'] }, { idempotencyKey: 'order-17' });

  const [first, second] = await Promise.all([start(), start()]);

  assert.equal(first.executionId, second.executionId);
  await client.cancel(first.executionId);
});

test('a stranger finds nothing', async (t) => {
  const { client, server } = await world(t);
  const { executionId } = await client.start({ ask: ['text'] });
  const stranger = createClient({ baseUrl: server.url, headers: () => ({ 'x-api-key': 'eve' }) });

  await assert.rejects(stranger.get(executionId), { status: 404 });
  await assert.rejects(stranger.cancel(executionId), { status: 404 });
  assert.deepEqual(await stranger.inbox(), []);

  await client.cancel(executionId);
});

test('behind a root path the addresses that the server tells are understood', async (t) => {
  const { server } = await given.server(t, { workflow: asker, config: { rootPath: '/api' } });
  const client = createClient({ baseUrl: server.url });

  const result = await client.run({ ask: ['text'] }, { onPrompt: () => 'Ada' });

  assert.deepEqual(result, { told: ['Ada'] });
});
