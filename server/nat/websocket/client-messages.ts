/** The messages of clients on a socket: their schemas, and how they are read. */
import { z } from 'zod';
import { boundsFault } from '../../../runtime/index.ts';

const word = z.string().default('default');

/** Only the first mistake in a list is reported: each costs a kilobyte, and a message may have many. */
const listOf = <Item extends z.ZodType>(item: Item) =>
  z.array(z.unknown()).transform((given, context): z.output<Item>[] => {
    const read: z.output<Item>[] = [];
    for (const [index, value] of given.entries()) {
      const { success, data, error } = item.safeParse(value);
      if (!success) {
        const { message, path } = error.issues[0]!;
        context.addIssue({ code: 'custom', message, path: [index, ...path] });
        return z.NEVER;
      }
      read.push(data);
    }
    return read;
  });

const part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: word }),
  z.strictObject({
    type: z.literal('image_url'),
    image_url: z.object({ url: z.string().default('http://default.com') }).prefault({}),
  }),
  z.strictObject({
    type: z.literal('input_audio'),
    input_audio: z.object({ data: word, format: word }).prefault({}),
  }),
]);

const content = z.strictObject({
  messages: listOf(z.strictObject({ role: z.enum(['user', 'assistant', 'system', 'tool']), content: listOf(part) })),
});

/** Checked as on NAT, and not used. */
const unused = {
  user: z.strictObject({ name: word, email: word }).optional(),
  error: z
    .strictObject({
      code: z
        .enum([
          'unknown_error',
          'workflow_error',
          'invalid_message',
          'invalid_message_type',
          'invalid_user_message_content',
          'invalid_data_content',
          'user_auth_error',
        ])
        .optional(),
      message: word,
      details: word,
    })
    .optional(),
  schema_version: z.string().optional(),
  timestamp: z.string().optional(),
};

/** Characters of an id: the server remembers conversations and runs by it. */
const MAX_NAME = 1_000;
const name = z.string().max(MAX_NAME).default('default');

const userMessage = z.looseObject({
  type: z.literal('user_message'),
  schema_type: z.enum(['generate', 'generate_stream', 'chat', 'chat_stream']),
  id: name,
  conversation_id: z.string().max(MAX_NAME).nullable().default(null),
  content,
  ...unused,
});

const interactionMessage = z.object({
  type: z.literal('user_interaction_message'),
  id: name,
  thread_id: name,
  parent_id: name,
  conversation_id: z.string().max(MAX_NAME).nullable().default(null),
  content,
  ...unused,
});

const secret = z.string().min(1);

const authMessage = z.strictObject({
  type: z.literal('auth_message'),
  timestamp: z.string().optional(),
  payload: z.discriminatedUnion('method', [
    z.strictObject({ method: z.enum(['jwt', 'api_key']), token: secret }),
    z.strictObject({ method: z.literal('basic'), username: secret, password: secret }),
    // A page announces how it opens consents, and expects no reply.
    z.strictObject({
      method: z.literal('oauth_mode_preference'),
      mode: z.enum(['redirect', 'popup']).default('redirect'),
    }),
  ]),
});

export type Content = z.output<typeof content>;
export type UserMessage = z.output<typeof userMessage>;
export type InteractionMessage = z.output<typeof interactionMessage>;
export type AuthMessage = z.output<typeof authMessage>;

/** `ignored`: only servers send messages of that type. `why` names the first mistakes, and no value. */
export type Heard = UserMessage | InteractionMessage | AuthMessage | { type: 'ignored' } | { type: 'bad'; why: string };

const readers = {
  user_message: userMessage,
  user_interaction_message: interactionMessage,
  auth_message: authMessage,
} as const;

/** Types of client messages. */
export const clientTypes: readonly string[] = Object.keys(readers);

const serverTypes: ReadonlySet<unknown> = new Set([
  'system_response_message',
  'system_intermediate_message',
  'system_interaction_message',
  'observability_trace_message',
  'auth_response_message',
  'error_message',
]);

export const readMessage = (text: string): Heard => {
  const fault = boundsFault(text);
  if (fault !== undefined) return { type: 'bad', why: `The message has more than ${fault.most}.` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { type: 'bad', why: 'The message is not JSON.' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { type: 'bad', why: 'The message is not an object.' };
  }
  const { type } = value as { type?: unknown };
  if (serverTypes.has(type)) return { type: 'ignored' };
  if (typeof type !== 'string' || !Object.hasOwn(readers, type)) {
    return { type: 'bad', why: `type: expected one of ${clientTypes.join(', ')}.` };
  }
  const read = readers[type as keyof typeof readers].safeParse(value);
  if (read.success) return read.data;
  const issues = read.error.issues.slice(0, 5);
  const why = issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  return { type: 'bad', why: why.length <= MAX_WHY ? why : `${why.slice(0, MAX_WHY)}...` };
};

/** Maximum characters: it contains names that a client chose. */
const MAX_WHY = 1_000;

/** The texts of the user's last message with text, as NAT looks for them. */
export const lastUserTexts = ({ messages }: Content): string[] => {
  for (const { role, content: parts } of messages.toReversed()) {
    const texts = parts.flatMap((given) => (given.type === 'text' ? [given.text] : []));
    if (role === 'user' && texts.length > 0) return texts;
  }
  return [];
};
