/** The same answer in every life: programs that ordinary authors write, hibernated, killed and executed again. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleepMs } from 'node:timers/promises';
import { z } from 'zod';
import { type Context, text, type Workflow, workflow } from '../../../runtime/index.ts';
import { DurableWorld } from '../../support/durable.ts';
import { alice, turns } from '../../support/given.ts';
import { until } from '../../support/http.ts';
import { engineOf } from '../../support/in-process.ts';

const ask = (ctx: Context, question: string) => ctx.prompt(text({ text: question }));

const named = (run: (ctx: Context, input: never) => unknown, more: object = {}): Workflow =>
  workflow({ name: 'w', run: async (input: never, ctx: Context) => run(ctx, input), ...more }) as Workflow;

const ways = ['reopen', 'crashAndReopen'] as const;

/** Answers the open prompts of these texts, all in one turn, so that one commit keeps them. */
const answerAtOnce = async (world: DurableWorld, id: string, texts: readonly string[]): Promise<void> => {
  const { pauses } = world.get(id).context;
  const answers = texts.map((asked) => {
    const pause = pauses.find((each) => each.kind === 'interaction' && each.prompt.text === asked)!;
    return world.runtime.answer(id, pause.id, { kind: 'text', text: `${asked}!` }, alice);
  });
  await Promise.all(answers);
  await world.quiet();
};

const result = (world: DurableWorld, id: string) => {
  const { context, status } = world.get(id);
  return context.error ?? context.blocked ?? (status === 'completed' ? context.result : status);
};

const PEOPLE = ['ann', 'bob', 'cyd'];

for (const again of ways) {
  test(`parallel branches keep their values in any order of answers (${again})`, async (t) => {
    const served = named(async (ctx) => {
      const said = await Promise.all(
        PEOPLE.map(async (who) => {
          const answer = await ask(ctx, who);
          return ctx.step('record', async () => `${who} said ${answer.text}`);
        }),
      );
      await ask(ctx, 'last');
      return said;
    });
    const world = await DurableWorld.open(t, [served]);
    const id = await world.start({ workflow: 'w' });

    await answerAtOnce(world, id, PEOPLE.toReversed());
    await world[again](served);
    await answerAtOnce(world, id, ['last']);

    assert.deepEqual(result(world, id), ['ann said ann!', 'bob said bob!', 'cyd said cyd!']);
  });

  test(`branches with unequal numbers of awaits find their own steps again (${again})`, async (t) => {
    const done: string[] = [];
    const did = (what: string) => {
      done.push(what);
      return what;
    };
    const twice = async (ctx: Context, who: string, hops: number) => {
      await ask(ctx, who);
      for (let hop = 0; hop < hops; hop += 1) await null;
      const first = await ctx.step('pay', () => did(`${who} 1`));
      return [first, await ctx.step('pay', () => did(`${who} 2`))];
    };
    const served = named(async (ctx) => {
      const paid = await Promise.all([twice(ctx, 'a', 0), twice(ctx, 'b', 7), twice(ctx, 'c', 2)]);
      await ask(ctx, 'last');
      return paid;
    });
    const world = await DurableWorld.open(t, [served]);
    const id = await world.start({ workflow: 'w' });

    await answerAtOnce(world, id, ['c', 'a', 'b']);
    await world[again](served);
    await answerAtOnce(world, id, ['last']);

    assert.deepEqual(result(world, id), [
      ['a 1', 'a 2'],
      ['b 1', 'b 2'],
      ['c 1', 'c 2'],
    ]);
    assert.equal(done.length, 6);
  });
}

test('a question that differs from the one that was approved blocks the execution', async (t) => {
  let model = 90;
  const served = named(async (ctx) => {
    const amount = model;
    await ask(ctx, `Refund ${amount}?`);
    return ctx.step('refund', () => amount);
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });
  const { pauses } = world.get(id).context;

  model = 9_000;
  await world.reopen(served);
  await world.runtime.answer(id, pauses[0]!.id, { kind: 'text', text: 'yes' }, alice);
  await world.quiet();
  await world.pass(10_000);

  const { blocked } = world.get(id).context;
  assert.deepEqual([blocked?.expected, blocked?.came], ['prompt (text) "Refund 90?"', 'prompt (text) "Refund 9000?"']);

  model = 90;
  await engineOf(world.runtime).continued.retry(world.get(id));
  await world.quiet();
  assert.equal(result(world, id), 90);
});

