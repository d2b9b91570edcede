/** A conversation on a page that follows the rules of NVIDIA's chat interface, over its sockets and through its gateway. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { binaryChoice, notification, text, workflow } from '../../runtime/index.ts';
import { givenBrowser } from '../support/browser.ts';
import { DurableServer } from '../support/durable-server.ts';
import { freePort } from '../support/loopback.ts';
import { openChatPage } from './support/chat-page.ts';

const talker = workflow({
  name: 'talker',
  input: z.object({ words: z.string() }),
  async *run({ words }, ctx) {
    if (words === 'fail') throw new RangeError('no such word');
    ctx.observe('trace-1');
    if (words === 'ask') {
      yield 'One moment. ';
      yield `Hello ${(await ctx.prompt(text({ text: 'Your name?', placeholder: 'name' }))).text}`;
      return undefined;
    }
    if (words === 'sure') {
      await ctx.prompt(notification({ text: 'Think.' }));
      const { value } = await ctx.prompt(
        binaryChoice({
          text: 'Sure?',
          options: [
            { id: 'yes', label: 'Yes', value: true },
            { id: 'no', label: 'No', value: false },
          ],
        }),
      );
      yield `it is ${value} (${typeof value})`;
      return undefined;
    }
    if (!ctx.streaming) return words;
    for (const word of words.split(' ')) yield word;
    return undefined;
  },
});

const open = async (t: TestContext) => {
  const port = await freePort();
  const world = await DurableServer.open(t, talker, { port });
  const origin = await openChatPage(t, () => world.server.url);
  const { context, errors } = await givenBrowser(t);
  const page = await context.newPage();
  await page.goto(origin);
  await page.waitForFunction('isOpen()');
  const say = (words: string, schema = 'chat_stream') =>
    page.evaluate(([words, schema]) => (globalThis as unknown as Chat).say(words!, schema), [words, schema]);
  const idle = () => page.locator('#wait', { hasText: 'idle' }).waitFor({ timeout: 15_000 });
  return { world, page, say, idle, errors };
};

interface Chat {
  say(words: string, schema?: string): void;
  post(path: string, body: object): Promise<{ status: number; text: string }>;
}

const answersOn = (page: Page) => page.locator('.assistant .text').allTextContents();
const popups = (page: Page) => page.locator('#popup').textContent();
const post = (page: Page, path: string, body: object) =>
  page.evaluate(([path, body]) => (globalThis as unknown as Chat).post(path as string, body as object), [path, body]);

for (const schema of ['chat_stream', 'chat', 'generate_stream', 'generate']) {
  test(`each answer is shown once, also behind a restart of the server: ${schema}`, async (t) => {
    const { world, page, say, idle, errors } = await open(t);
    await say('one', schema);
    await idle();

    await world.restart();
    await page.waitForFunction('isOpen()', undefined, { timeout: 15_000 });
    await say('two', schema);
    await idle();

    assert.deepEqual(await answersOn(page), ['one', 'two']);
    assert.equal(await popups(page), '');
    assert.deepEqual(
      errors.filter((error) => !/WebSocket/.test(error)),
      [],
    );
  });
}

test('a prompt is asked again behind a restart, and answered', async (t) => {
  const { world, page, say, idle } = await open(t);
  await say('ask');
  await page.getByText('Your name?').waitFor();

  await page.evaluate("document.getElementById('modal').replaceChildren()");
  await world.restart();
  await page.getByText('Your name?').waitFor({ timeout: 15_000 });
  await page.getByPlaceholder('name').fill('Ada');
  await page.keyboard.press('Enter');
  await idle();

  assert.deepEqual(await answersOn(page), ['One moment. Hello Ada']);
  assert.equal(await popups(page), '');
});

test('a choice has texts on its buttons, and the workflow gets the value that it has offered', async (t) => {
  const { page, say, idle } = await open(t);
  await say('sure');
  await page.getByRole('button', { name: 'Yes' }).click();
  await idle();

  assert.deepEqual(await answersOn(page), ['it is true (boolean)']);
  await page.locator('#trace', { hasText: 'trace-1' }).waitFor();
  assert.equal(await popups(page), '');
});

test('a failure is drawn, since a step comes before it, and ends the wait', async (t) => {
  const { page, say, idle } = await open(t);
  await say('fail');
  await idle();

  assert.match((await page.locator('.assistant .steps').textContent()) ?? '', /Function Start/);
  assert.match((await page.locator('.assistant .error').textContent()) ?? '', /RangeError: no such word/);
  assert.equal(await popups(page), '');
});

test('a message that comes while another one waits silences it, and is answered', async (t) => {
  const { page, say, idle } = await open(t);
  await say('ask');
  await page.getByText('Your name?').waitFor();
  await say('three four');
  await idle();

  assert.deepEqual((await answersOn(page)).at(-1), 'threefour');
  assert.equal(await popups(page), '');
});

test('through the gateway a stream is read line by line, and an error is JSON on a line of its own', async (t) => {
  const { page } = await open(t);
  const ask = (content: string) => ({
    messages: [{ role: 'user', content }],
    model: 'placeholder',
    stream: true,
    temperature: 0.7,
  });

  const streamed = await post(page, '/chat/stream', ask('one two'));
  const failed = await post(page, '/chat/stream', ask('fail'));
  const single = await post(page, '/chat', { ...ask('one two'), stream: false });
  const generated = await post(page, '/generate', { words: 'hi' });
  const refused = await post(page, '/generate', { words: 7 });

  assert.equal(streamed.text.replaceAll(/<(step|trace)>.*?<\/\1>/g, ''), 'onetwo');
  assert.match(streamed.text, /<step>Function Start: <workflow><\/step>/);
  assert.match(
    failed.text.replaceAll(/<step>.*?<\/step>/g, ''),
    /^\{"code":"workflow_error","message":"no such word","details":"RangeError"\}$/,
  );
  assert.equal(JSON.parse(single.text).choices[0].message.content, 'one two');
  assert.deepEqual(generated, { status: 200, text: '{"value":"hi"}' });
  assert.equal(refused.status, 422);
});
