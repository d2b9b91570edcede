/**
 * What OpenAI's clients send: a request for a chat completion. NAT's names and order of the members, since refusals name
 * the first and come in the second. What a request does not say is not filled in: its defaults are the workflow's to choose.
 */
import { z } from 'zod';
import { jsonSchemaOf } from '../../runtime/index.ts';
import { createReader, ValidationFailure } from '../validation.ts';

const word = z.string().default('');
const members = z.record(z.string(), z.unknown());
const number = z.number().nullish();
const integer = z.int().nullish();
const switched = z.boolean().nullish();

/** Nothing else may stand in a part. */
const part = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text'), text: word }).meta({ title: 'TextContent' }),
    z
      .strictObject({ type: z.literal('image_url'), image_url: z.object({ url: word }).prefault({}) })
      .meta({ title: 'ImageContent' }),
    z
      .strictObject({
        type: z.literal('input_audio'),
        input_audio: z.object({ data: word, format: word }).prefault({}),
      })
      .meta({ title: 'AudioContent' }),
  ])
  .meta({ title: 'tagged-union[TextContent,ImageContent,AudioContent]' });

/** With a name, since a role that there is not is refused as an `enum`. */
const role = z.enum(['user', 'assistant', 'system', 'tool']).meta({ id: 'UserMessageContentRoleType' });

const message = z
  .looseObject({
    role,
    content: z.union([z.string(), z.array(part)]).nullable(),
    tool_calls: z.array(members).nullish(),
    tool_call_id: z.string().nullish(),
  })
  .refine((given) => given.content !== null || callsSomething(given), {
    error: 'content may be null only for assistant messages with tool_calls or function_call',
  });

const callsSomething = (given: { role: string; tool_calls?: unknown[] | null | undefined; function_call?: unknown }) =>
  given.role === 'assistant' && ((given.tool_calls?.length ?? 0) > 0 || Boolean(given.function_call));

export const chatRequest = z.looseObject({
  messages: z.array(message).min(1),
  model: z.string().nullish(),
  frequency_penalty: number,
  logit_bias: z.record(z.string(), z.number()).nullish(),
  logprobs: switched,
  top_logprobs: integer,
  max_tokens: integer,
  n: integer,
  presence_penalty: number,
  response_format: members.nullish(),
  seed: integer,
  service_tier: z.enum(['auto', 'default']).nullish(),
  stream: switched,
  stream_options: members.nullish(),
  temperature: number,
  top_p: number,
  tools: z.array(members).nullish(),
  tool_choice: z.union([z.string(), members]).nullish(),
  parallel_tool_calls: switched,
  user: z.string().nullish(),
});

export type ChatRequest = z.output<typeof chatRequest>;

const read = createReader(chatRequest, jsonSchemaOf(chatRequest));

/** Rejects with a `ValidationFailure` that has an entry for each mistake. */
export const readChat = async (body: unknown): Promise<ChatRequest> => {
  const reading = await read(body);
  if (reading.issues !== undefined) throw new ValidationFailure(reading.issues);
  return reading.value as ChatRequest;
};

/** What the last message says: its text, or the texts of its parts, each in a line of its own. */
export const lastText = ({ messages }: ChatRequest): string => {
  const content = messages.at(-1)?.content ?? '';
  if (typeof content === 'string') return content;
  return content.flatMap((given) => (given.type === 'text' ? [given.text] : [])).join('\n');
};
