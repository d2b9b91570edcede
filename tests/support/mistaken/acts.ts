/**
 * Mistakes that authors make, each as something that a workflow does. Left out is what no runtime can survive in one process: loops
 * that never let the event loop go on, memory without end, `process.abort`, and changing global objects.
 */
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { createReadStream } from 'node:fs';
import { connect } from 'node:net';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { setTimeout as pass } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { binaryChoice, type Context, text } from '../../../runtime/index.ts';
import type { Random } from './random.ts';
import { throwables, values } from './values.ts';

/** `site` is another one for each act of a run. */
export type Act = (ctx: Context, random: Random, site: string) => unknown;

const ask = (ctx: Context, site: string) => ctx.prompt(text({ text: `Anybody at ${site}?`, timeoutS: 600 }));
const thrown = (random: Random): unknown => random.pick(Object.values(throwables))();
const value = (random: Random): unknown => random.pick(Object.values(values))();
const reject = async (random: Random): Promise<never> => {
  await null;
  throw thrown(random);
};
/** Whatever is wrong with the types. */
// biome-ignore lint/suspicious/noExplicitAny: that is the mistake
const any = (given: unknown): any => given;

/** Of all runs, and there as long as the process is. */
const everybody = new EventEmitter().setMaxListeners(0);
setInterval(() => everybody.emit('tick'), 20).unref();

/** Calls again, however often it is refused, and waits for nothing else. */
const again = async (call: () => Promise<unknown>): Promise<void> => {
  for (;;) {
    try {
      await call();
    } catch {}
  }
};

/** Does everything that can be done with `ctx`. */
const everything = (ctx: Context, site: string): void => {
  ctx.emit({ late: site });
  ctx.span('TOOL', site).end(site);
  ctx.now();
  ctx.random();
  ctx.log.info({ site }, 'late');
  void ctx.notify(site);
  void ask(ctx, site);
  void ctx.step(site, () => 1);
  void ctx.branch(site, () => ctx.sleep(1));
  void (async () => await ctx.sleep(1))();
};

