/** Errors that `ctx` throws in a workflow. Clients see their names: legacy routes report them as `details`. */
import { toJsonOrNull } from '../json.ts';

/** A prompt expired and had no default. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

/** The caller's route cannot show prompts or consents. */
export class InteractionUnavailableError extends Error {
  override readonly name = 'NotImplementedError';
}

/** The consent was refused, failed, or expired. */
export class AuthorizationError extends Error {
  override readonly name = 'AuthorizationError';
}

/** The execution ended before its workflow. All open calls reject with this error. */
export class EndedError extends Error {
  override readonly name = 'AbortError';
}

/** The workflow no longer needs the call: its signal was aborted, or its branch lost a race. */
export class WithdrawnError extends Error {
  override readonly name = 'WithdrawnError';
}

/** A call that waits was made inside a step, where a replay could not find it. */
export class StepContextError extends Error {
  override readonly name = 'StepContextError';
}

/** The result does not fit the output schema. */
export class OutputInvalidError extends Error {
  override readonly name = 'OutputInvalidError';
}

/** JavaScript can throw any value, and some values cannot be read. */
export const wordsOf = (thrown: unknown): { message: string; name: string } => {
  try {
    if (!(thrown instanceof Error)) return { message: textOf(thrown), name: 'Error' };
    const { message, name } = thrown;
    return { message: String(message), name: typeof name === 'string' ? name : 'Error' };
  } catch {
    return { message: 'something that is no error', name: 'Error' };
  }
};

/** A description of any thrown value. A Proxy may throw even when it is inspected. */
export const legible = (thrown: unknown): unknown => {
  try {
    void (thrown instanceof Error);
    return thrown;
  } catch {
    return new Error(wordsOf(thrown).message);
  }
};

/** A list turns all its items into text, so short lists are written as JSON. */
const textOf = (thrown: unknown): string => {
  const isList = Array.isArray(thrown) || ArrayBuffer.isView(thrown);
  return isList ? (JSON.stringify(toJsonOrNull(thrown, MAX_ITEMS)) ?? 'a list') : String(thrown);
};
const MAX_ITEMS = 100;

/** Maximum number of stored characters of a stack. */
const MAX_STACK = 8_192;

/** The stack; undefined for values that are not errors. */
export const stackOf = (thrown: unknown): string | undefined => {
  try {
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    return typeof stack === 'string' ? stack.slice(0, MAX_STACK) : undefined;
  } catch {
    return undefined;
  }
};

/** Built-in errors keep their class. */
const CLASSES: Readonly<Record<string, new (message: string) => Error>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** The limits for the stored members of an error: length of the JSON, and number of values that are inspected. */
const MAX_DATA = 8_192;

/** The members of an error that are JSON, such as a `code` or a `status`. They are stored besides the message. */
export const dataOf = (thrown: unknown): Readonly<Record<string, unknown>> | undefined => {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  try {
    const { name: _, message: __, stack: ___, cause: ____, ...members } = thrown as Record<string, unknown>;
    const data = toJsonOrNull(members, MAX_DATA) as Record<string, unknown> | null;
    const { length } = JSON.stringify(data ?? {});
    return data === null || length === 2 || length > MAX_DATA ? undefined : data;
  } catch {
    return undefined;
  }
};

/** An error from the journal, as a workflow gets it: the same in every replay. */
export const rebuilt = (name: string, message: string, data: Readonly<Record<string, unknown>> = {}): Error => {
  const error = new (CLASSES[name] ?? Error)(message);
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  return Object.assign(error, data);
};
