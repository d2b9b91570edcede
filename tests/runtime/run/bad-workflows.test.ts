/** Mistakes of authors end only their own executions, with a helpful message. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Context, text, type Workflow, workflow } from '../../../runtime/index.ts';
import { alice, given, turns, untilIdle } from '../../support/given.ts';

const run = async (t: TestContext, served: Workflow, input?: unknown) => {
  const world = await given.runtime(t, { workflows: [served], options: { maxConcurrency: 1 } });
  const execution = await world.start({ by: alice, input });
  await turns(5);
  const journal = await world.runtime.facts(execution.id, 0, alice);
  return { ...world, execution, facts: journal?.entries ?? [] };
};

const thrown: readonly (readonly [what: string, value: unknown, message: string, name: string])[] = [
  ['nothing', undefined, 'undefined', 'Error'],
  ['a text', 'no money', 'no money', 'Error'],
  ['a symbol', Symbol('x'), 'Symbol(x)', 'Error'],
  ['an object without prototype', Object.create(null), 'something that is no error', 'Error'],
  ['an error', new RangeError('too far'), 'too far', 'RangeError'],
  ['an error whose message is none', Object.assign(new Error(), { message: { a: 1n } }), '[object Object]', 'Error'],
  ['an error whose name is none', Object.assign(new Error('x'), { name: 1n }), 'x', 'Error'],
  [
    'an error that cannot be read',
    Object.defineProperty(new Error(), 'message', { get: () => assert.fail('no') }),
    'something that is no error',
    'Error',
  ],
];

for (const [what, value, message, name] of thrown) {
  test(`a workflow that throws ${what} has failed, and says so in words`, async (t) => {
    const failing = [
      workflow({
        name: 'w',
        run: () => {
          throw value;
        },
      }),
      workflow({ name: 'w', run: () => Promise.reject(value) }),
      workflow({
        name: 'w',
        async *run() {
          yield* [];
          throw value;
        },
      }),
    ];

    for (const served of failing) {
      const { execution } = await run(t, served);

      assert.deepEqual(execution.context.error, { code: 'workflow_error', message, name });
    }
  });
}

test('promises that a workflow does not look at end nothing but themselves', async (t) => {
  const asks: ((ctx: Context) => unknown)[] = [
    (ctx) => ctx.prompt(text({ text: '?' })),
    (ctx) => ctx.prompt(text({ text: '?', timeoutS: 1 })),
    (ctx) => ctx.sleep(10_000),
    (ctx) => ctx.notify('!'),
    (ctx) => ctx.authorize('nobody'),
    (ctx) => ctx.step('broken', () => Promise.reject(new Error('no'))),
    (ctx) => ctx.step('slow', () => new Promise(() => {})),
  ];
  const served = workflow({
    name: 'w',
    run: async (input: unknown, ctx) => {
      for (const ask of asks) void ask(ctx);
      if (input === 'sleeps') await ctx.sleep(20_000);
      return 'done';
    },
  });

  const { start, clock, execution } = await run(t, served);
  const sleeper = await start({ input: 'sleeps' });
  await turns();
  clock.advance(20_000);
  await turns();

  assert.deepEqual([execution.status, sleeper.status], ['completed', 'completed']);
});

const wrongs: Readonly<Record<string, unknown>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  soon: 'soon',
  '-1': -1,
  '0': 0,
  '0.5': 0.5,
};

test('sleeping for no number of milliseconds is a mistake that is told at once', async (t) => {
  const served = workflow({
    name: 'w',
    run: async (ms: unknown, ctx) => {
      const asleep = ctx.sleep(wrongs[ms as string] as number);
      return asleep.then(
        () => 'slept',
        (error: Error) => `${error.name}: ${error.message}`,
      );
    },
  });
  const { start, clock } = await given.runtime(t, { workflows: [served] });

  for (const [ms, result] of [
    ['NaN', 'RangeError: sleep takes milliseconds, got NaN'],
    ['Infinity', 'RangeError: sleep takes milliseconds, got Infinity'],
    ['soon', 'RangeError: sleep takes milliseconds, got soon'],
    ['-1', 'slept'],
    ['0', 'slept'],
    ['0.5', 'slept'],
  ]) {
    const execution = await start({ input: ms });
    clock.advance(1);
    await turns();
    assert.equal(execution.context.result, result);
  }
});

test('a thousand runs that fail at once, one after the other, leave room for the next', async (t) => {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const served = workflow({
    name: 'w',
    perUser: { build: () => opened },
    run: () => {
      throw new Error('at once');
    },
  });
  const options = { maxConcurrency: 1, maxQueued: 1_000 };
  const { runtime, start } = await given.runtime(t, { workflows: [served], options });
  const executions = [];
  for (let count = 0; count < 1_000; count += 1) executions.push(await start({ by: alice }));

  open();
  await untilIdle(runtime);

  assert.deepEqual([...new Set(executions.map(({ status }) => status))], ['failed']);
  assert.equal(runtime.builders('w').get('alice')?.slots.held, 0);
});

test('a generator that goes on after its end, or fails while it is closed, disturbs no other execution', async (t) => {
  const served = workflow({
    name: 'w',
    async *run(_input: unknown, ctx) {
      try {
        for (;;) {
          yield 'a part';
          await ctx.sleep(1);
        }
      } finally {
        yield 'one more';
        await Promise.reject(new Error('cannot be closed'));
      }
    },
  });
  const { runtime, execution } = await run(t, served);

  await runtime.cancel(execution.id, alice);
  await turns();

  assert.equal(execution.context.error?.code, 'cancelled');
});

test('a subscriber that throws is reported, and the others get every fact', async (t) => {
  const served = workflow({ name: 'w', run: async (_input: unknown, ctx) => ctx.sleep(5) });
  const { clock, errors, execution } = await run(t, served);
  const told: string[] = [];
  const unwatch = [
    execution.watch(() => {
      throw new Error('broken watcher');
    }),
    execution.watch(({ type }) => told.push(type)),
  ];

  clock.advance(5);
  await turns();
  for (const stop of unwatch) stop();

  assert.deepEqual(told, ['sleep.elapsed', 'slot.granted', 'execution.completed']);
  assert.equal(errors.splice(0).length, told.length);
});
