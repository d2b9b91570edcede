/**
 * A program of its own that runs workflows with the mistakes that authors make, and says whether it still works afterwards.
 * Argument: how the executions end, `return` or `cancel`.
 */
import { setTimeout as sleepMs } from 'node:timers/promises';
import { type Context, createRuntime, silentLog, text, workflow } from '../../runtime/index.ts';
import { noRequest, RunTrace } from '../../runtime/run-metadata.ts';

const ask = (ctx: Context) => ctx.prompt(text({ text: 'Anybody?' }));

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
  'a loop that catches': (ctx) =>
    void (async () => {
      for (;;) await ask(ctx).catch(() => {});
    })(),
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
  const runtime = await createRuntime({ workflows: [served], log });
  const by = { userId: 'alice' };
  const start = async (name: string) => {
    const refers = { conversationId: undefined, userMessageId: undefined, request: noRequest, trace: new RunTrace({}) };
    const { execution } = await runtime.start({
      ...refers,
      workflow: 'w',
      input: name,
      by,
      interactive: end === 'cancel',
      streaming: false,
    });
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
  process.stdout.write(JSON.stringify(outcomes));
  await runtime.stop();
  process.exit(0);
}
