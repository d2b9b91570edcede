/** Programs as authors write them, on every path and with every cut: none gets another result, hangs, or is blocked. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { binaryChoice, type Context, text, workflow } from '../../runtime/index.ts';
import { hop, testWorkflow } from '../../testing/index.ts';

const yesOrNo = (asked: string) =>
  binaryChoice({
    text: asked,
    options: [
      { id: 'yes', label: 'Yes', value: true },
      { id: 'no', label: 'No', value: false },
    ],
  });
const isYes = async (ctx: Context, asked: string): Promise<boolean> =>
  (await ctx.prompt(yesOrNo(asked))).value === true;
const inputs = [null];
const few = { inputs, maxPaths: 40 } as const;

/** A model that asks for tools until it has seen what each of them gives. */
type Message = { readonly role: 'user' | 'tool' | 'assistant'; readonly content: string };
const model = async (messages: readonly Message[]): Promise<{ tool?: string; say?: string }> => {
  await hop();
  const used = messages.filter(({ role }) => role === 'tool').length;
  return used === 0
    ? { tool: 'search' }
    : used === 1
      ? { tool: 'pay' }
      : { say: messages.map(({ content }) => content).join(' | ') };
};

testWorkflow(
  workflow({
    name: 'an agent with tools, of which one needs a yes',
    run: async (_, ctx) => {
      const messages: Message[] = [{ role: 'user', content: 'buy it' }];
      for (let turn = 0; ; turn += 1) {
        const reply = await ctx.step(`model ${turn}`, () => model(messages));
        if (reply.say !== undefined) return reply.say;
        const tool = reply.tool!;
        const mayRun = tool !== 'pay' || (await isYes(ctx, 'Pay?'));
        const content = mayRun ? await ctx.step(tool, () => `${tool} done`) : `${tool} refused`;
        messages.push({ role: 'tool', content });
        ctx.emit({ tool, content });
      }
    },
  }),
  few,
);

/** As the package p-limit does it. */
const limited = (most: number) => {
  let active = 0;
  const waiting: (() => void)[] = [];
  const next = (): void => {
    active -= 1;
    waiting.shift()?.();
  };
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (active >= most) await new Promise<void>((go) => waiting.push(go));
    active += 1;
    try {
      return await work();
    } finally {
      next();
    }
  };
};

testWorkflow(
  workflow({
    name: 'a pool of two that works through five pages, and then asks',
    run: async (_, ctx) => {
      const limit = limited(2);
      const pages = await Promise.all(
        [1, 2, 3, 4, 5].map((page) => limit(() => ctx.step(`page ${page}`, async () => `text ${page}`))),
      );
      return (await isYes(ctx, 'Publish?')) ? pages : [];
    },
  }),
  few,
);

testWorkflow(
  workflow({
    name: 'a pool of two whose work asks people',
    run: async (_, ctx) => {
      const limit = limited(2);
      return Promise.all(
        ['Ada', 'Bob', 'Cy'].map((name) =>
          limit(async () => {
            const { text: answer } = await ctx.prompt(text({ text: `And you, ${name}?` }));
            return ctx.step(`note ${name}`, () => `${name}: ${answer}`);
          }),
        ),
      );
    },
  }),
  {
    ...few,
    answers: ({ text: asked }) => [`from ${asked}`],
    check: ({ status, result }) => {
      if (status === 'completed')
        assert.deepEqual(
          result,
          ['Ada', 'Bob', 'Cy'].map((name) => `${name}: from And you, ${name}?`),
        );
    },
  },
);

testWorkflow(
  workflow({
    name: 'retries with a longer and longer pause',
    run: async (_, ctx) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await ctx.step('fetch', () => {
            if (attempt < 3) throw Object.assign(new Error('busy'), { status: 503, attempt });
            return { attempt };
          });
        } catch (error) {
          ctx.emit({ failed: (error as { attempt?: number }).attempt });
          await ctx.sleep(1_000 * 2 ** attempt);
        }
      }
    },
  }),
  few,
);

async function* chunksOf(ctx: Context, topic: string): AsyncGenerator<string, number, undefined> {
  let count = 0;
  for (const part of ['one', 'two', 'three']) {
    count += 1;
    yield await ctx.step(`${topic} ${part}`, async () => {
      await hop();
      return `${topic}-${part}`;
    });
  }
  return count;
}

testWorkflow(
  workflow({
    name: 'generators within a generator',
    async *run(_: unknown, ctx) {
      const count = yield* chunksOf(ctx, 'rain');
      if (await isYes(ctx, 'More?')) for await (const chunk of chunksOf(ctx, 'snow')) yield chunk.toUpperCase();
      return count;
    },
  }),
  few,
);

