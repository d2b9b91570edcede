/** What a step may say about what it saw. Only what it mentions is compared. */
import { inTurn, isRecord, match, matchList, type Names, type Outcome, verdict } from './matchers.ts';

/** All that a step can see; each action fills in its part. */
export type Seen = {
  status?: number | undefined;
  /** Lines by lower-case name. */
  headers?: Readonly<Record<string, readonly string[]>>;
  json?: unknown;
  text?: string;
  empty?: boolean;
  frame?: unknown;
  frames?: readonly unknown[];
  message?: unknown;
  messages?: readonly unknown[];
  code?: number;
  requests?: readonly unknown[];
};

export type Expectation = { [Member in keyof Seen]?: unknown } & {
  /** `by-kind`: only frames or messages of one kind have an order among themselves. */
  order?: 'by-kind';
  /** Kinds that may come or not. */
  ignore?: readonly string[];
};

export const matchExpectation = (expected: Expectation, seen: Seen, names: Names): Outcome => {
  const { order, ignore = [], headers, frames, messages, ...plain } = expected;
  const sequence = (wanted: unknown, all: readonly unknown[] = [], kindOf: (item: unknown) => string, at: string) => {
    const heard = all.filter((item) => !ignore.includes(kindOf(item)));
    return (known: Names) =>
      order === 'by-kind'
        ? matchByKind(listOf(wanted), heard, kindOf, known, at)
        : matchList(listOf(wanted), heard, known, at);
  };
  return inTurn(names, [
    ...Object.entries(plain).map(([key, wanted]) => (known: Names) => {
      const actual = seen[key as keyof typeof plain];
      return match(wanted, key === 'json' && actual === undefined ? seen.text : actual, known, key);
    }),
    ...Object.entries(headers ?? {}).map(
      ([name, wanted]) =>
        (known: Names) =>
          matchHeader(wanted, seen.headers?.[name], known, `headers.${name}`),
    ),
    ...(frames === undefined ? [] : [sequence(frames, seen.frames, kindOfFrame, 'frames')]),
    ...(messages === undefined ? [] : [sequence(messages, seen.messages, kindOfMessage, 'messages')]),
  ]);
};

/** A frame's first field name, or `event: <name>`. */
const kindOfFrame = (frame: unknown): string => {
  if (!isRecord(frame)) return 'text';
  return frame.event === undefined ? String(Object.keys(frame)[0]) : `event: ${String(frame.event)}`;
};

export const kindOfMessage = (message: unknown): string =>
  isRecord(message) ? String(message.type ?? 'untyped') : 'text';

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Equal lines count once, since NAT sends some twice; null means that there must be none. */
const matchHeader = (wanted: unknown, lines: readonly string[] | undefined, names: Names, at: string): Outcome => {
  const value = lines && [...new Set(lines)].join(', ');
  return wanted === null ? verdict(value === undefined, undefined, value, names, at) : match(wanted, value, names, at);
};

const matchByKind = (
  expected: readonly unknown[],
  actual: readonly unknown[],
  kindOf: (item: unknown) => string,
  names: Names,
  at: string,
): Outcome => {
  const kinds = new Set([...expected, ...actual].map(kindOf));
  const only = (items: readonly unknown[], kind: string) => items.filter((item) => kindOf(item) === kind);
  return inTurn(
    names,
    [...kinds].map((kind) => (known) => matchList(only(expected, kind), only(actual, kind), known, `${at}<${kind}>`)),
  );
};
