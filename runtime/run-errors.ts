/** What `ctx` throws into a workflow. The names are seen by clients: legacy routes report them as `details`. */

/** A prompt expired and had no default. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** The caller's route cannot ask anybody, or send anybody to a consent. */
export class InteractionUnavailableError extends Error {
  override readonly name = 'NotImplementedError';
}

/** Consent was refused, failed, or took too long. */
export class AuthorizationError extends Error {
  override readonly name = 'AuthorizationError';
}

/** The execution ended before its workflow did; everything that still asks something of it gets this. */
export class EndedError extends Error {
  override readonly name = 'AbortError';
}

/** What the workflow returned is not what it declared. */
export class OutputInvalidError extends Error {
  override readonly name = 'OutputInvalidError';
}

/** Anything can be thrown, and not everything can be read. */
export const wordsOf = (thrown: unknown): { message: string; name: string } => {
  try {
    if (!(thrown instanceof Error)) return { message: String(thrown), name: 'Error' };
    const { message, name } = thrown;
    return { message: String(message), name: typeof name === 'string' ? name : 'Error' };
  } catch {
    return { message: 'something that is no error', name: 'Error' };
  }
};
