/** What authors do wrong ends their own executions, in words that help them, and nobody else's. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Context, text, type Workflow, workflow } from '../../runtime/index.ts';
import { alice, given, turns } from '../support/given.ts';

const circular: Record<string, unknown> = {};
circular.self = circular;

/** Fine as JSON, and endless in memory. */
class Entity {
  readonly parent = { child: this };
  toJSON() {
    return { entity: 1 };
  }
}

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
};

const poisoned = {
  get value(): never {
    throw new Error('not to be read');
  },
};

/** What comes of a value when it is written and read again; undefined: it cannot be written. */
const values: readonly (readonly [what: string, value: unknown, kept: unknown])[] = [
  ['nothing', undefined, null],
  ['not a number', Number.NaN, null],
  ['a function', () => 1, null],
  ['a symbol', Symbol('x'), null],
  ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
  ['a map', new Map([[1, 2]]), {}],
  ['members that are not there', { a: undefined, b: 1 }, { b: 1 }],
  ['an entity', new Entity(), { entity: 1 }],
  ['an entity inside of something', [{ it: new Entity() }], [{ it: { entity: 1 } }]],
  ['a list with a hole', Object.assign([], { 1: 1 }), [null, 1]],
  ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ['a member named __proto__', JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
  ['five hundred levels', deep(500), deep(500)],
  ['a circle', circular, undefined],
  ['a big integer', 1n, undefined],
  ['a big integer inside of something', { list: [1n] }, undefined],
  ['what cannot be read', poisoned, undefined],
  ['a hundred thousand levels', deep(100_000), undefined],
];

const run = async (t: TestContext, served: Workflow, input?: unknown) => {
  const world = await given.runtime(t, { workflows: [served], options: { maxConcurrency: 1 } });
  const execution = await world.start({ by: alice, input });
  await turns(5);
  const journal = await world.runtime.facts(execution.id, 0, alice);
  return { ...world, execution, facts: journal?.entries ?? [] };
};

for (const [what, value, kept] of values) {
  test(`a workflow that returns ${what} ends, with that as JSON or with the reason why not`, async (t) => {
    const { execution, facts } = await run(t, workflow({ name: 'w', run: () => value }));

    const { context, status } = execution;
    if (kept === undefined) {
      assert.deepEqual([status, context.error?.code, context.error?.name], ['failed', 'workflow_error', 'TypeError']);
      assert.match(context.error!.message, /^The result cannot be written as JSON: \S[^\n]*$/);
    } else {
      assert.deepEqual([status, context.result], ['completed', kept]);
    }
    assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
  });

  test(`a workflow that emits ${what} streams that as JSON, or gets the reason why not and may go on`, async (t) => {
    const served = workflow({
      name: 'w',
      run: async (_input: unknown, ctx) => {
        try {
          ctx.emit(value);
          return 'emitted';
        } catch (error) {
          return (error as Error).message.slice(0, 34);
        }
      },
    });

    const { execution, facts } = await run(t, served);

    const emitted = facts.flatMap((fact) => (fact.type === 'output.emitted' ? [fact.value] : []));
    assert.equal(execution.context.result, kept === undefined ? 'Output cannot be written as JSON: ' : 'emitted');
    assert.deepEqual(emitted, kept === undefined ? [] : [kept]);
  });

  test(`an input that the schema has made ${what} of reaches the workflow as it is`, async (t) => {
    let seen: unknown;
    const served = workflow({
      name: 'w',
      run: (input: unknown) => {
        seen = input;
        return 'done';
      },
    });

    const { execution, facts } = await run(t, served, value);

    assert.equal(seen, value);
    assert.equal(execution.status, 'completed');
    assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);
  });
}

test('a step gives its value to the workflow as it is, and fails if that cannot be written', async (t) => {
  const entity = new Entity();
  const served = workflow({
    name: 'w',
    run: async (_input: unknown, ctx) => {
      const got = await ctx.step('fine', () => entity);
      const failed = await ctx.step('circular', () => circular).catch((error: Error) => error.message);
      return [got === entity, failed];
    },
  });

  const { execution, facts } = await run(t, served);

  const [isSame, reason] = execution.context.result as [boolean, string];
  assert.equal(isSame, true);
  assert.match(reason, /^The value of step circular cannot be written as JSON: /);
  assert.deepEqual(
    facts.map(({ type }) => type).filter((type) => type.startsWith('step.')),
    ['step.started', 'step.completed', 'step.started', 'step.failed'],
  );
});

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
        // biome-ignore lint/correctness/useYield: it fails before
        async *run() {
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

test('sleeping for no number of milliseconds is a mistake that is told at once', async (t) => {
  const served = workflow({
    name: 'w',
    run: async (ms: unknown, ctx) => {
      const asleep = ctx.sleep(ms as number);
      return asleep.then(
        () => 'slept',
        (error: Error) => `${error.name}: ${error.message}`,
      );
    },
  });
  const { start, clock } = await given.runtime(t, { workflows: [served] });

  for (const [ms, result] of [
    [Number.NaN, 'RangeError: sleep takes milliseconds, got NaN'],
    [Number.POSITIVE_INFINITY, 'RangeError: sleep takes milliseconds, got Infinity'],
    ['soon', 'RangeError: sleep takes milliseconds, got soon'],
    [-1, 'slept'],
    [0, 'slept'],
    [0.5, 'slept'],
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
  await turns(5);

  assert.deepEqual([...new Set(executions.map(({ status }) => status))], ['failed']);
  assert.equal(runtime.builders('w').get('alice')?.slots.held, 0);
});

test('a generator that goes on after its end, or fails while it is closed, disturbs nobody', async (t) => {
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

test('whoever watches and fails at it is reported, and the others hear everything', async (t) => {
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