const changed: readonly [string, (ctx: Context) => unknown][] = [
  ['swaps two prompts of one kind', async (ctx) => [(await ask(ctx, 'b')).text, (await ask(ctx, 'a')).text]],
  ['returns at once', () => 'nothing was asked'],
  ['hangs before its first call', () => new Promise(() => {})],
  ['does a step before', async (ctx) => [await ctx.step('new', () => 1), await ask(ctx, 'a'), await ask(ctx, 'b')]],
  ['throws at once', () => Promise.reject(new Error('It broke.'))],
];

for (const [what, run] of changed) {
  test(`a new version that ${what} waits as blocked, takes answers, and goes on when the old one is back`, async (t) => {
    const old = named(async (ctx) => [(await ask(ctx, 'a')).text, (await ask(ctx, 'b')).text]);
    const world = await DurableWorld.open(t, [old]);
    const id = await world.start({ workflow: 'w' });
    await world.answer(id, 0, 'first');

    await world.reopen(named(run));
    await world.answer(id, 0, 'second');
    await world.pass(61_000);
    await world.pass(61_000);

    assert.equal(world.get(id).status, 'running');
    assert.notEqual(world.get(id).context.blocked, null);

    await world.reopen(old);
    assert.deepEqual(result(world, id), ['first', 'second']);
  });
}

test('what an author changes after it was given changes nothing that was recorded', async (t) => {
  const served = named(async (ctx, input: { list: number[] }) => {
    const progress = { done: 0 };
    for (let n = 0; n < 3; n += 1) {
      progress.done += 1;
      ctx.emit(progress);
    }
    const total = await ctx.step('total', () => ({ sum: 15 }));
    const before = input.list.length;
    (total as { sum: number }).sum += 5;
    input.list.push(1);
    const answer = await ask(ctx, 'a');
    (answer as { text: string }).text += ' changed';
    await ask(ctx, 'b');
    return { total: total.sum, before, said: answer.text };
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w', input: { list: [] } });

  await world.answer(id, 0, 'yes');
  const { entries } = world.store.read(id)!;
  await world.reopen(served);
  await world.answer(id);

  assert.deepEqual(
    entries.flatMap((entry) => (entry.type === 'output.emitted' ? [entry.value] : [])),
    [{ done: 1 }, { done: 2 }, { done: 3 }],
  );
  assert.deepEqual(result(world, id), { total: 20, before: 0, said: 'yes changed' });
});

test('an input schema that transforms is asked about the input as it came, in every life', async (t) => {
  const input = z.object({ cents: z.number().transform((euros) => euros * 100), on: z.coerce.date() });
  const served = named(
    async (ctx, { cents, on }: z.output<typeof input>) => {
      await ask(ctx, `${cents} cents?`);
      return [cents, on.getTime()];
    },
    { input },
  );
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w', input: { cents: 12, on: '2026-01-01' } });

  await world.reopen(served);
  await world.answer(id);

  assert.deepEqual(result(world, id), [1_200, Date.UTC(2026, 0, 1)]);
});

const waiting: readonly [string, (ctx: Context) => Promise<unknown>][] = [
  ['prompt', (ctx) => ask(ctx, 'inside')],
  ['sleep', (ctx) => ctx.sleep(1)],
  ['step', (ctx) => ctx.step('inner', () => 1)],
  ['notify', (ctx) => ctx.notify('inside')],
  ['authorize', (ctx) => ctx.authorize('bank')],
  ['all', (ctx) => ctx.all({ a: () => 1 })],
];

for (const [name, call] of waiting) {
  test(`ctx.${name} inside of a step rejects in the first life, and says what to do`, async (t) => {
    const served = named((ctx) => ctx.step('outer', () => call(ctx)));
    const world = await DurableWorld.open(t, [served]);

    const id = await world.start({ workflow: 'w' });

    const { error } = world.get(id).context;
    assert.equal(error?.name, 'StepContextError');
    assert.match(error!.message, /inside of step "outer".*before or after the step/);
  });
}

test('a step that streams is not called again once it has ended, and nothing of it is emitted twice', async (t) => {
  let calls = 0;
  const served = named(async (ctx) => {
    const said = await ctx.step('model', async (step) => {
      calls += 1;
      for (const word of ['one', 'two']) {
        step.emit(word);
        await sleepMs(1);
        ctx.emit(`${word}!`);
      }
      return [ctx.now() > 0, step.idempotencyKey === ctx.idempotencyKey];
    });
    await ask(ctx, 'a');
    return said;
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });
  await until(() => world.get(id).context.pauses.length > 0, 'the prompt');

  await world.crashAndReopen(served);
  await world.answer(id);

  const outputs = world.store.read(id)!.entries.filter(({ type }) => type === 'output.emitted');
  assert.deepEqual([result(world, id), calls, outputs.length], [[true, true], 1, 4]);
});

test('a step that was cut off in the middle of its output runs again, and readers are told that it begins anew', async (t) => {
  const keys: string[] = [];
  const attempts: number[] = [];
  const served = named((ctx) =>
    ctx.step('model', async (step) => {
      keys.push(step.idempotencyKey);
      attempts.push(step.attempt);
      step.emit('one');
      if (step.attempt === 1) await new Promise(() => {});
      return 'done';
    }),
  );
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });

  await world.crashAndReopen(served);

  const facts = world.facts(id).filter((type) => type.startsWith('output') || type.startsWith('step'));
  assert.deepEqual(facts, [
    'step.started',
    'output.emitted',
    'step.started',
    'output.restarted',
    'output.emitted',
    'step.completed',
  ]);
  assert.deepEqual([result(world, id), attempts, new Set(keys).size], ['done', [1, 2], 1]);
});

