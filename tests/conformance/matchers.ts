/**
 * Compares what came with what was recorded. A recorded value is JSON in which an object with a `$` member is a matcher and
 * `{{E}}` in a text stands for the value named E. Names are bound on the way, so a comparison gives back what it learned.
 */
export type Names = Readonly<Record<string, unknown>>;

export type Difference = { at: string; expected: unknown; actual: unknown };

/** `names` are those known afterwards; they mean nothing where there are differences. */
export type Outcome = { differences: readonly Difference[]; names: Names };

type Matcher = (argument: unknown, actual: unknown, names: Names, at: string) => Outcome;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Exactly what was expected: nothing more, nothing less. */
export const match = (expected: unknown, actual: unknown, names: Names, at = ''): Outcome => {
  if (typeof expected === 'string') return matchText(expected, actual, names, at);
  if (Array.isArray(expected)) return matchList(expected, actual, names, at);
  if (!isRecord(expected)) return verdict(expected === actual, expected, actual, names, at);
  const special = Object.keys(expected).filter((key) => key.startsWith('$'));
  if (special.length === 0) return matchMembers(expected, actual, names, at);
  if (actual === undefined) return verdict(false, expected, actual, names, at);
  return inTurn(
    names,
    special.map((key) => (known) => matcherOf(key)(expected[key], actual, known, at)),
  );
};

export const matches = (expected: unknown, actual: unknown, names: Names): boolean =>
  match(expected, actual, names).differences.length === 0;

/** One comparison after the other, each knowing the names that those before it bound. */
export const inTurn = (names: Names, comparisons: readonly ((known: Names) => Outcome)[]): Outcome => {
  const differences: Difference[] = [];
  let known = names;
  for (const compare of comparisons) {
    const outcome = compare(known);
    differences.push(...outcome.differences);
    known = outcome.names;
  }
  return { differences, names: known };
};

export const verdict = (good: boolean, expected: unknown, actual: unknown, names: Names, at: string): Outcome => ({
  differences: good ? [] : [{ at, expected, actual }],
  names,
});

/** Every `{{name}}` in the texts of a value; names without a value stay as they are. */
export const fill = <Value>(value: Value, names: Names): Value => fillUnknown(value, names) as Value;

const fillUnknown = (value: unknown, names: Names): unknown => {
  if (typeof value === 'string') return fillText(value, names);
  if (Array.isArray(value)) return value.map((item) => fillUnknown(item, names));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillUnknown(item, names)]));
};

const fillText = (text: string, names: Names): string =>
  text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) => (name in names ? String(names[name]) : whole));

const bind = (name: string, actual: unknown, names: Names, at: string): Outcome =>
  name in names
    ? verdict(names[name] === actual, `${String(names[name])} ({{${name}}})`, actual, names, at)
    : { differences: [], names: { ...names, [name]: actual } };

const holes: Readonly<Record<string, string>> = { uuid: '[A-Za-z0-9_-]{16,64}', any: '[^]*?', number: '-?[0-9.]+' };

/** A text may have holes: `{{E:uuid}}` takes an id and names it E, `{{:any}}` takes anything. */
const matchText = (expected: string, actual: unknown, names: Names, at: string): Outcome => {
  const filled = fillText(expected, names);
  const parts = filled.split(/(\{\{\w*:\w+\}\})/);
  if (parts.length === 1) return verdict(filled === actual, filled, actual, names, at);
  const bound: string[] = [];
  const source = parts.map((part) => {
    const [, name, kind] = /^\{\{(\w*):(\w+)\}\}$/.exec(part) ?? [];
    if (kind === undefined) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    bound.push(name ?? '');
    return `(${holes[kind] ?? `no hole is called ${kind}`})`;
  });
  const found = typeof actual === 'string' ? new RegExp(`^${source.join('')}$`).exec(actual) : null;
  if (!found) return verdict(false, filled, actual, names, at);
  return inTurn(
    names,
    bound.flatMap((name, hole) => (name === '' ? [] : [(known: Names) => bind(name, found[hole + 1], known, at)])),
  );
};

