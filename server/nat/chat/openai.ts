/**
 * OpenAI's clients: how they are recognised, and errors as they read them. NAT's clients are served at the same path, and
 * get NAT's bodies unchanged; OpenAI's get a member `error` beside these.
 */
import type { Call, Reply } from '../../http/route.ts';

export interface OpenAiError {
  readonly message: string;
  readonly type: string;
  /** The member of the request that is at fault; null for none. */
  readonly param: string | null;
  readonly code: string | null;
}

/** By a bearer key, which all of them send where they have one, or by how they present themselves. */
export const isOpenAiClient = (call: Pick<Call, 'headers'>): boolean =>
  presentsAsOpenAi(call) || /^bearer\s/i.test(call.headers.authorization ?? '');

/** OpenAI's own clients and the AI SDK. A client of NAT may have a bearer key, too. */
export const presentsAsOpenAi = ({ headers }: Pick<Call, 'headers'>): boolean =>
  headers['x-stainless-lang'] !== undefined || /^(?:async)?openai\b|\bai-sdk\b/i.test(headers['user-agent'] ?? '');

/** The reply with the member `error`, if it refuses something. */
export const withOpenAiError = (reply: Reply): Reply => {
  const { status, body } = reply;
  if (status < 400 || typeof body !== 'string') return reply;
  const given = JSON.parse(body) as Refusal;
  return { ...reply, body: JSON.stringify({ ...given, error: errorOf(status, given) }) };
};

/** Of a run that has failed. `name` is the class of its error. */
export const runError = ({ message, name }: { readonly message: string; readonly name: string }): OpenAiError => ({
  message: message || name,
  type: 'workflow_error',
  param: null,
  code: name,
});

/** Of a run that waits for a person: it cannot be answered here, and goes on once it has been. */
export const pauseError = (code: 'interaction_required' | 'oauth_required'): OpenAiError => ({
  message: 'The run waits for a person. The other members of this event say what it asks and where the answer goes.',
  type: code,
  param: null,
  code,
});

/** The shapes of a refusal: a validation's, a failed run's, RFC 9457's, and a bare detail. */
type Refusal = {
  readonly detail?:
    | string
    | readonly { readonly type: string; readonly loc: readonly unknown[]; readonly msg: string }[];
  readonly code?: string;
  readonly message?: string;
  readonly details?: string;
};

const errorOf = (status: number, { detail, code, message, details }: Refusal): OpenAiError => {
  if (message !== undefined) return runError({ message, name: details ?? 'Error' });
  const type = types[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
  if (!Array.isArray(detail)) return { message: String(detail), type, param: null, code: code ?? null };
  const [first] = detail;
  const told = detail.map(({ loc, msg }) => `${memberAt(loc) ?? 'body'}: ${msg}`);
  return { message: told.join('; '), type, param: memberAt(first?.loc ?? []), code: first?.type ?? null };
};

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

/** Without the `body` that every location begins with. */
const memberAt = (loc: readonly unknown[]): string | null => (loc.length > 1 ? loc.slice(1).join('.') : null);