test('each step has an idempotency key of its own', async (t) => {
  const served = named(async (ctx) => {
    const keys = [
      await ctx.step('pay', (step) => step.idempotencyKey),
      await ctx.step('pay', () => ctx.idempotencyKey),
    ];
    return [new Set([...keys, ctx.idempotencyKey]).size, ctx.idempotencyKey === ctx.executionId];
  });
  const world = await DurableWorld.open(t, [served]);

  const id = await world.start({ workflow: 'w' });

  assert.deepEqual(result(world, id), [3, true]);
});

const spinning: readonly [string, (ctx: Context) => Promise<unknown>][] = [
  ['a prompt', (ctx) => ask(ctx, 'a')],
  ['a step', (ctx) => ctx.step('try', () => new Promise(() => {}))],
  ['a sleep', (ctx) => ctx.sleep(1e6)],
];

for (const [what, call] of spinning) {
  test(`a run that tries ${what} again and again after its end leaves the process to others`, async (t) => {
    const served = named(async (ctx) => {
      for (;;) {
        try {
          return await call(ctx);
        } catch {}
      }
    });
    const world = await DurableWorld.open(t, [served]);
    const id = await world.start({ workflow: 'w' });

    const warnings = () => world.logged.filter(({ message }) => message?.includes('keeps calling ctx'));

    await world.runtime.cancel(id, alice);
    await until(() => warnings().length > 0, 'a warning'); // the test would hang if the run had the process to itself
    await turns(100);

    assert.equal(world.get(id).status, 'failed');
    const [warned, ...more] = warnings() as { readonly executionId?: string }[];
    assert.deepEqual([warned?.executionId, more], [id, []]);
  });
}

test('calls on no thread of the run, and calls after the end, throw nothing that could end the process', async (t) => {
  let late!: () => void;
  const served = named(async (ctx) => {
    late = () => {
      ctx.emit('late');
      ctx.now();
      ctx.span('TOOL', 'late').end();
      ctx.observe('late');
      ctx.log.info({}, 'late');
      void ask(ctx, 'late');
      void ctx.notify('late');
      void ctx.step('late', () => assert.fail('done'));
    };
    return 'done';
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });

  late();
  await world.quiet();

  assert.equal(result(world, id), 'done');
});

test('the loser of a race leaves the inbox, in every life', async (t) => {
  const heard: string[] = [];
  const served = named(async (ctx) => {
    const first = await ctx.race({
      person: async () => {
        try {
          return (await ask(ctx, 'quick?')).text;
        } catch (error) {
          heard.push((error as Error).name);
          throw error;
        }
      },
      late: () => ctx.sleep(700),
    });
    await ask(ctx, 'after');
    return first.winner;
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });

  await world.pass(701);
  const open = world.get(id).context.pauses.map((pause) => pause.kind === 'interaction' && pause.prompt.text);
  await world.reopen(served);
  await world.answer(id);

  assert.deepEqual(open, ['after']);
  assert.deepEqual([result(world, id), heard], ['late', ['WithdrawnError', 'WithdrawnError']]);
  assert.equal(world.facts(id).filter((type) => type === 'interaction.withdrawn').length, 1);
});

