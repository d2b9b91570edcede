/**
 * The server refused a request. `message` is its explanation. `code` is one of the codes in `docs/errors.md`, if the
 * reply has one.
 */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly code: string | undefined;
  readonly body: unknown;
  /** Milliseconds to wait before a retry, as the server asks; 0 if it does not. */
  readonly retryAfterMs: number;

  constructor(status: number, body: unknown, retryAfterMs = 0) {
    super(explained(status, body));
    this.status = status;
    this.body = body;
    this.retryAfterMs = retryAfterMs;
    this.code = isObject(body) && typeof body.code === 'string' ? body.code : undefined;
  }
}

/** The execution failed or was cancelled. */
export class ExecutionFailedError extends Error {
  override readonly name = 'ExecutionFailedError';
  /** Undefined if the reply does not contain it. */
  readonly executionId: string | undefined;

  constructor(message: string, executionId: string | undefined) {
    super(message);
    this.executionId = executionId;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const explained = (status: number, body: unknown): string => {
  if (isObject(body)) {
    const { detail, message } = body;
    if (typeof detail === 'string') return detail;
    if (typeof message === 'string') return message;
    if (Array.isArray(detail)) return detail.map(mistake).join('; ');
  }
  return `The server answered ${status}.`;
};

const mistake = (entry: unknown): string => {
  if (!isObject(entry)) return String(entry);
  return `${Array.isArray(entry.loc) ? entry.loc.join('.') : 'body'}: ${entry.msg}`;
};
