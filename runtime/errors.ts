/**
 * The error codes of the runtime. Codes are public: they are added, never renamed and never reused. `docs/errors.md` lists
 * them, and a test compares both. A workflow that fails is not in this table: that is an outcome, not a failure.
 */
export const failures = {
  answer_invalid: { retryable: false, message: 'The answer does not fit the prompt.' },
  build_failed: { retryable: true, message: 'The resources of the workflow could not be opened.' },
  credential_invalid: { retryable: false, message: 'The credential could not be accepted.' },
  defect: { retryable: false, message: 'A bug in this server; the log has the cause.' },
  draining: { retryable: true, message: 'The server is shutting down and takes no new work.' },
  execution_damaged: {
    retryable: false,
    message: 'The stored data of the execution cannot be read or written.',
  },
  execution_not_blocked: { retryable: false, message: 'The execution is not blocked.' },
  execution_not_found: { retryable: false, message: 'No execution has this id.' },
  execution_settled: { retryable: false, message: 'The execution has ended.' },
  fact_refused: { retryable: false, message: 'The present state of the execution does not allow this.' },
  host_unknown: { retryable: false, message: 'The request is for a host name that this server does not have.' },
  idempotency_key_reused: { retryable: false, message: 'The idempotency key was used for another request.' },
  identity_required: {
    retryable: false,
    message: 'The workflow has resources per user, and the request identifies no user.',
  },
  identity_unavailable: { retryable: true, message: 'Credentials cannot be checked at the moment.' },
  input_invalid: { retryable: false, message: 'The input does not fit the schema of the workflow.' },
  interaction_not_found: { retryable: false, message: 'The execution has no interaction with this id.' },
  oauth_failed: { retryable: false, message: 'The authorization did not succeed.' },
  operator_required: { retryable: false, message: 'This request needs the operator key.' },
  options_invalid: { retryable: false, message: 'An option has an invalid value.' },
  output_restarted: {
    retryable: true,
    message: 'Earlier output is void: its step ran again with other output.',
  },
  output_truncated: { retryable: false, message: 'The requested output is no longer in the journal.' },
  prompt_invalid: { retryable: false, message: 'The workflow made a prompt that cannot be answered.' },
  queue_full: { retryable: true, message: 'Too many executions wait for a run slot.' },
  request_invalid: {
    retryable: false,
    message: 'A header or parameter of the request has an invalid value.',
  },
  session_closed: { retryable: false, message: 'The session is closed; open another one.' },
  store_unavailable: { retryable: true, message: 'The journal cannot be written at the moment.' },
  too_many_attempts: { retryable: true, message: 'Too many wrong keys were tried.' },
  workflow_not_found: { retryable: false, message: 'No workflow has this name.' },
} as const satisfies Record<string, { retryable: boolean; message: string }>;

export type FailureCode = keyof typeof failures;

/** `new Failure(code, { detail })`: `detail` says what was expected and what came. The caller sees it. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  /** Milliseconds after which a retry may succeed; undefined if unknown. */
  readonly retryAfterMs: number | undefined;

  constructor(code: FailureCode, options: { detail?: string; cause?: unknown; retryAfterMs?: number } = {}) {
    super(options.detail ?? failures[code].message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  get retryable(): boolean {
    return failures[this.code].retryable;
  }

  /** Turns any thrown value into a Failure. Values that are not one become a `defect`, with the cause for the log. */
  static from(thrown: unknown): Failure {
    try {
      if (thrown instanceof Failure) return thrown;
    } catch {} // a Proxy of an author
    return new Failure('defect', { cause: thrown });
  }

  /** All that leaves the process: never the cause, never the stack. */
  toJSON(): { code: FailureCode; message: string } {
    return { code: this.code, message: this.message };
  }
}