test('ctx.all gives the values by name, and withdraws what is open when one branch fails', async (t) => {
  const served = named(async (ctx) => {
    const both = await ctx.all({ a: () => ask(ctx, 'a'), b: async () => (await ask(ctx, 'b')).text });
    const failed = await ctx
      .all({ asks: () => ask(ctx, 'c'), fails: () => ctx.step('fails', () => Promise.reject(new Error('no'))) })
      .catch((error: Error) => error.message);
    await ask(ctx, 'last');
    return [both.a.text, both.b, failed];
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });

  await answerAtOnce(world, id, ['b', 'a']);
  assert.equal(world.get(id).context.pauses.length, 1);
  await world.crashAndReopen(served);
  await answerAtOnce(world, id, ['last']);

  assert.deepEqual(result(world, id), ['a!', 'b!', 'no']);
});

test('branches that wait for something else than ctx keep their own calls, whichever is faster', async (t) => {
  let delays = [1, 20];
  const work = async (ctx: Context, place: number) => {
    await sleepMs(delays[place]!);
    return ctx.step('record', () => place);
  };
  const served = named(async (ctx) => {
    const { a, b } = await ctx.all({ a: () => work(ctx, 0), b: () => work(ctx, 1) });
    const listed = await Promise.all([work(ctx, 0), work(ctx, 1)]);
    await ask(ctx, 'last');
    return [a, b, listed];
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });
  await until(() => world.get(id).context.pauses.length > 0, 'the prompt');

  delays = [20, 1];
  await world.reopen(served);
  await answerAtOnce(world, id, ['last']);
  await until(() => world.get(id).status === 'completed', 'the end');

  assert.deepEqual(result(world, id), [0, 1, [0, 1]]);
});

test('calls that may have overtaken each other and look the same block the execution, and are not guessed', async (t) => {
  let delays = [1, 20];
  let calls = 0;
  const served = named(async (ctx) => {
    const work = (place: number) =>
      new Promise((resolve, reject) => {
        setTimeout(() => {
          calls += 1;
          ctx.step('record', () => place).then(resolve, reject);
        }, delays[place]);
      });
    const both = [work(0), work(1)];
    const values = [await both[0], await both[1]];
    await ask(ctx, 'last');
    return values;
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });
  await until(() => world.get(id).context.pauses.length > 0, 'the prompt');

  delays = [20, 1];
  await world.reopen(served);
  await answerAtOnce(world, id, ['last']);
  await until(() => calls === 4, 'both calls of the second life');
  await world.pass(3_000);

  const { blocked } = world.get(id).context;
  assert.match(blocked?.expected ?? '', /step "record"/);
  assert.match(blocked?.came ?? '', /ctx\.all or ctx\.branch/);
});

test('helpers that are awaited in a row are not taken for branches', async (t) => {
  const served = named(async (ctx) => {
    const save = async (value: number) => {
      await sleepMs(1);
      return ctx.step('save', () => value);
    };
    const values = [await save(1), await save(2), await save(3)];
    await ask(ctx, 'last');
    return values;
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });
  await until(() => world.get(id).context.pauses.length > 0, 'the prompt');

  await world.reopen(served);
  await answerAtOnce(world, id, ['last']);
  await until(() => world.get(id).status === 'completed', 'the end');

  assert.deepEqual(result(world, id), [1, 2, 3]);
});

