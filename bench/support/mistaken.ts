/** A workflow that makes the mistakes it is asked to make, and more resources per user that cannot be built or closed. */
import { z } from 'zod';
import { type Context, text, workflow } from '../../runtime/index.ts';

const ask = (ctx: Context) => ctx.prompt(text({ text: 'Anybody?', timeoutS: 1 }));
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const mistakes: Readonly<Record<string, (ctx: Context) => unknown>> = {
  'float a prompt': (ctx) => void ask(ctx),
  'float a function that awaits': (ctx) => void (async () => await ask(ctx))(),
  'float a failing step': (ctx) => void ctx.step('fails', () => Promise.reject(new Error('no'))),
  'throw a text': () => Promise.reject('no error'),
  'throw nothing': () => Promise.reject(undefined),
  'throw what cannot be read': () =>
    Promise.reject({
      get message() {
        throw new Error('not to be read');
      },
    }),
  'throw in a timer': () => void setTimeout(() => JSON.parse('{'), 1),
  'throw in a microtask': () => queueMicrotask(() => JSON.parse('{')),
  'reject in a timer': () => void setTimeout(() => Promise.reject(new Error('no')), 1),
  'call in a timer for ever': (ctx) =>
    void setInterval(() => {
      ctx.emit('late');
      ctx.span('TOOL', 'late').end();
      void ask(ctx);
      void (async () => await ctx.sleep(1))();
    }, 50).unref(),
  'catch and ask again': (ctx) =>
    void (async () => {
      for (;;) await ask(ctx).catch(() => {});
    })(),
  'catch and do again': async (ctx) => {
    for (;;) {
      try {
        return await ctx.step('wait', () => later(1e9));
      } catch {}
    }
  },
  'exit the process': () => process.exit(3),
  'return a circle': () => {
    const circle: unknown[] = [];
    circle.push(circle);
    return circle;
  },
  'return a function': () => () => 1,
  'emit a big integer': (ctx) => ctx.emit(1n),
  'ask inside of a step': (ctx) => ctx.step('outer', () => ask(ctx)),
  'wait for something else': () => later(100),
  'sleep for ever': (ctx) => ctx.sleep(9e15),
  'sleep for no number': (ctx) => ctx.sleep(Number.NaN),
  'ask for nothing': (ctx) => ctx.prompt(undefined as never),
  'race and leave the loser': (ctx) => Promise.race([ask(ctx), ctx.sleep(10)]),
  'do a thousand steps at once': (ctx) =>
    Promise.all(Array.from({ length: 1_000 }, (_, place) => ctx.step('many', () => place))),
};

export const names: readonly string[] = Object.keys(mistakes);

let builds = 0;

export default workflow({
  name: 'mistaken',
  input: z.object({ mistakes: z.array(z.string()), ends: z.enum(['return', 'wait']) }),
  perUser: {
    build: async (user, scope) => {
      builds += 1;
      scope.defer(() => {
        if (user.endsWith('1')) throw new Error('cannot be closed');
      });
      if (user.endsWith('2')) throw new Error('cannot be built');
      if (user.endsWith('3') && builds % 2 === 0) return Promise.reject('no error');
      if (user.endsWith('4')) void Promise.reject(new Error('rejected beside the build'));
      return {};
    },
  },
  run: async (input, ctx) => {
    let last: unknown = 'done';
    for (const name of input.mistakes) last = (await mistakes[name]?.(ctx)) ?? last;
    if (input.ends === 'wait') await ask(ctx);
    return last;
  },
});
