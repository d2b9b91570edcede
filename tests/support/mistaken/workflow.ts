/**
 * A workflow of random mistakes: what it does is chosen by the `seed` of its input, and is the same in every life. So
 * are its resources, by the id of its user. Served by `fermata serve` in `fuzz.ts`.
 */
import { setTimeout as pass } from 'node:timers/promises';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type Context, type Scope, text, workflow } from '../../../runtime/index.ts';
import { awaited, forgotten } from './acts.ts';
import { Random } from './random.ts';
import { throwables, values } from './values.ts';

type Input = { readonly seed: number };

const thrown = (random: Random): unknown => random.pick(Object.values(throwables))();

/** How the input may be read, by its seed: nearly always as it is. */
const read = (given: unknown): StandardSchemaV1.Result<Input> | Promise<StandardSchemaV1.Result<Input>> => {
  const input = given as Input;
  const random = new Random(input.seed ^ 0x5eed);
  switch (random.integer(24)) {
    case 0:
      throw thrown(random);
    case 1:
      return pass(5).then(() => Promise.reject(thrown(random)));
    case 2:
      void Promise.reject(thrown(random));
      return pass(5).then(() => ({ value: input }));
    case 3:
      return undefined as never;
    case 4:
      return { issues: [{ message: 'not this one', path: [Symbol('path'), { key: 1n as never }] }] };
    case 5:
      setTimeout(() => {
        throw thrown(random);
      }, 5);
      return { value: input };
    default:
      return { value: input };
  }
};

/** Of the output: by chance, as the schema is given nothing but the value. */
const checked = (value: unknown): StandardSchemaV1.Result<unknown> => {
  if (value === 'refuse') return { issues: [{ message: 'refused', path: [Symbol('s')] }] };
  if (value === 'throw') throw Object.create(null);
  return { value };
};

const schema = <Output>(
  validate: (value: unknown) => StandardSchemaV1.Result<Output> | Promise<StandardSchemaV1.Result<Output>>,
): StandardSchemaV1<unknown, Output> => ({ '~standard': { version: 1, vendor: 'tests', validate } });

/** How the resources of a user are built and closed, by his id. */
const builds: Readonly<Record<string, (random: Random, scope: Scope) => unknown>> = {
  plain: () => ({}),
  throws: (random) => {
    throw thrown(random);
  },
  rejects: (random) => pass(5).then(() => Promise.reject(thrown(random))),
  forgets: (random) => void Promise.reject(thrown(random)),
  late: (random) =>
    void setTimeout(() => {
      throw thrown(random);
    }, 20),
  closes: (random, scope) => {
    for (const close of [
      () => {
        throw thrown(random);
      },
      () => Promise.reject(thrown(random)),
      () => void Promise.reject(thrown(random)),
      () => setTimeout(() => JSON.parse('{'), 5),
    ])
      scope.defer(close);
    return {};
  },
  slow: () => pass(200),
  strange: (random) => random.pick(Object.values(values))(),
  listens: (random, scope) =>
    scope.signal.addEventListener('abort', () => {
      throw thrown(random);
    }),
};

const steps = async (ctx: Context, random: Random, site: string): Promise<void> => {
  for (let place = 0; place < 1 + random.integer(3); place += 1) {
    const own = random.fork();
    const list = random.number() < 0.5 ? forgotten : awaited;
    const name = random.pick(Object.keys(list));
    await list[name]!(ctx, own, `${site}.${place} ${name}`);
  }
};

const ending = async (ctx: Context, random: Random): Promise<unknown> => {
  switch (random.integer(8)) {
    case 0:
      throw thrown(random);
    case 1:
      return random.pick(Object.values(values))();
    case 2:
      return random.pick(['refuse', 'throw']);
    case 3:
      return await ctx.continueAs({ seed: random.integer(1e9) });
    default:
      return { done: true };
  }
};

const run = async ({ seed }: Input, ctx: Context): Promise<unknown> => {
  const random = new Random(seed);
  try {
    for (let stage = 0; stage < 1 + random.integer(3); stage += 1) {
      const work = steps(ctx, random.fork(), String(stage));
      if (random.number() < 0.7) await work.catch(() => {});
      else await work;
      if (random.number() < 0.5) await ctx.prompt(text({ text: `Go on, stage ${stage}?` }));
    }
    return await ending(ctx, random);
  } finally {
    if (random.number() < 0.2) ctx.emit('at the end');
    if (random.number() < 0.1) await ctx.step('at the end', () => 1);
    // biome-ignore lint/correctness/noUnsafeFinally: that is the mistake
    if (random.number() < 0.05) throw thrown(random);
  }
};

async function* generate(input: Input, ctx: Context): AsyncGenerator<unknown, unknown, undefined> {
  const random = new Random(input.seed ^ 0x9e2);
  try {
    for (let count = random.integer(4); count > 0; count -= 1) {
      yield random.number() < 0.3 ? random.pick(Object.values(values))() : { count };
      await steps(ctx, random.fork(), `yield ${count}`);
    }
    return await run(input, ctx);
  } finally {
    if (random.number() < 0.3) yield 'in spite of the end';
    if (random.number() < 0.2) await Promise.reject(thrown(random));
  }
}

export default workflow({
  name: 'mistaken',
  input: schema(read),
  output: schema(checked),
  perUser: {
    build: (user: string, scope) => {
      const random = new Random([...user].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), 7));
      return random.pick(Object.values(builds))(random, scope);
    },
  },
  run: (input: Input, ctx) => (input.seed % 4 === 0 ? generate(input, ctx) : run(input, ctx)),
});
