/** The messages of a socket: parsers for those of clients, and builders for those of the server. */
import { z } from 'zod';
import { boundsFault } from '../../../runtime/index.ts';
import type { ShownStep } from '../steps.ts';

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

type ErrorCode =
  | 'workflow_error'
  | 'invalid_message'
  | 'invalid_user_message_content'
  | 'invalid_data_content'
  | 'user_auth_error'
  | 'unknown_error';

export type ErrorContent = { readonly code: ErrorCode; readonly message: string; readonly details: string };

/** The user message that a message answers, and its conversation. */
export type Refers = { readonly parentId: string; readonly conversationId: string | null };

/** A form that Python and every browser can parse. NAT sends a space instead of the `T`, and always the same time. */
const stamp = (at: number): string => new Date(at).toISOString().replace('Z', '+00:00');

const envelope = (type: string, id: string, { parentId, conversationId }: Refers, more: object) => ({
  type,
  id,
  thread_id: 'default',
  parent_id: parentId,
  ...more,
  conversation_id: conversationId,
});

/** For a prompt that can no longer be answered. */
export const UNAVAILABLE = 'This prompt is no longer available.';

/** Messages of the server. `at` is in epoch milliseconds; ids distinguish messages. */
export const say = {
  response: (refers: Refers, id: string, text: string | null, at: number, status = 'in_progress'): object => ({
    ...envelope('system_response_message', id, refers, {}),
    content: { text },
    status,
    timestamp: stamp(at),
  }),

  /** A consent: where to send the browser. `useRedirect`: in the page itself. It is not answered on the socket. */
  consent: (refers: Refers, id: string, url: string, useRedirect: boolean, at: number): object => {
    const content = { input_type: 'oauth_consent', text: url, timeout: null, error: UNAVAILABLE };
    return say.interaction(refers, id, useRedirect ? { ...content, use_redirect: true } : content, at);
  },

  /** NAT's form, without an envelope. */
  preflightFailed: (provider: string): object => ({
    code: 'user_auth_error',
    message: `Preflight authentication failed for provider '${provider}'`,
    details: 'default',
  }),

  complete: (refers: Refers, id: string, at: number): object => say.response(refers, id, null, at, 'complete'),

  error: (refers: Refers, id: string, content: ErrorContent, at: number): object => ({
    ...envelope('error_message', id, refers, {}),
    content,
    status: 'in_progress',
    timestamp: stamp(at),
  }),

  step: ({ conversationId }: Refers, { id, parent_id: parentId, name, payload }: ShownStep, at: number): object => ({
    ...envelope(
      'system_intermediate_message',
      id,
      { parentId, conversationId },
      { intermediate_parent_id: 'default', update_message_id: 'default' },
    ),
    content: { name, payload },
    status: 'in_progress',
    timestamp: stamp(at),
  }),

  interaction: (refers: Refers, id: string, prompt: object, at: number): object => ({
    ...envelope('system_interaction_message', id, refers, {}),
    content: prompt,
    status: 'in_progress',
    timestamp: stamp(at),
  }),

  trace: ({ parentId, conversationId }: Refers, id: string, traceId: string, at: number): object => ({
    type: 'observability_trace_message',
    id,
    parent_id: parentId,
    conversation_id: conversationId,
    content: { observability_trace_id: traceId },
    timestamp: stamp(at),
  }),

  authenticated: (userId: string, at: number): object => ({
    type: 'auth_response_message',
    status: 'success',
    user_id: userId,
    payload: null,
    timestamp: stamp(at),
  }),

  notAuthenticated: (details: string, at: number): object => ({
    type: 'auth_response_message',
    status: 'error',
    user_id: null,
    payload: { code: 'user_auth_error', message: 'Authentication failed', details },
    timestamp: stamp(at),
  }),
};
