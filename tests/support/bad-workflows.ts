/** Workflows that have something wrong about them, and one that has not; run by `tests/testing/testing.test.ts`. */
import assert from 'node:assert/strict';
import { binaryChoice, checkbox, text, workflow } from '../../runtime/index.ts';
import { type TestOptions, testWorkflow } from '../../testing/index.ts';

const goOn = binaryChoice({
  text: 'Go on?',
  options: [
    { id: 'yes', label: 'Yes', value: true },
    { id: 'no', label: 'No', value: false },
  ],
});
const inputs = [null];
const isYes: NonNullable<TestOptions['check']> = ({ status, result }) => {
  if (status === 'completed') assert.equal(result, true, 'a no is no yes');
};

const [, , only] = process.argv;

if (only !== undefined) {
  const wrong = workflow({ name: 'a wrong end', run: async (_, ctx) => (await ctx.prompt(goOn)).value });
  testWorkflow(wrong, { inputs, check: isYes, only });
} else {
  let lives = 0;
  testWorkflow(
    workflow({
      name: 'another call each time',
      run: async (_, ctx) => {
        lives += 1;
        if (lives % 2 === 0) await ctx.step('now and then', () => 1);
        return (await ctx.prompt(goOn)).value;
      },
    }),
    { inputs },
  );

  let effects = 0;
  testWorkflow(
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
    { inputs },
  );

  testWorkflow(workflow({ name: 'what is no call of ctx', run: () => new Promise(() => {}) }), {
    inputs,
    patienceMs: 100,
  });

  testWorkflow(workflow({ name: 'a wrong end', run: async (_, ctx) => (await ctx.prompt(goOn)).value }), {
    inputs,
    check: isYes,
  });

  testWorkflow(
    workflow({
      name: 'a text that nobody has given',
      run: async (_, ctx) => (await ctx.prompt(text({ text: 'Your name?' }))).text,
    }),
    { inputs },
  );

  testWorkflow(
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
        const paid = await ctx.step('pay', () => new Promise((resolve) => setTimeout(resolve, 1, 'paid')));
        yield ctx.now() + ctx.random();
        return { user, name: name.text, parts: parts.values, paid, isKnown: token !== undefined };
      },
    }),
    { inputs, providers: ['bank'], answers: { 'Your name?': ['Ada'] }, maxPaths: 150 },
  );
}
