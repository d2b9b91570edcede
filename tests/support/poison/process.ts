/** A process in which one workflow ends the process, and others work for a while. It says so when all have settled. */

import { existsSync } from 'node:fs';
import { setTimeout as pass } from 'node:timers/promises';
import { createRuntime, text, workflow } from '../../../runtime/index.ts';
import { openStore } from '../durable.ts';
import { viewsOf } from '../in-process.ts';
import { start } from '../start.ts';

const [directory = '', maxRecoveries = '2'] = process.argv.slice(2);
const INNOCENTS = 4;

const poison = workflow({
  name: 'poison',
  run: async (_input: unknown, ctx) => {
    await ctx.step('die', async () => {
      await pass(100);
      process.exit(7);
    });
  },
});
const innocent = workflow({
  name: 'innocent',
  run: async (input: unknown, ctx) => ctx.step('work', () => pass(600, input)),
});
const waiting = workflow({ name: 'waiting', run: async (_input: unknown, ctx) => ctx.prompt(text({ text: 'Name?' })) });

const isFirst = !existsSync(`${directory}/fermata.db`);
const runtime = await createRuntime({
  workflows: [poison, innocent, waiting],
  store: await openStore(directory),
  options: { maxRecoveries: Number(maxRecoveries) },
});
if (isFirst) {
  const names = ['waiting', 'poison', ...Array.from({ length: INNOCENTS }, () => 'innocent')];
  await Promise.all(names.map((name, input) => start(runtime, { workflow: name, input })));
}
const all = viewsOf(runtime).filter(({ context }) => context.workflow !== 'waiting');
await Promise.all(all.map((execution) => runtime.waitUntil(execution, ({ isSettled }) => isSettled)));
const ends = viewsOf(runtime).map(({ context, status }) => {
  return { workflow: context.workflow, status, code: context.error?.code ?? null };
});
process.send?.(ends);
await runtime.stop();
process.exit(0);
