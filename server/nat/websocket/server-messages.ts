/** The messages of the server on a socket. */
import type { ShownStep } from '../steps.ts';

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
