/**
 * What of an event or a context may be shown to everybody who may look: which facts there were, when, and how things
 * stand. Names that are listed here are shown, all others are hidden, so that what is added later is hidden too.
 */

export const HIDDEN = '(hidden)';

/** Characters of an execution's id that are shown: enough to tell it by, and too few to answer in its owner's place. */
const ID_LENGTH = 10;

export const shortId = (id: string): string => id.slice(0, ID_LENGTH);

/** Times, numbers, states, and names that the author of a workflow has given. */
const SHOWN: ReadonlySet<string> = new Set([
  ...['type', 'seq', 'at', 'call', 'workflow', 'owner', 'user', 'by', 'form'],
  ...['startedAt', 'openedAt', 'dueAt', 'parkedAt', 'settledAt', 'idleMs'],
  ...['working', 'steps', 'kind', 'provider', 'code', 'name', 'event', 'traceId', 'builderId'],
]);

/** What is looked into: the same names count below. */
const ENTERED: ReadonlySet<string> = new Set(['pauses', 'prompt', 'error', 'step']);

const IDS: ReadonlySet<string> = new Set(['executionId']);

/** How far it is looked: what a workflow has thrown may hold itself. */
const MAX_DEPTH = 4;

/** A copy as JSON, without what is not to be shown. Null stays: that there is nothing is no secret. */
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

/** As it is, but for errors: of those JSON shows nothing. For `JSON.stringify`. */
export const readable = (_name: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'object' && value !== null ? plain(value) : value;
};

const plain = (value: object): object =>
  value instanceof Error ? { name: value.name, message: value.message } : value;
