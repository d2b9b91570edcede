/** The targets: one workflow that follows its input, and one with resources per user. */
import { z } from 'zod';
import { binaryChoice, type Context, text, workflow } from '../../../runtime/index.ts';

/** Bytes of one large result or output. */
const LARGE = 1024 * 1024;

const OPTIONS = ['continue', 'stop'].map((id) => ({ id, label: id, value: id }));

const wordOf = (input: unknown): string => (JSON.stringify(input) ?? '').toLowerCase();

/** The first known word in the input decides, so that every form of input can reach everything. */
const act = async (input: unknown, ctx: Context): Promise<unknown> => {
  const said = wordOf(input);
  if (said.includes('confirm'))
    return (await ctx.prompt(binaryChoice({ text: 'Sure?', options: OPTIONS, timeoutS: 2 }))).value;
  if (said.includes('ask')) return (await ctx.prompt(text({ text: 'What is your name?', timeoutS: 2 }))).text;
  if (said.includes('consent')) return (await ctx.authorize('bank')).scopes;
  if (said.includes('flood')) return flood(ctx);
  if (said.includes('large')) return { large: 'x'.repeat(LARGE) };
  if (said.includes('fail')) throw new Error('It was asked to fail.');
  if (said.includes('sleep')) return ctx.sleep(500);
  if (said.includes('steps')) return Promise.all(['a', 'b'].map((name) => ctx.step(name, () => name.repeat(100))));
  if (said.includes('echo')) return input;
  return 'done';
};

/** Outputs that a stalled reader does not take. */
const flood = async (ctx: Context): Promise<string> => {
  for (let part = 0; part < 40; part += 1) {
    ctx.emit('x'.repeat(64 * 1024));
    await ctx.step(`pause ${part}`, () => new Promise((resolve) => setImmediate(resolve)));
  }
  return 'flooded';
};

export const personal = workflow({
  name: 'personal',
  perUser: { build: async () => ({ since: Date.now() }) },
  // Only a workflow with an object as input can be started as a job.
  input: z.looseObject({}),
  run: act,
});

export default workflow({ name: 'anything', run: act });
