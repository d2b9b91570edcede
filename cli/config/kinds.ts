/** Kinds of settings. Variables and command line options are texts, so every kind also reads texts. */
import { isIP } from 'node:net';
import { formatDuration, parseDuration } from './durations.ts';

export interface Kind<Value> {
  /** Completes "expected ...". */
  readonly expected: string;
  /** Undefined for an invalid value. */
  parse(given: unknown): Value | undefined;
  /** The value in the manual. Default: as JSON. */
  write?(value: Value): string;
}

/** Excludes lists, and values of YAML's own tags (dates, sets, bytes). */
export const isMap = (given: unknown): given is Readonly<Record<string, unknown>> =>
  typeof given === 'object' && given !== null && Object.getPrototypeOf(given) === Object.prototype;

export const text: Kind<string> = {
  expected: 'a text',
  parse: (given) => (typeof given === 'string' && given !== '' ? given : undefined),
};

/** For secrets. */
export const textOf = (least: number): Kind<string> => ({
  expected: `a text of at least ${least} characters`,
  parse: (given) => (typeof given === 'string' && given.length >= least ? given : undefined),
});

const matching = (expected: string, fits: (given: string) => boolean): Kind<string> => ({
  expected,
  parse: (given) => (typeof given === 'string' && fits(given) ? given : undefined),
});

export const hostName = matching(
  'a host name or an address, without port',
  (given) => isIP(given) !== 0 || /^\w([\w-]*\w)?(\.\w([\w-]*\w)?)*$/.test(given),
);

// No parameters and no query. A slash at the end would make `//stream` of the path below it.
const segments = /^(\/[^\s/?#{}:][^\s/?#{}]*)+$/;

export const path = matching('a path such as /v1/chat', (given) => segments.test(given));

export const prefix: Kind<string> = {
  expected: 'a path such as /api, or nothing',
  parse: (given) => {
    const bare = typeof given === 'string' ? given.replace(/\/$/, '') : '?';
    return bare === '' || segments.test(bare) ? bare : undefined;
  },
};

export const url = matching('an http or https URL', (given) => /^https?:/.test(given) && URL.canParse(given));

export const pattern = matching('a regular expression', (given) => {
  try {
    return given !== '' && new RegExp(given) instanceof RegExp;
  } catch {
    return false;
  }
});

const yes = ['true', 'yes', 'on'];
const no = ['false', 'no', 'off'];

export const yesOrNo: Kind<boolean> = {
  expected: 'true or false',
  parse: (given) => {
    const word = typeof given === 'boolean' || typeof given === 'string' ? String(given).toLowerCase() : '';
    if (yes.includes(word)) return true;
    return no.includes(word) ? false : undefined;
  },
};

export const integer = (least: number, most?: number): Kind<number> => ({
  expected: most === undefined ? `an integer of at least ${least}` : `an integer between ${least} and ${most}`,
  parse: (given) => {
    const isNumeral = typeof given === 'number' || (typeof given === 'string' && /^\d{1,16}$/.test(given));
    const value = isNumeral ? Number(given) : Number.NaN;
    return Number.isSafeInteger(value) && value >= least && value <= (most ?? value) ? value : undefined;
  },
});

/** Milliseconds. */
export const duration = (leastMs = 0): Kind<number> => ({
  expected: `a duration${leastMs > 0 ? ' above 0' : ''} (PT30M, 00:30:00 or seconds)`,
  parse: (given) => {
    const ms = typeof given === 'string' || typeof given === 'number' ? parseDuration(given) : undefined;
    return ms !== undefined && ms >= leastMs ? ms : undefined;
  },
  write: formatDuration,
});

export const choice = <const Value extends string>(...values: readonly Value[]): Kind<Value> => ({
  expected: values.length === 2 ? values.join(' or ') : `one of ${values.join(', ')}`,
  parse: (given) => values.find((value) => value === given),
});

/** A list, or one text with commas, because a variable cannot contain a list. */
export const listOf = <Value>(kind: Kind<Value>, plural: string): Kind<readonly Value[]> => ({
  expected: `a list of ${plural}`,
  parse: (given) => {
    const items = typeof given === 'string' ? given.split(',').map((item) => item.trim()) : given;
    if (!Array.isArray(items)) return undefined;
    const values = items.map((item) => kind.parse(item)).filter((value) => value !== undefined);
    return values.length === items.length ? values : undefined;
  },
});

export const texts = listOf(text, 'texts');

/** For secrets, which may contain a comma. */
export const textOrTexts: Kind<string | readonly string[]> = {
  expected: 'a text, or a list of texts',
  parse: (given) => (Array.isArray(given) ? texts.parse(given) : text.parse(given)),
};

export const mapOfTexts: Kind<Readonly<Record<string, string>>> = {
  expected: 'a map of texts',
  parse: (given) => {
    if (!isMap(given)) return undefined;
    const isTexts = Object.values(given).every((value) => typeof value === 'string');
    return isTexts ? (given as Readonly<Record<string, string>>) : undefined;
  },
};

/** Null is a valid value here: not served. */
export const orNull = <Value>(kind: Kind<Value>): Kind<Value | null> => ({
  expected: `${kind.expected}, or null`,
  parse: (given) => (given === null || given === 'null' ? null : kind.parse(given)),
});
