/**
 * OpenAI clients: their detection, and errors in their form. NAT's clients use the same path and get NAT's bodies
 * unchanged. OpenAI clients get an additional member `error`.
 */
import type { Call, Reply } from '../../http/route.ts';

export interface OpenAiError {
  readonly message: string;
  readonly type: string;
  /** The member of the request with the error; null for none. */
  readonly param: string | null;
  readonly code: string | null;
}

/** By a bearer key, which they send if they have one, or by their headers. */
export const isOpenAiClient = (call: Pick<Call, 'headers'>): boolean =>
  presentsAsOpenAi(call) || /^bearer\s/i.test(call.headers.authorization ?? '');

/** OpenAI's own clients and the AI SDK. A client of NAT may have a bearer key, too. */
export const presentsAsOpenAi = ({ headers }: Pick<Call, 'headers'>): boolean =>
  headers['x-stainless-lang'] !== undefined || /^(?:async)?openai\b|\bai-sdk\b/i.test(headers['user-agent'] ?? '');

/** The reply, with the member `error` if it is a refusal. */
export const withOpenAiError = <Body>(reply: Reply<Body>): Reply<Body> => {
  const { status, body } = reply;
  if (status < 400 || typeof body !== 'string') return reply;
  const given = JSON.parse(body) as Refusal;
  return { ...reply, body: JSON.stringify({ ...given, error: errorOf(status, given) }) };
};

/** The error of a failed run. `name` is the class of its error. */
export const runError = ({ message, name }: { readonly message: string; readonly name: string }): OpenAiError => ({
  message: message || name,
  type: 'workflow_error',
  param: null,
  code: name,
});

/** The error of a run that waits for a person: it cannot be answered here, and continues after the answer. */
export const pauseError = (code: 'interaction_required' | 'oauth_required'): OpenAiError => ({
  message: 'The run waits for a person. The other members of this event say what it asks and where the answer goes.',
  type: code,
  param: null,
  code,
});

/** The forms of a refusal: a validation error, a failed run, RFC 9457, and a bare detail. */
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

/** Without the `body` at the beginning of every location. */
const memberAt = (loc: readonly unknown[]): string | null => (loc.length > 1 ? loc.slice(1).join('.') : null);