/** Nothing waits for these: the run goes on, and may end before them. */
export const forgotten: Readonly<Record<string, Act>> = {
  'a prompt': (ctx, _, site) => void ask(ctx, site),
  'a function that prompts': (ctx, _, site) => void (async () => await ask(ctx, site))(),
  'a step that fails': (ctx, random, site) => void ctx.step(site, () => reject(random)),
  'a step that takes a while': (ctx, random, site) => void ctx.step(site, () => pass(random.integer(300))),
  'a function that throws': (_, random) => void reject(random),
  'a race': (ctx, random, site) => void ctx.race({ a: () => ask(ctx, site), b: () => reject(random) }),
  'branches that fail': (ctx, random) => void ctx.all({ a: () => reject(random), b: () => reject(random) }),
  'a consent': (ctx) => void ctx.authorize('bank'),
  'a sleep': (ctx, random) => void ctx.sleep(random.integer(50)),
  'a timer that throws': (_, random) =>
    void setTimeout(() => {
      throw thrown(random);
    }, random.integer(30)),
  'an immediate that throws': (_, random) =>
    void setImmediate(() => {
      throw thrown(random);
    }),
  'a tick that throws': (_, random) =>
    process.nextTick(() => {
      throw thrown(random);
    }),
  'a microtask that throws': (_, random) =>
    queueMicrotask(() => {
      throw thrown(random);
    }),
  'a timer that goes on after the end': (ctx, random, site) => {
    let left = 20;
    const timer = setInterval(
      () => ((left -= 1) < 0 ? clearInterval(timer) : everything(ctx, site)),
      random.integer(20),
    );
  },
  'a listener that goes on after the end': (ctx, random, site) => {
    let left = 5;
    everybody.on('tick', function tick() {
      if ((left -= 1) < 0) everybody.off('tick', tick);
      else if (random.number() < 0.3) throw thrown(random);
      else everything(ctx, site);
    });
  },
  'an error of an emitter': (_, random) => void pass(5).then(() => new EventEmitter().emit('error', thrown(random))),
  'an emitter with an async listener': (_, random) => {
    const emitter = new EventEmitter().on('go', async () => reject(random));
    setTimeout(() => emitter.emit('go'), 3);
  },
  'a stream that breaks': (_, random) =>
    void new Readable({
      read() {
        this.destroy(any(thrown(random) ?? new Error('broken')));
      },
    }).resume(),
  'a pipeline that breaks': (_, random) =>
    void pipeline(Readable.from(any([1, null, thrown(random)])), new PassThrough(), (error) => {
      throw error ?? thrown(random);
    }),
  'a file that is not there': () => void createReadStream('/not/there').resume(),
  'a program that is not there': () => void spawn('/not/there'),
  'a host that is not there': () => void connect({ port: 1, host: '127.0.0.1' }),
  'a request that is refused': () => void fetch('http://127.0.0.1:1/'),
  'a worker that throws': () => void new Worker('throw new Error("in a worker")', { eval: true }),
  'a listener of the signal that throws': (ctx, random) =>
    ctx.signal.addEventListener('abort', () => {
      throw thrown(random);
    }),
  'a listener of the signal that rejects': (ctx, random) =>
    ctx.signal.addEventListener(
      'abort',
      any(() => reject(random)),
    ),
  'a listener of the signal that goes on': (ctx, _, site) =>
    ctx.signal.addEventListener('abort', () => everything(ctx, site)),
  'a listener of the signal of a step': (ctx, random, site) =>
    void ctx.step(site, async (step) => {
      step.signal.onabort = () => {
        throw thrown(random);
      };
      await pass(50);
    }),
  'a loop round a prompt': (ctx, _, site) => void again(() => ask(ctx, site)),
  'a loop round a step inside of a step': (ctx, _, site) =>
    void ctx.step(site, () => Promise.race([pass(200), again(() => ctx.step('inner', () => 1))])),
  'a loop round a sleep for no number': (ctx) => void again(() => ctx.sleep(Number.NaN)),
  'a loop round a race that throws': (ctx, random) => void again(() => ctx.race({ a: () => reject(random) })),
  'a loop round a consent': (ctx) => void again(() => ctx.authorize('bank')),
  'a loop round a continueAs that is refused': (ctx) => void again(() => ctx.continueAs(() => 1)),
  'exit codes': () => {
    try {
      process.exit(3);
    } catch {}
    void pass(10).then(() => process.exit(4));
    setTimeout(() => process.exit(5), 10);
  },
  'an abort signal of its own': (ctx, random, site) => {
    const controller = new AbortController();
    controller.signal.addEventListener('abort', () => {
      throw thrown(random);
    });
    void ctx.prompt(text({ text: `Withdrawn at ${site}` }), { signal: controller.signal });
    setTimeout(() => controller.abort(thrown(random)), random.integer(40));
  },
  'a span that never ends': (ctx, random, site) => {
    const span = ctx.span('LLM', site, { input: value(random) });
    setTimeout(() => span.chunk(any(value(random))), random.integer(30));
  },
};

const caught = async (call: () => unknown): Promise<string> => {
  try {
    return typeof (await call());
  } catch (error) {
    return error instanceof Error ? 'an error' : typeof error;
  }
};

