/** The commands that lab workflows obey: each makes the server do one thing, and says in a text how it went. */
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Answer,
  binaryChoice,
  type Context,
  checkbox,
  dropdown,
  notification,
  type Question,
  radio,
  type TextAnswer,
  text,
} from '../../runtime/index.ts';

/** The name under which the profiles configure the provider. */
export const labProvider = 'lab';

/** `name`, or `name:argument`, where the argument may be empty or have further colons. */
export const obey = async (command: string, ctx: Context): Promise<string> => {
  const colon = command.indexOf(':');
  const name = colon < 0 ? command : command.slice(0, colon);
  const argument = colon < 0 ? '' : command.slice(colon + 1);
  const act = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return act === undefined ? `unknown command: ${command}` : act(argument, ctx);
};

type Command = (argument: string, ctx: Context) => string | Promise<string>;

class LabError extends Error {
  override readonly name = 'LabError';
}

/** What `mark` has noted, for as long as the process lives. */
const marks = new Map<string, string>();

const commands: Readonly<Record<string, Command>> = {
  echo: (words) => words,
  fail: (message) => {
    throw new LabError(message);
  },
  sleep: async (seconds, ctx) => {
    await ctx.sleep(Number(seconds) * 1000);
    return `slept ${seconds}`;
  },
  context: (_, ctx) => JSON.stringify(contextOf(ctx)),
  trace: (id, ctx) => {
    ctx.observe(id);
    ctx.span('FUNCTION', 'inner', { input: 'q' }).end('r');
    return 'traced';
  },
  steps: (_, ctx) => {
    emitSteps(ctx);
    return 'stepped';
  },
  mark: async (key, ctx) => {
    marks.set(key, 'started');
    try {
      await wait(1500, undefined, { signal: ctx.signal });
    } catch (error) {
      marks.set(key, 'cancelled');
      throw error;
    }
    marks.set(key, 'finished');
    return 'marked';
  },
  marks: (key) => marks.get(key) ?? 'unknown',

  'ask-text': (seconds, ctx) => ask(name('What is your name?', seconds), ctx),
  'ask-optional': (_, ctx) => ask(text({ text: 'Anything else?', required: false }), ctx),
  'ask-binary': (seconds, ctx) => ask(ship('approve', 'reject', seconds), ctx),
  'ask-boolean': (_, ctx) => ask(ship(true, false), ctx),
  'ask-radio': (seconds, ctx) =>
    ask(radio({ text: 'Which channel?', options: channels, timeoutS: limit(seconds) }), ctx),
  'ask-checkbox': (seconds, ctx) =>
    ask(checkbox({ text: 'Which channels?', options: channels, timeoutS: limit(seconds) }), ctx),
  'ask-dropdown': (seconds, ctx) =>
    ask(dropdown({ text: 'Pick a channel.', options: channels, timeoutS: limit(seconds) }), ctx),
  'ask-empty': (_, ctx) => ask(radio({ text: 'Which channel?', options: [] }), ctx),
  'ask-invalid': (_, ctx) => ask(binaryChoice({ text: 'Ship it?', options: [] }), ctx),
  notify: (words, ctx) => ask(notification({ text: words }), ctx),
  'notify-then-ask': async (_, ctx) => {
    const { text: acknowledged } = await ctx.notify('Heads up.');
    return `${acknowledged} ${await ask(name(), ctx)}`;
  },
  'ask-twice': (_, ctx) => askForBothNames(ctx, 0),
  'ask-slowly': (_, ctx) => askForBothNames(ctx, 1500),
  'ask-parallel': async (_, ctx) => {
    const [left, right] = await Promise.all([ctx.prompt(name('Left?')), ctx.prompt(name('Right?'))]);
    return `${left.text} ${right.text}`;
  },
  'ask-then': async (command, ctx) => {
    await ctx.prompt(name());
    return obey(command, ctx);
  },
  'ask-caught': async (seconds, ctx) => {
    try {
      return await ask(name('What is your name?', seconds), ctx);
    } catch (error) {
      if (!(error instanceof Error && error.name === 'TimeoutError')) throw error;
      await ctx.sleep(2000);
      return `gave up: ${error.message}`;
    }
  },
  'ask-loose': async (_, ctx) => {
    ctx.prompt(name('Anyone there?')).catch(() => {}); // the outcome is ignored
    await ctx.sleep(100);
    return 'left early';
  },

  oauth: token,
  'oauth-caught': async (_, ctx) => {
    try {
      return await token('', ctx);
    } catch {
      await ctx.sleep(2000);
      return 'no token';
    }
  },
  'oauth-then-ask': async (_, ctx) => `${await token('', ctx)} ${await ask(name(), ctx)}`,
};

const ask = async (question: Question<Answer>, ctx: Context): Promise<string> =>
  JSON.stringify(summaryOf(await ctx.prompt(question)));

const summaryOf = (answer: Answer): Record<string, unknown> => {
  switch (answer.kind) {
    case 'text':
    case 'notification':
      return { kind: answer.kind, text: answer.text };
    case 'binary_choice':
    case 'radio':
    case 'dropdown':
      return { kind: answer.kind, value: answer.value };
    case 'checkbox':
      return { kind: answer.kind, values: answer.values };
  }
};

const limit = (seconds: string): number | undefined => (seconds === '' ? undefined : Number(seconds));

const name = (asked = 'What is your name?', seconds = ''): Question<TextAnswer> =>
  text({ text: asked, placeholder: 'first name', timeoutS: limit(seconds) });

const ship = (approved: string | boolean, rejected: string | boolean, seconds = '') =>
  binaryChoice({
    text: 'Ship it?',
    options: [
      { id: 'yes', label: 'Approve', value: approved },
      { id: 'no', label: 'Reject', value: rejected },
    ],
    timeoutS: limit(seconds),
  });

const channels = [
  { id: 'email', label: 'E-mail', value: 'channel-email', description: 'to the address on file' },
  { id: 'sms', label: 'Text message', value: 'channel-sms', description: 'to the phone on file' },
  { id: 'post', label: 'Letter', value: 'channel-post', description: 'takes a week' },
];

const askForBothNames = async (ctx: Context, pauseMs: number): Promise<string> => {
  const first = await ctx.prompt(name('First name?'));
  if (pauseMs > 0) await ctx.sleep(pauseMs);
  const last = await ctx.prompt(name('Last name?'));
  return `${first.text} ${last.text}`;
};

async function token(_: string, ctx: Context): Promise<string> {
  return `token ${(await ctx.authorize(labProvider)).value}`;
}

const contextOf = ({ conversationId, userMessageId, user, trace, request }: Context) => ({
  conversation_id: conversationId ?? null,
  user_message_id: userMessageId ?? null,
  user_id: user ?? null,
  run_id: trace.runId,
  trace_id: trace.traceId,
  parent_id: trace.parentId,
  parent_name: trace.parentName,
  method: request.method,
  path: request.path,
  query: request.query,
  cookies: request.cookies,
  x_lab: request.headers['x-lab'] ?? null,
  payload: request.payload ?? null,
});

const emitSteps = (ctx: Context): void => {
  const model = ctx.span('LLM', 'lab-llm', { id: 'llm-1', input: '2 < 3 & so on' });
  model.chunk('four');
  model.chunk('teen');
  model.end('fourteen');
  ctx.span('TOOL', 'lab-tool', { id: 'tool-1', input: '{"a": 1}' }).end('plain text');
  ctx.span('CUSTOM', 'lab-custom', { id: 'custom-1', input: 'in' }).end('out');
};
