/**
 * The parts of an event or a context that are shown to every watcher: types of facts, times and states. Only listed
 * names are shown, so members that are added later are hidden.
 */

export const HIDDEN = '(hidden)';

/** Number of shown characters of an execution id: enough to recognize it, and too few to act as its owner. */
const ID_LENGTH = 10;

export const shortId = (id: string): string => id.slice(0, ID_LENGTH);

/** Times, numbers, states, and names that the author of a workflow chose. */
const SHOWN: ReadonlySet<string> = new Set([
  ...['type', 'seq', 'at', 'call', 'workflow', 'owner', 'user', 'by', 'form'],
  ...['startedAt', 'openedAt', 'dueAt', 'parkedAt', 'settledAt', 'idleMs'],
  ...['working', 'steps', 'kind', 'provider', 'code', 'name', 'event', 'traceId', 'builderId'],
]);

/** Objects whose members are filtered by the same names. */
const ENTERED: ReadonlySet<string> = new Set(['pauses', 'prompt', 'error', 'step']);

const IDS: ReadonlySet<string> = new Set(['executionId']);

/** Maximum depth: a thrown value may have a cycle. */
const MAX_DEPTH = 4;

/** A copy as JSON, without hidden members. Null stays, because the absence of a value is not secret. */
export const redacted = (value: unknown, depth = 0): unknown => {
  if (depth > MAX_DEPTH) return HIDDEN;
  if (Array.isArray(value)) return value.map((item) => redacted(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value === null ? null : HIDDEN;
  const parts = Object.entries(plain(value)).map(([name, part]) => [name, redactedPart(name, part, depth)]);
  return Object.fromEntries(parts);
};

const redactedPart = (name: string, part: unknown, depth: number): unknown => {
  if (part === null || part === undefined) return part;
  if (ENTERED.has(name) && typeof part === 'object') return redacted(part, depth + 1);
  if (IDS.has(name)) return shortId(String(part));
  return SHOWN.has(name) && typeof part !== 'object' ? part : HIDDEN;
};

/** Unfiltered, except errors, which JSON would show as empty. For `JSON.stringify`. */
export const readable = (_name: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'object' && value !== null ? plain(value) : value;
};

const plain = (value: object): object =>
  value instanceof Error ? { name: value.name, message: value.message } : value;
