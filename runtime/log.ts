import type { Log } from './authoring/context.ts';
import { dataOf, stackOf, wordsOf } from './authoring/errors.ts';
import { toJsonOrNull } from './json.ts';

const silent = (): void => {};

/** For programs that embed the runtime and want no log. */
export const silentLog: Log = { debug: silent, info: silent, warn: silent, error: silent };

/**
 * A log that never throws. Authors throw values that a log cannot read, such as frozen errors, or errors whose stack is
 * a getter that throws. An error in the log would end the process, or leave the execution without an end.
 */
export const guardedLog = (log: Log): Log => ({
  debug: (fields, message) => guarded(log, 'debug', fields, message),
  info: (fields, message) => guarded(log, 'info', fields, message),
  warn: (fields, message) => guarded(log, 'warn', fields, message),
  error: (fields, message) => guarded(log, 'error', fields, message),
});

const guarded = (log: Log, level: keyof Log, fields: object, message: string): void => {
  try {
    log[level](fields, message);
  } catch {
    try {
      log[level](readable(fields), message);
    } catch {}
  }
};

/** The fields that are texts or numbers, and the text of the error. */
const readable = (fields: object): object =>
  Object.fromEntries<unknown>(
    Object.keys(fields).flatMap((key): [string, unknown][] => {
      const value = (fields as Record<string, unknown>)[key];
      if (key === 'err') return [[key, readableError(value)]];
      return typeof value === 'string' || typeof value === 'number' ? [[key, value]] : [];
    }),
  );

/** Maximum number of logged characters of a message. */
const MAX_MESSAGE = 8_192;
/** Maximum number of logged causes of an error. */
const MAX_CAUSES = 5;

/** Limits for the members and items of a field, and for the number of fields. */
const MAX_LOGGED = 10_000;
const MAX_FIELDS = 100;
const UNREADABLE = '(this value cannot be logged: it is too large, or cannot be read)';

/** The log of an author. Fields are copied as JSON, within limits, so that writing a line cannot block the process. */
export const authorsLog = (log: Log, executionId: string): Log => ({
  debug: (fields, message) => log.debug({ executionId, ...loggable(fields) }, text(message)),
  info: (fields, message) => log.info({ executionId, ...loggable(fields) }, text(message)),
  warn: (fields, message) => log.warn({ executionId, ...loggable(fields) }, text(message)),
  error: (fields, message) => log.error({ executionId, ...loggable(fields) }, text(message)),
});

const loggable = (fields: object): object => {
  try {
    const isPlain = typeof fields === 'object' && !Array.isArray(fields) && !ArrayBuffer.isView(fields);
    if (!isPlain) return fields === undefined ? {} : { fields: field(fields) };
    const keys = Object.keys(fields).slice(0, MAX_FIELDS);
    return Object.fromEntries(keys.map((key) => [key, field((fields as Record<string, unknown>)[key])]));
  } catch {
    return { fields: UNREADABLE };
  }
};

const field = (value: unknown): unknown => {
  if (value instanceof Error) return value;
  if (typeof value === 'string') return value.slice(0, MAX_MESSAGE);
  const copy = toJsonOrNull(value, MAX_LOGGED);
  return copy === null && value !== null && value !== undefined ? UNREADABLE : copy;
};

const text = (message: unknown): string =>
  message === undefined ? '' : wordsOf(message).message.slice(0, MAX_MESSAGE);

/** The loggable parts of any thrown value. Never throws, and returns no more than a log can take. */
export const readableError = (thrown: unknown): Readonly<Record<string, unknown>> => {
  const { message, name } = wordsOf(thrown);
  const stack = [thrown, ...causesOf(thrown)].map(stackOf).filter(Boolean).join('\ncaused by: ');
  return {
    ...dataOf(thrown),
    type: classOf(thrown) ?? name,
    message: message.slice(0, MAX_MESSAGE),
    stack: stack === '' ? undefined : stack,
  };
};

const classOf = (thrown: unknown): string | undefined => {
  try {
    const { name } = (thrown as object).constructor;
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
};

const causesOf = (thrown: unknown): readonly unknown[] => {
  const causes = new Set<unknown>();
  try {
    for (let cause = causeOf(thrown); cause !== undefined && causes.size < MAX_CAUSES; cause = causeOf(cause)) {
      if (cause === thrown || causes.has(cause)) break;
      causes.add(cause);
    }
  } catch {} // the readable parts are enough
  return [...causes];
};

const causeOf = (thrown: unknown): unknown => (thrown instanceof Error ? thrown.cause : undefined);
