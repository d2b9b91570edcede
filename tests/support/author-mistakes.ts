/**
 * A program of its own that runs workflows with the mistakes that authors make, and says whether it still works afterwards.
 * Argument: how the executions end, `return` or `cancel`.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { type Context, createRuntime, type Scope, silentLog, text, workflow } from '../../runtime/index.ts';
import { start as startExecution } from './start.ts';

const ask = (ctx: Context) => ctx.prompt(text({ text: 'Anybody?' }));

/** Calls again, however often it is refused, and waits for nothing else. */
const again = async (call: () => Promise<unknown>): Promise<void> => {
  for (;;) {
    try {
      await call();
    } catch {}
  }
};

const listen = (signal: AbortSignal, call: () => unknown): void => signal.addEventListener('abort', call as () => void);
const throws = (): never => {
  throw new Error('a listener throws');
};
const rejects = async (): Promise<never> => {
  await null;
  return throws();
};

export const mistakes: Readonly<Record<string, (ctx: Context) => void>> = {
  'a prompt that is not awaited': (ctx) => void ask(ctx),
  'a function that awaits a prompt, and is not awaited': (ctx) => void (async () => await ask(ctx))(),
  'a step that throws, and is not awaited': (ctx) => void ctx.step('fails', () => Promise.reject(new Error('no'))),
  'a function that throws, and is not awaited': () => void (async () => Promise.reject('no error'))(),
  'a rejection of nothing': () => void Promise.reject(undefined),
  'a timer that throws': () => void setTimeout(() => Promise.reject(new Error('no')).catch(() => JSON.parse('{')), 5),
  'a callback that throws at once': () => void setTimeout(() => JSON.parse('{'), 5),
  'calls in a timer after the end': (ctx) =>
    void setInterval(() => {
      ctx.emit('late');
      ctx.span('TOOL', 'late').end();
      void ask(ctx);
      void (async () => await ctx.sleep(1))();
    }, 2).unref(),
  'a loop round a prompt': (ctx) => void again(() => ask(ctx)),
  'a loop round a prompt inside of a step': (ctx) => void ctx.step('s', () => again(() => ask(ctx))),
  'a loop round a step inside of a step': (ctx) => void ctx.step('s', () => again(() => ctx.step('inner', () => 1))),
  'a loop round a sleep for no number': (ctx) => void again(() => ctx.sleep(Number.NaN)),
  'a loop round a race that throws': (ctx) => void again(() => ctx.race({ a: throws })),
  'a loop round a branch': (ctx) => void again(() => ctx.branch('b', () => 1)),
  'a loop round a notification': (ctx) => void again(() => ctx.notify('Again.')),
  'a loop round a continueAs that is refused': (ctx) => void again(() => ctx.continueAs(() => 1)),
  'a loop round a consent': (ctx) => void again(() => ctx.authorize('bank')),
  'a listener of ctx.signal that throws': (ctx) => listen(ctx.signal, throws),
  'a listener of ctx.signal that rejects': (ctx) => listen(ctx.signal, rejects),
  'a listener of step.signal that throws': (ctx) =>
    void ctx.step('s', (step) => {
      listen(step.signal, throws);
      return new Promise(() => {});
    }),
  'a listener of step.signal that rejects': (ctx) =>
    void ctx.step('s', (step) => {
      listen(step.signal, rejects);
      return new Promise(() => {});
    }),
};

const closes = (scope: Scope): void => scope.defer(() => void rejects());

const BANK = {
  clientId: 'bank',
  authorizationUrl: 'https://bank.test/authorize',
  tokenUrl: 'https://bank.test/token',
  redirectUri: 'https://fermata.test/auth/redirect',
};

const [, script = '', end = ''] = process.argv;
if (import.meta.url.endsWith(script.slice(script.lastIndexOf('/')))) {
  const errors: object[] = [];
  const log = { ...silentLog, error: (fields: object) => void errors.push(fields) };
  const served = workflow({
    name: 'w',
    run: async (name: string, ctx) => {
      mistakes[name]?.(ctx);
      if (end === 'cancel') await ask(ctx);
      return 'done';
    },
  });
  const forgetful = {
    shared: { build: () => void rejects() },
    closing: { build: closes },
    own: { perUser: { build: () => void rejects() } },
  };
  const built = Object.entries(forgetful).map(([name, builds]) => workflow({ name, run: () => 1, ...builds }));
  const runtime = await createRuntime({ workflows: [served, ...built], providers: { bank: BANK }, log });
  await sleepMs(5);
  const shared = errors.splice(0).length; // of the build of a shared workflow
  const by = { userId: 'alice' };
  const start = async (name: string, workflow = 'w') => {
    const options = { workflow, input: name, by, interactive: end === 'cancel' };
    const { execution } = await startExecution(runtime, options);
    return execution;
  };
  const outcomes: Record<string, string> = {};
  for (const name of Object.keys(mistakes)) {
    process.stderr.write(`${name}\n`);
    const execution = await start(name);
    await sleepMs(20);
    if (end === 'cancel') await runtime.cancel(execution.id, by);
    await sleepMs(30);
    const known = errors.splice(0).every((fields) => (fields as { executionId?: string }).executionId !== undefined);
    outcomes[name] = known ? execution.status : 'an error that names no execution';
  }
  for (const { name } of built) outcomes[`what ${name} has forgotten`] = (await start('', name)).status;
  process.stdout.write(JSON.stringify({ ...outcomes, shared }));
  await runtime.stop();
  await sleepMs(20);
  process.exit(0);
}