export const matchList = (expected: readonly unknown[], actual: unknown, names: Names, at: string): Outcome => {
  if (!Array.isArray(actual)) return verdict(false, expected, actual, names, at);
  const length = Math.max(expected.length, actual.length);
  return inTurn(
    names,
    Array.from({ length }, (_, index) => (known) => {
      const place = `${at}[${index}]`;
      if (index >= expected.length) return verdict(false, undefined, actual[index], known, place);
      return match(expected[index], actual[index], known, place);
    }),
  );
};

const matchMembers = (expected: Record<string, unknown>, actual: unknown, names: Names, at: string): Outcome => {
  if (!isRecord(actual)) return verdict(false, expected, actual, names, at);
  const unexpected = Object.keys(actual).filter((key) => !Object.hasOwn(expected, key));
  return inTurn(names, [
    ...Object.keys(expected).map((key) => (known: Names) => match(expected[key], actual[key], known, `${at}.${key}`)),
    ...unexpected.map((key) => (known: Names) => verdict(false, undefined, actual[key], known, `${at}.${key}`)),
  ]);
};

const test =
  (what: string, holds: (actual: unknown, argument: unknown) => boolean): Matcher =>
  (argument, actual, names, at) =>
    verdict(holds(actual, argument), what, actual, names, at);

const isText = (value: unknown, pattern: RegExp): value is string => typeof value === 'string' && pattern.test(value);

const isWithin = (actual: unknown, bounds: unknown): boolean => {
  const { min = -Infinity, max = Infinity } = isRecord(bounds) ? bounds : {};
  return typeof actual === 'number' && actual >= Number(min) && actual <= Number(max);
};

const aDay = 86_400;

const matchers: Readonly<Record<string, Matcher>> = {
  $any: test('anything', () => true),
  $string: test('a text', (actual) => typeof actual === 'string'),
  $number: test('a number within bounds', isWithin),
  $timestamp: test('a date and time', (actual) =>
    isText(actual, /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$/)),
  $unixTime: test('the present in Unix seconds', (actual) =>
    Number.isInteger(actual) && Math.abs(Number(actual) - Date.now() / 1000) < aDay),
  $uuid: (name, actual, names, at) => {
    if (!isText(actual, new RegExp(`^${holes.uuid}$`))) return verdict(false, 'an id', actual, names, at);
    return typeof name === 'string' ? bind(name, actual, names, at) : verdict(true, name, actual, names, at);
  },
  $as: (name, actual, names, at) => bind(String(name), actual, names, at),
  $regex: (source, actual, names, at) => {
    const pattern = new RegExp(fillText(String(source), names));
    return verdict(isText(actual, pattern), `a text like ${pattern}`, actual, names, at);
  },
  $json: (inner, actual, names, at) => {
    const value = typeof actual === 'string' ? parseJson(actual) : undefined;
    if (value === undefined) return verdict(false, 'JSON as text', actual, names, at);
    return match(inner, value, names, `${at}<json>`);
  },
  $has: (members, actual, names, at) => {
    if (!isRecord(members) || !isRecord(actual)) return verdict(false, members, actual, names, at);
    return inTurn(
      names,
      Object.keys(members).map((key) => (known) => match(members[key], actual[key], known, `${at}.${key}`)),
    );
  },
  $oneOf: (choices, actual, names, at) => {
    const outcomes = Array.isArray(choices) ? choices.map((choice) => match(choice, actual, names, at)) : [];
    return (
      outcomes.find(({ differences }) => differences.length === 0) ??
      verdict(false, { $oneOf: choices }, actual, names, at)
    );
  },
  $not: (unwanted, actual, names, at) =>
    verdict(!matches(unwanted, actual, names), { $not: unwanted }, actual, names, at),
  $url: (wanted, actual, names, at) => {
    if (typeof actual !== 'string' || !URL.canParse(actual)) return verdict(false, 'a URL', actual, names, at);
    const url = new URL(actual);
    const parts = { base: url.origin + url.pathname, query: Object.fromEntries(url.searchParams) };
    return match(wanted, parts, names, `${at}<url>`);
  },
};

const matcherOf = (name: string): Matcher => {
  const matcher = matchers[name];
  if (!matcher) throw new Error(`no matcher is called ${name}`);
  return matcher;
};
