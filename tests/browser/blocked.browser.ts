/** An execution that is blocked, as an operator sees it in the console. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { text, workflow } from '../../runtime/index.ts';
import { DurableServer } from '../support/durable-server.ts';
import { useBrowser } from './support/desk.ts';

const sitDown = useBrowser();

const asking = (version: string) =>
  workflow({
    name: 'asking',
    version,
    run: async (_: unknown, ctx) => `${version}: ${(await ctx.prompt(text({ text: 'Who?' }))).text}`,
  });

test('a blocked execution has a badge in the list, says what was expected and what came, and is retried', async (t) => {
  const world = await DurableServer.open(t, asking('1'));
  const paused = await world.startPrompting();
  await world.restart(asking('2'));
  await world.answer(paused, 'Ada');
  const { page, show } = await sitDown(t, world.server.url);

  await show('executions');
  await page.locator('tbody .status.blocked').waitFor();
  const row = await page.locator('tbody tr').textContent();
  await show(`executions/${paused.execution_id}`);
  await page.locator('h1 .status.blocked').waitFor();
  const why = await page.locator('.why').textContent();
  const ends = await page.getByRole('button', { name: 'Cancel execution' }).count();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.locator('h1 .status.completed').waitFor();

  assert.match(row ?? '', /Expected version 1 of workflow asking; came version 2, and no other/);
  assert.match(why ?? '', /Expectedversion 1 of workflow askingCameversion 2, and no otherVersion2/);
  assert.equal(ends, 1);
  assert.match((await page.getByLabel('Result').textContent()) ?? '', /2: Ada/);
});