/** These end, be it by an error. */
export const awaited: Readonly<Record<string, Act>> = {
  'a question': (ctx, _, site) => ask(ctx, site),
  'a choice': (ctx, random, site) =>
    ctx.prompt(
      binaryChoice({
        text: `Which at ${site}? ${'?'.repeat(random.integer(3))}`,
        options: [
          { id: 'yes', label: 'Yes', value: true },
          { id: 'no', label: 'No', value: false },
        ],
      }),
    ),
  'questions side by side': (ctx, random, site) =>
    Promise.all(['a', 'b', 'c'].slice(random.integer(2)).map((name) => ask(ctx, `${site} ${name}`))),
  'the first of a question and a sleep': (ctx, random, site) =>
    Promise.race([ask(ctx, site), ctx.sleep(random.integer(400))]),
  'a race that is withdrawn': (ctx, random, site) =>
    ctx.race({ a: () => ask(ctx, site), b: () => ctx.sleep(random.integer(400)), c: () => ask(ctx, `${site} c`) }),
  'a step with any value': (ctx, random, site) => ctx.step(site, () => any(value(random))),
  'a step with any error': (ctx, random, site) => ctx.step(site, () => reject(random)),
  'a step that throws at once': (ctx, random, site) =>
    ctx.step(site, () => {
      throw thrown(random);
    }),
  'a step that is no function': (ctx, _, site) => ctx.step(site, any({ done: true })),
  'a step of any name': (ctx, random) => ctx.step(any(value(random)), () => 1),
  'a step that emits': (ctx, random, site) =>
    ctx.step(site, async (step) => {
      for (let count = 0; count < 5; count += 1) {
        await caught(() => step.emit(count === 2 ? value(random) : { count }));
        step.log.info(any(value(random)), 'in a step');
        await pass(random.integer(10));
      }
      return step.idempotencyKey;
    }),
  'a step that is tried again': async (ctx, random, site) => {
    for (let attempt = 0; attempt < 30; attempt += 1) {
      await caught(() => ctx.step(site, () => (attempt < 25 ? reject(random) : attempt)));
    }
  },
  'a step that waits': (ctx, random, site) => ctx.step(site, () => ask(ctx, `${site} ${random.integer(9)}`)),
  'any output': (ctx, random) => caught(() => ctx.emit(value(random))),
  'much output': async (ctx, _, site) => {
    for (let count = 0; count < 300; count += 1) {
      ctx.emit({ site, count });
      if (count % 50 === 0) await null;
    }
  },
  'any log': (ctx, random) => caught(() => ctx.log.warn(any(value(random)), any(value(random)))),
  'any error in the log': (ctx, random) => caught(() => ctx.log.error({ err: thrown(random) }, 'logged')),
  'any prompt': (ctx, random) => caught(() => Promise.race([ctx.prompt(any(value(random))), ctx.sleep(20)])),
  'a prompt with any key': (ctx, random, site) =>
    caught(() => Promise.race([ctx.prompt(text({ text: site }), { key: any(value(random)) }), ctx.sleep(20)])),
  'a prompt with a signal that is none': (ctx, random, site) =>
    caught(() => Promise.race([ctx.prompt(text({ text: site }), { signal: any(value(random)) }), ctx.sleep(20)])),
  'a prompt that has no text': (ctx) => caught(() => ctx.prompt(text(any({})))),
  'a prompt of 1 MB': (ctx, _, site) =>
    caught(() => Promise.race([ctx.prompt(text({ text: `${site} ${'x'.repeat(1_000_000)}` })), ctx.sleep(20)])),
  'any sleep': (ctx, random) =>
    caught(() => Promise.race([ctx.sleep(any(random.pick([-1, Infinity, '5', 9e15, 1e300, 0, 2n, null]))), pass(30)])),
  'any branch': (ctx, random) => caught(() => ctx.branch(any(value(random)), any(value(random)))),
  'any branches': (ctx, random) => caught(() => ctx.all(any({ a: value(random), b: () => value(random) }))),
  'a method without its object': (ctx, _, site) => caught(() => any(ctx.step)(site, () => 1)),
  'a consent by nobody': (ctx, random) => caught(() => ctx.authorize(any(value(random)))),
  'an await of something else': (_, random) => pass(random.integer(20)),
  'an await of many microtasks': async (_, random) => {
    for (let count = random.integer(2_000); count > 0; count -= 1) await null;
  },
  'many times the time': (ctx) => {
    for (let count = 0; count < 200; count += 1) ctx.now();
  },
  'a fork of everything': (ctx, random, site) =>
    Promise.allSettled([
      ctx.step(`${site} a`, () => pass(random.integer(20))),
      ctx.step(`${site} b`, () => reject(random)),
      reject(random),
      ctx.notify(site),
    ]),
  'an iteration that is left': async (ctx, random) => {
    const numbers = async function* () {
      try {
        for (let count = 0; ; count += 1) yield ctx.now() + count;
      } finally {
        await reject(random);
      }
    };
    await caught(async () => {
      for await (const number of numbers()) if (number) break;
    });
  },
  'an error of its own': (_, random) => reject(random),
  recursion: () => {
    const forever = (): number => 1 + forever();
    return forever();
  },
};
