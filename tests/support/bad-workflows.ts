/**
 * Workflows that have something wrong about them, and some that have not; run by `tests/testing/testing.test.ts`. Argument: the name of a
 * path of `a wrong end`, which is then played alone.
 */
import assert from 'node:assert/strict';
import { binaryChoice, type Context, checkbox, text, workflow } from '../../runtime/index.ts';
import { hop, type TestOptions, testWorkflow } from '../../testing/index.ts';

const yesOrNo = (asked: string) =>
  binaryChoice({
    text: asked,
    options: [
      { id: 'yes', label: 'Yes', value: true },
      { id: 'no', label: 'No', value: false },
    ],
  });
const goOn = yesOrNo('Go on?');
const requested = new Set<string>();
const isYes: NonNullable<TestOptions['check']> = ({ status, result }) => {
  if (status === 'completed') assert.equal(result, true, 'a no is no yes');
};

let lives = 0;
let effects = 0;

type Named = readonly [Parameters<typeof testWorkflow>[0], TestOptions?];

const all: readonly Named[] = [
  [
    workflow({
      name: 'another call each time',
      run: async (_, ctx) => {
        lives += 1;
        if (lives % 2 === 0) await ctx.step('now and then', () => 1);
        return (await ctx.prompt(goOn)).value;
      },
    }),
    { cuts: ['hibernated'] },
  ],
  [
    workflow({
      name: 'an effect outside of a step',
      run: async (_, ctx) => {
        effects += 1;
        const mine = effects;
        await ctx.prompt(goOn);
        effects = 0;
        return mine;
      },
    }),
    { cuts: ['killed'] },
  ],
  [
    // As a graph does it whose checkpoints are in a saver in memory.
    workflow({
      name: 'a memory in its resources',
      build: () => new Map<string, string[]>(),
      run: async (_: unknown, ctx, checkpoints) => {
        const drafts = checkpoints.get(ctx.executionId) ?? [];
        checkpoints.set(ctx.executionId, drafts);
        await ctx.step('draft', () => void drafts.push('a draft'));
        await ctx.prompt(goOn);
        return drafts.length;
      },
    }),
    { cuts: ['killed'] },
  ],
  [
    workflow({
      name: 'what is no call of ctx',
      run: async (_, ctx) => {
        await ctx.step('first', () => 1);
        await new Promise(() => {});
      },
    }),
    { patienceMs: 1_000 },
  ],
  [
    workflow({ name: 'a step that hangs', run: (_, ctx) => ctx.step('pay', () => new Promise(() => {})) }),
    { patienceMs: 1_000 },
  ],
  [
    workflow({
      name: 'a question without end',
      run: async (_, ctx) => {
        for (;;) await ctx.prompt(text({ text: 'Again?' }), { key: 'again' });
      },
    }),
    { answers: { 'Again?': ['yes'] }, maxWaits: 3, cuts: [] },
  ],
  [
    workflow({
      name: 'answers that overtake each other',
      run: async (_, ctx) => {
        const order: string[] = [];
        const isKnown = requested.has(ctx.executionId); // a request that is slow once, and then in a cache
        requested.add(ctx.executionId);
        const ask = async (asked: string): Promise<void> => {
          await ctx.prompt(yesOrNo(asked));
          if (asked === 'Legal?' && !isKnown) for (let hops = 0; hops < 6; hops += 1) await hop();
          order.push(asked);
          await ctx.step('note', () => order.length);
        };
        await Promise.all(['Legal?', 'Price?'].map(ask));
        return order;
      },
    }),
    { answers: { 'Legal?': ['yes'], 'Price?': ['no'] }, cuts: ['hibernated'] },
  ],
  [
    workflow({ name: 'a wrong end', run: async (_, ctx) => (await ctx.prompt(goOn)).value }),
    { check: isYes, cuts: [] },
  ],
  [
    workflow({
      name: 'a text that is not given',
      run: async (_, ctx) => (await ctx.prompt(text({ text: 'Your name?' }))).text,
    }),
  ],
  [
    workflow({
      name: 'prompts side by side',
      run: (_, ctx) => Promise.all(['Legal?', 'Price?'].map((asked) => answered(ctx, asked))),
    }),
    {
      answers: { 'Legal?': ['yes'], 'Price?': ['no'] },
      check: ({ status, result, choices }) => {
        if (status !== 'completed') return;
        const given = (asked: string): boolean => choices.join(' & ').includes(`"${asked}" yes`);
        assert.deepEqual(result, [`Legal? ${given('Legal?')}`, `Price? ${given('Price?')}`]);
      },
    },
  ],
  [
    workflow({
      name: 'everything there is',
      perUser: { build: (user) => ({ user }) },
      async *run(_input: unknown, ctx, { user }) {
        yield 'begins';
        await ctx.notify('Something happens.');
        const token = await ctx.authorize('bank').catch(() => undefined);
        const name = await ctx.prompt(text({ text: 'Your name?', timeoutS: 60, default: 'nobody' }));
        const parts = await ctx.prompt(checkbox({ text: 'Which?', options: [{ id: 'a', label: 'A', value: 'a' }] }));
        await ctx.sleep(60_000);
        const paid = await ctx.step('pay', (step) => {
          step.emit('paying');
          return new Promise((resolve) => setTimeout(resolve, 1, 'paid'));
        });
        yield ctx.now() + ctx.random();
        return { user, name: name.text, parts: parts.values, paid, isKnown: token !== undefined };
      },
    }),
    { providers: ['bank'], answers: { 'Your name?': ['Ada'] }, maxPaths: 80 },
  ],
];

const answered = async (ctx: Context, asked: string): Promise<string> => {
  await null;
  const { value } = await ctx.prompt(yesOrNo(asked));
  return ctx.step('note', () => `${asked} ${value}`);
};

const [, , only] = process.argv;
for (const [workflow, options] of all) {
  if (only === undefined) testWorkflow(workflow, { inputs: [null], ...options });
  else if (workflow.name === 'a wrong end') testWorkflow(workflow, { inputs: [null], ...options, only });
}
