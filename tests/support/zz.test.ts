import { test } from 'node:test';
import { given } from './given.ts';
import { puppetry } from './puppet.ts';
import { workflow, text } from '../../runtime/index.ts';
test('leaks executing', async (t) => {
  const { workflow } = puppetry();
  const { start } = await given.runtime(t, { workflows: [workflow] });
  await start();
});
test('parked ok', async (t) => {
  const { workflow, puppets } = puppetry();
  const { start, clock } = await given.runtime(t, { workflows: [workflow] });
  const e = await start();
  puppets.get(e.id)!.ctx.prompt(text({ text: 'x', timeoutS: 10 })).catch(() => {});
  e.watch(() => {});
});
test('server', async (t) => {
  const w = workflow({ name: 'w', run: async (_i, ctx) => (await ctx.prompt(text({ text: 'x' }))).text });
  const { call } = await given.server(t, { workflow: w });
  console.log(await call('POST /v1/workflow', { body: {} }));
});
