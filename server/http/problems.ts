/** Converts failures of the runtime to a status and a body (RFC 9457). */
import { Failure, type FailureCode, failures, type Log } from '../../runtime/index.ts';
import { ValidationFailure, validationReply } from './mistakes.ts';
import { problem } from './problem.ts';
import type { Reply } from './route.ts';

const statuses = {
  answer_invalid: 422,
  build_failed: 503,
  credential_invalid: 401,
  defect: 500,
  draining: 503,
  execution_damaged: 500,
  execution_not_blocked: 409,
  execution_not_found: 404,
  execution_settled: 409,
  fact_refused: 409,
  host_unknown: 421,
  idempotency_key_reused: 422,
  identity_required: 401,
  identity_unavailable: 503,
  input_invalid: 422,
  interaction_not_found: 404,
  oauth_failed: 502,
  operator_required: 403,
  options_invalid: 500,
  output_restarted: 409,
  output_truncated: 410,
  prompt_invalid: 500,
  queue_full: 429,
  request_invalid: 422,
  session_closed: 409,
  store_unavailable: 503,
  too_many_attempts: 429,
  workflow_not_found: 404,
} as const satisfies Record<FailureCode, number>;

/**
 * The reply to an error of a route. An error that is not a Failure is a defect: it goes to the log, and not to the
 * client.
 */
export const problemOf =
  (log: Log) =>
  (thrown: unknown): Reply => {
    if (thrown instanceof ValidationFailure) return json(422, validationReply(thrown.entries));
    const failure = Failure.from(thrown);
    if (failure.code === 'defect') log.error({ err: failure.cause ?? thrown }, 'a request failed');
    return failureReply(failure);
  };

export const failureReply = ({ code, message, retryAfterMs }: Failure): Reply => {
  const status = statuses[code];
  const reply = problem(status, failures[code].message, message, { type: `urn:fermata:problem:${code}`, code });
  const headers: Record<string, string> = { ...reply.headers };
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  return { ...reply, headers };
};

/** `headers` belong to the reply: the content type is added to them. */
export const json = <const Body>(status: number, body: Body, headers: Record<string, string> = {}): Reply<Body> => {
  headers['content-type'] = 'application/json';
  return { status, headers, body: JSON.stringify(body) };
};