testWorkflow(
  workflow({
    name: 'a stream that is read in a step, and one that is fed by steps',
    run: async (_, ctx) => {
      const words = await ctx.step('read', async (step) => {
        const stream = new PassThrough({ objectMode: true });
        setImmediate(() => {
          for (const word of ['a', 'b', 'c']) stream.write(word);
          stream.end();
        });
        const read: string[] = [];
        for await (const word of stream) {
          step.emit(word);
          read.push(word);
        }
        return read;
      });
      const stream = new PassThrough({ objectMode: true });
      for (const word of words) stream.write(await ctx.step(`upper ${word}`, () => word.toUpperCase()));
      stream.end();
      const all: string[] = [];
      for await (const word of stream) all.push(word);
      return (await isYes(ctx, 'Send?')) ? all.join('') : null;
    },
  }),
  few,
);

testWorkflow(
  workflow({
    name: 'an emitter between two parts of a run',
    run: async (_, ctx) => {
      const bus = new EventEmitter();
      const heard = once(bus, 'approved');
      const asking = isYes(ctx, 'Approved?').then((value) => bus.emit('approved', value));
      asking.catch(() => {}); // when the execution is cancelled nothing awaits it yet
      const [value] = await heard;
      await asking;
      return ctx.step('record', () => ({ value }));
    },
  }),
  few,
);

class Order {
  readonly #lines: { readonly name: string; readonly cents: number }[] = [];
  approvedBy: string | undefined;

  add(name: string, cents: number): this {
    this.#lines.push({ name, cents });
    return this;
  }

  get total(): number {
    return this.#lines.reduce((sum, { cents }) => sum + cents, 0);
  }

  toJSON(): object {
    return { lines: this.#lines, total: this.total, approvedBy: this.approvedBy };
  }
}

testWorkflow(
  workflow({
    name: 'an instance that is changed between steps',
    run: async (_, ctx) => {
      const order = new Order();
      for (const [name, cents] of [
        ['tea', 300],
        ['cup', 900],
      ] as const) {
        const price = await ctx.step(`price of ${name}`, () => cents);
        ctx.emit(order.add(name, price));
      }
      const { text: who } = await ctx.prompt(
        text({ text: `Who pays ${order.total}?`, timeoutS: 3_600, default: 'nobody' }),
      );
      order.approvedBy = who;
      return order;
    },
  }),
  { ...few, answers: () => ['ada'] },
);

testWorkflow(
  workflow({
    name: 'a race of a person against time, with a reminder, in a loop',
    run: async (_, ctx) => {
      for (let reminders = 0; reminders < 2; reminders += 1) {
        const first = await ctx.race({
          answer: () => isYes(ctx, `Ready? ${reminders}`),
          late: () => ctx.sleep(60_000),
        });
        if (first.winner === 'answer') return { ready: first.value, reminders };
        await ctx.notify(`Still waiting, ${reminders}.`);
      }
      return 'given up';
    },
  }),
  few,
);

testWorkflow(
  workflow({
    name: 'a map and a reduce, with branches and a failing part',
    run: async (_, ctx) => {
      const parts = await Promise.allSettled(
        [1, 2, 3].map((part) =>
          ctx.branch(`part ${part}`, async () => {
            await hop();
            const value = await ctx.step('work', () => {
              if (part === 2) throw new RangeError(`part ${part} is out of range`);
              return part * 10;
            });
            await hop();
            return value + (await ctx.step('more', () => 1));
          }),
        ),
      );
      const done = parts.map((part) => (part.status === 'fulfilled' ? part.value : (part.reason as Error).name));
      return (await isYes(ctx, 'Use it?')) ? done : null;
    },
  }),
  few,
);

testWorkflow(
  workflow({
    name: 'a graph whose nodes are steps, with a checkpoint in the journal',
    run: async (_, ctx) => {
      type State = { node: string; notes: string[] };
      let state: State = { node: 'plan', notes: [] };
      const nodes: Record<string, (state: State) => State | Promise<State>> = {
        plan: (now) => ({ node: 'draft', notes: [...now.notes, 'planned'] }),
        draft: async (now) => ({ node: 'review', notes: [...now.notes, `draft ${now.notes.length}`] }),
        publish: (now) => ({ node: 'end', notes: [...now.notes, 'published'] }),
      };
      for (let visits = 0; state.node !== 'end' && visits < 8; visits += 1) {
        if (state.node === 'review') {
          const isGood = await isYes(ctx, `Good? ${state.notes.length}`);
          state = { ...state, node: isGood || visits > 4 ? 'publish' : 'draft' };
        } else {
          const from: State = state;
          state = await ctx.step(`${visits} ${state.node}`, async () => nodes[from.node]!(from));
        }
      }
      return state.notes;
    },
  }),
  few,
);