test('a run that begins anew by ctx.continueAs has a past no longer than its last round', async (t) => {
  const served = named(async (ctx, input: { round: number }) => {
    const { text: said } = await ask(ctx, `round ${input.round}`);
    return said === 'more' ? ctx.continueAs({ round: input.round + 1 }) : input.round;
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w', input: { round: 1 } });

  await world.answer(id, 0, 'more');
  await world.answer(id, 0, 'more');
  await world.reopen(served);
  await world.answer(id, 0, 'enough');

  assert.equal(result(world, id), 3);
  assert.equal(world.facts(id).filter((type) => type === 'interaction.requested').length, 1);
});

const rounds: Readonly<Record<string, (ctx: Context, round: number) => Promise<unknown>>> = {
  'a prompt behind a continueAs that is not awaited': async (ctx, round) => {
    void ctx.continueAs({ round: round + 1 });
    return ask(ctx, 'old');
  },
  'a step behind a continueAs that is not awaited': async (ctx, round) => {
    void ctx.continueAs({ round: round + 1 });
    return ctx.step('old', () => 1);
  },
  'a prompt beside a continueAs': (ctx, round) => Promise.all([ctx.continueAs({ round: round + 1 }), ask(ctx, 'old')]),
  'a step that is not awaited, behind a continueAs that is returned': async (ctx, round) => {
    void Promise.resolve().then(() => ctx.step('audit', () => round));
    return ctx.continueAs({ round: round + 1 });
  },
  'a result behind a continueAs that is not awaited': async (ctx, round) => {
    void ctx.continueAs({ round: round + 1 });
    return 'old';
  },
};

for (const [what, end] of Object.entries(rounds)) {
  for (const again of ways) {
    test(`${what} is no call of the next round (${again})`, async (t) => {
      const served = named(async (ctx, { round }: { round: number }) => {
        await ask(ctx, `round ${round}`);
        return round === 0 ? end(ctx, round) : round;
      });
      const world = await DurableWorld.open(t, [served]);
      const id = await world.start({ workflow: 'w', input: { round: 0 } });

      await world.answer(id);
      await world[again](served);
      const open = world.get(id).context.pauses.map((pause) => pause.kind === 'interaction' && pause.prompt.text);
      await world.answer(id);

      assert.deepEqual([open, result(world, id)], [['round 1'], 1]);
    });
  }
}

test('a step gives the same number in every life, also one that JSON does not have', async (t) => {
  const seen: boolean[] = [];
  const served = named(async (ctx) => {
    const balance = await ctx.step('balance', () => ({ is: -0 }));
    seen.push(Object.is(balance.is, -0));
    await ask(ctx, `Balance ${new Intl.NumberFormat('en').format(balance.is)}?`);
    return 'done';
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });

  await world.crashAndReopen(served);
  await world.answer(id);

  assert.deepEqual([result(world, id), seen], ['done', [false, false]]);
});

test('a signal that outlives its calls keeps none of them', async (t) => {
  const { signal } = new AbortController();
  const added: string[] = [];
  const counted = new Proxy(signal, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        if (name === 'addEventListener') added.push('added');
        if (name === 'removeEventListener') added.pop();
        return (value as (...given: unknown[]) => unknown).apply(target, given);
      };
    },
  });
  const served = named(async (ctx) => {
    await ctx.prompt(text({ text: 'a' }), { signal: counted });
    await ctx.prompt(text({ text: 'b' }), { signal: counted });
  });
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });

  await world.answer(id);
  await world.runtime.cancel(id, alice);

  assert.deepEqual(added, []);
});

test('an execution of a version that is served beside a newer one goes on with its own', async (t) => {
  const version = (name: string) =>
    named(async (ctx) => [name, (await ask(ctx, `from ${name}`)).text], { version: name });
  const world = await DurableWorld.open(t, [version('1')]);
  const old = await world.start({ workflow: 'w' });

  await world.reopen(version('1'), version('2'));
  const young = await world.start({ workflow: 'w' });
  await world.answer(old);
  await world.answer(young);

  assert.deepEqual(
    [result(world, old), result(world, young)],
    [
      ['1', 'yes'],
      ['2', 'yes'],
    ],
  );
});

test('an execution of a version that is not served waits as blocked, and goes on when it is', async (t) => {
  const version = (name: string) => named(async (ctx) => [name, (await ask(ctx, 'a')).text], { version: name });
  const world = await DurableWorld.open(t, [version('1')]);
  const id = await world.start({ workflow: 'w' });

  await world.reopen(version('2'));
  await world.answer(id);
  const { blocked } = world.get(id).context;
  await world.reopen(version('1'), version('2'));

  assert.match(blocked?.expected ?? '', /version 1/);
  assert.deepEqual(result(world, id), ['1', 'yes']);
});

test('a builder that cannot be built when a run wakes is built later, and the answered execution goes on', async (t) => {
  let isDown = false;
  const served = workflow({
    name: 'w',
    perUser: {
      build: () => {
        if (isDown) throw new Error('database is down');
        return 'up';
      },
    },
    run: async (_input: unknown, ctx, resources) => [resources, (await ask(ctx, 'a')).text],
  }) as Workflow;
  const world = await DurableWorld.open(t, [served]);
  const id = await world.start({ workflow: 'w' });

  isDown = true;
  await world.reopen(served);
  await world.answer(id);
  await world.pass(1_500);
  const during = world.get(id).status;
  isDown = false;
  await world.pass(10_000);

  assert.deepEqual([during, result(world, id)], ['running', ['up', 'yes']]);
});
