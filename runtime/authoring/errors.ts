/** What `ctx` throws into a workflow. The names are seen by clients: legacy routes report them as `details`. */
import { toJsonOrNull } from '../json.ts';

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

/** The workflow does not need the call any more: its signal was aborted, or its branch has lost a race. */
export class WithdrawnError extends Error {
  override readonly name = 'WithdrawnError';
}

/** A call that waits was made inside of a step, where it could not be found again. */
export class StepContextError extends Error {
  override readonly name = 'StepContextError';
}

/** What the workflow returned is not what it declared. */
export class OutputInvalidError extends Error {
  override readonly name = 'OutputInvalidError';
}

/** Anything can be thrown, and not everything can be read. */
export const wordsOf = (thrown: unknown): { message: string; name: string } => {
  try {
    if (!(thrown instanceof Error)) return { message: textOf(thrown), name: 'Error' };
    const { message, name } = thrown;
    return { message: String(message), name: typeof name === 'string' ? name : 'Error' };
  } catch {
    return { message: 'something that is no error', name: 'Error' };
  }
};

/** What was thrown, as far as it can be asked what it is: a Proxy may throw even then. */
export const legible = (thrown: unknown): unknown => {
  try {
    void (thrown instanceof Error);
    return thrown;
  } catch {
    return new Error(wordsOf(thrown).message);
  }
};

/** Lists of any length make a text of all their items, so that these are written as JSON if there are few. */
const textOf = (thrown: unknown): string => {
  const isList = Array.isArray(thrown) || ArrayBuffer.isView(thrown);
  return isList ? (JSON.stringify(toJsonOrNull(thrown, MAX_ITEMS)) ?? 'a list') : String(thrown);
};
const MAX_ITEMS = 100;

/** Characters of a stack that are kept. */
const MAX_STACK = 8_192;

/** Where it was thrown; undefined for what is no error. */
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

/** The longest JSON that is kept of the members of an error, and the most values that are looked at for it. */
const MAX_DATA = 8_192;

/** Those members of an error that are JSON, such as a `code` or a `status`: what is kept of it beside its words. */
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

/** An error as it is given to a workflow from its journal: the same in every life of the execution. */
export const rebuilt = (name: string, message: string, data: Readonly<Record<string, unknown>> = {}): Error => {
  const error = new (CLASSES[name] ?? Error)(message);
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  return Object.assign(error, data);
};
