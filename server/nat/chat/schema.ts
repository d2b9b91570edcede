/**
 * Requests of OpenAI clients for a chat completion. Names and order of the members are NAT's, because refusals contain
 * the names, in this order. Missing members are not filled in: the workflow chooses its defaults.
 */
import { z } from 'zod';
import { enoughEntries, type ValidationEntry, ValidationFailure } from '../../http/mistakes.ts';
import { isRecord } from '../../wire/pydantic/containers.ts';
import { createReader } from '../../wire/pydantic/reader.ts';
import { NAMED } from '../../wire/pydantic/scalars.ts';

/** NAT's value for a missing text. */
const word = z.string().default('default');
const members = z.record(z.string(), z.unknown());
const number = z.number().nullish();
const integer = z.int().nullish();
const switched = z.boolean().nullish();

/** Some clients add a cache marker to any part. */
const cached = { cache_control: members.nullish() };

/** A part allows no other members. The content of a part allows any member. */
const part = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text'), text: word, ...cached }).meta({ title: 'TextContent' }),
    z
      .strictObject({
        type: z.literal('image_url'),
        image_url: z.looseObject({ url: z.string().default('http://default.com') }).prefault({}),
        ...cached,
      })
      .meta({ title: 'ImageContent' }),
    z
      .strictObject({
        type: z.literal('input_audio'),
        input_audio: z.looseObject({ data: word, format: word }).prefault({}),
        ...cached,
      })
      .meta({ title: 'AudioContent' }),
    z.strictObject({ type: z.literal('file'), file: members, ...cached }).meta({ title: 'FileContent' }),
    z.strictObject({ type: z.literal('refusal'), refusal: z.string(), ...cached }).meta({ title: 'RefusalContent' }),
  ])
  .meta({ title: 'tagged-union[TextContent,ImageContent,AudioContent]' });

/** Members that NAT's refusals name, and others that OpenAI clients also send. */
const oneOf = <const Named extends readonly string[]>(named: Named, also: readonly string[]) =>
  z.enum([...named, ...also] as [...Named, ...string[]]).meta({ [NAMED]: named });

/** With a name, because an unknown role is refused as an `enum`. */
const role = oneOf(['user', 'assistant', 'system', 'tool'], ['developer', 'function']).meta({
  id: 'UserMessageContentRoleType',
});

const NULL_CONTENT = 'content may be null only for assistant messages with tool_calls or function_call';

const message = z
  .looseObject({
    role,
    content: z.union([z.string(), z.array(part)]).nullable(),
    tool_calls: z.array(members).nullish(),
    tool_call_id: z.string().nullish(),
  })
  .refine((given) => given.content !== null || needsNoContent(given), { error: NULL_CONTENT });

/** What an assistant may send instead of a content, and the result of a function, which may be empty. */
const needsNoContent = ({ role, tool_calls, function_call, refusal, audio }: Record<string, unknown>): boolean =>
  role === 'function' ||
  (role === 'assistant' &&
    ((Array.isArray(tool_calls) && tool_calls.length > 0) || [function_call, refusal, audio].some(Boolean)));

export const chatRequest = z
  .looseObject({
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
    service_tier: oneOf(['auto', 'default'], ['flex', 'priority', 'scale']).nullish(),
    stream: switched,
    stream_options: members.nullish(),
    temperature: number,
    top_p: number,
    tools: z.array(members).nullish(),
    tool_choice: z.union([z.string(), members]).nullish(),
    parallel_tool_calls: switched,
    user: z.string().nullish(),
  })
  .meta({ id: 'ChatRequest' });

export type ChatRequest = z.output<typeof chatRequest>;

const read = createReader(chatRequest);

/** Rejects with a `ValidationFailure` that has an entry for each mistake. */
export const readChat = async (body: unknown): Promise<ChatRequest> => {
  const reading = await read(withContents(body));
  if (reading.issues !== undefined) throw new ValidationFailure(withNullContents(reading.issues, body));
  return reading.value as ChatRequest;
};

/** The rule of a message is checked if its members are valid, independent of other mistakes. */
const withNullContents = (issues: readonly ValidationEntry[], body: unknown): readonly ValidationEntry[] => {
  if (!isRecord(body) || !Array.isArray(body.messages)) return issues;
  const refused = new Set(issues.map(messageOf));
  const own: ValidationEntry[] = [];
  for (const [index, message] of body.messages.entries()) {
    if (!isRecord(message) || message.content !== null || needsNoContent(message) || refused.has(index)) continue;
    const loc = ['body', 'messages', index];
    own.push({ type: 'value_error', loc, msg: `Value error, ${NULL_CONTENT}`, input: message, ctx: { error: {} } });
    if (own.length >= enoughEntries) break;
  }
  return [...issues, ...own].sort((a, b) => messageOf(a) - messageOf(b));
};

/** Index of the message of an entry; entries about no message come last. */
const messageOf = ({ loc }: ValidationEntry): number =>
  loc[1] === 'messages' && loc.length > 2 ? Number(loc[2]) : Number.MAX_SAFE_INTEGER;

/** A message without a required content gets null, so that workflows find the member in every message. */
const withContents = (body: unknown): unknown => {
  if (!isRecord(body) || !Array.isArray(body.messages)) return body;
  const lacks = (message: unknown): message is Record<string, unknown> =>
    isRecord(message) && !Object.hasOwn(message, 'content') && needsNoContent(message);
  if (!body.messages.some(lacks)) return body;
  return {
    ...body,
    messages: body.messages.map((message) => (lacks(message) ? { ...message, content: null } : message)),
  };
};

/** The text of the last message, or the texts of its parts, one per line. */
export const lastText = ({ messages }: ChatRequest): string => {
  const content = messages.at(-1)?.content ?? '';
  if (typeof content === 'string') return content;
  return content.flatMap((given) => (given.type === 'text' ? [given.text] : [])).join('\n');
};
