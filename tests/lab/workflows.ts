/** Workflows that obey commands, one for each form that a workflow can have. */
import { z } from 'zod';
import { type Context, type Workflow, workflow } from '../../runtime/index.ts';
import {
  type ChatRequest,
  type Completion,
  chatMessage,
  chatRequest,
  chunk,
  completion,
  lastText,
  smallUsage,
  usage,
} from './chat.ts';
import { obey } from './commands.ts';

export const textInput = z.object({ cmd: z.string() });

export const labText = workflow({
  name: 'lab_text',
  input: textInput,
  output: z.string(),
  run: ({ cmd }, ctx) => obey(cmd, ctx),
});

export const modelInput = z.object({
  cmd: z.string().min(1).max(200),
  n: z.int().min(0).max(100).default(1),
  mode: z.enum(['plain', 'upper']).default('plain'),
  loud: z.boolean().default(false),
  tags: z.array(z.string()).max(3).default([]),
  nested: z
    .object({ name: z.string(), weight: z.number().gt(0).lt(10).default(1) })
    .nullable()
    .default(null),
});

export const labModel = workflow({
  name: 'lab_model',
  input: modelInput,
  output: z.object({ answer: z.string(), n: z.int(), tags: z.array(z.string()), note: z.null() }),
  async run({ cmd, n, mode, loud, tags }, ctx) {
    const result = await obey(cmd, ctx);
    const answer = `${mode === 'upper' ? result.toUpperCase() : result}${loud ? '!' : ''}`;
    return { answer, n, tags, note: null };
  },
});

/** One output for each command between semicolons, and no result besides. */
const streaming = (name: string, outputOf: (result: string, index: number) => unknown): Workflow =>
  workflow({
    name,
    input: textInput,
    streamOnly: true,
    async *run({ cmd }, ctx) {
      for (const [index, command] of cmd.split(';').entries()) yield outputOf(await obey(command, ctx), index);
    },
  });

export const labStream = streaming('lab_stream', (result) => result);
export const labRecords = streaming('lab_records', (result, index) => ({ text: result, index }));
export const labValues = streaming('lab_values', (result, index) => ({ value: result, index }));

export const labSum = workflow({
  name: 'lab_sum',
  input: z.object({ a: z.int(), b: z.int() }),
  output: z.int(),
  run: ({ a, b }) => a + b,
});

const complete = async ({ messages, model }: ChatRequest, ctx: Context): Promise<Completion> =>
  completion(await obey(lastText(messages), ctx), model ?? 'unknown-model', usage);

async function* chunks({ messages }: ChatRequest, ctx: Context): AsyncGenerator<unknown, undefined> {
  for (const command of lastText(messages).split(';')) yield await chunkOf(command, ctx);
  return undefined;
}

const finishReasons = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'];

const chunkOf = async (command: string, ctx: Context) => {
  const [, name, argument = ''] = /^(chunk-\w+):?(.*)$/s.exec(command) ?? [];
  switch (name) {
    case 'chunk-finish':
      return chunk({ content: '', finishReason: finishReasons.includes(argument) ? argument : null });
    case 'chunk-usage':
      return chunk({ content: '', used: usage });
    case 'chunk-tool':
      return chunk({ content: null, toolArguments: argument });
    default:
      return chunk({ content: await obey(command, ctx) });
  }
};

export const labChat = workflow<ChatRequest, Completion | undefined>({
  name: 'lab_chat',
  input: chatRequest,
  run: (request, ctx) => (ctx.streaming ? chunks(request, ctx) : complete(request, ctx)),
});

export const labChatSingle = workflow({ name: 'lab_chat', input: chatRequest, run: complete });

/** A message alone, or a chat; NAT's words for anything else. */
export const messageInput = z
  .looseObject({ input_message: z.string().nullish(), messages: z.array(chatMessage).nullish() })
  .superRefine(({ input_message: message, messages, ...others }, context) => {
    const issue = (what: string) => context.addIssue({ code: 'custom', message: what });
    const isAlone = Object.values(others).every((value) => value === null || value === undefined);
    if (message == null && messages == null) issue('Either messages or input_message must be provided');
    else if (message != null && messages != null) {
      issue('Either messages or input_message must be provided, not both');
    } else if (message != null && !isAlone) {
      issue('no extra fields are permitted when input_message is provided');
    }
  });

export const labMessage = workflow({
  name: 'lab_message',
  input: messageInput,
  output: z.union([z.string(), z.looseObject({})]),
  async run({ input_message: message, messages }, ctx): Promise<string | Completion> {
    if (message != null) return obey(message, ctx);
    return completion(await obey(lastText(messages ?? []), ctx), 'unknown-model', smallUsage);
  },
});

const perUser = { build: () => ({ calls: 0 }) };

const obeyOrCount = async (command: string, ctx: Context, own: { calls: number }): Promise<string> => {
  if (command !== 'count') return obey(command, ctx);
  own.calls += 1;
  return String(own.calls);
};

export const labPerUser = workflow({
  name: 'lab_per_user',
  input: textInput,
  output: z.object({ out: z.string() }),
  perUser,
  run: async ({ cmd }, ctx, own) => ({ out: await obeyOrCount(cmd, ctx, own) }),
});

export const labPerUserChat = workflow({
  name: 'lab_per_user_chat',
  input: chatRequest,
  perUser,
  run: async ({ messages, model }, ctx, own) =>
    completion(await obeyOrCount(lastText(messages), ctx, own), model ?? 'unknown-model', usage),
});
