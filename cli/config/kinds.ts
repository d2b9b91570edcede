/** Kinds of settings. Variables and command line options are texts, so every kind also reads texts. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { formatDuration, parseDuration } from './durations.ts';

/** Excludes lists, and values of YAML's own tags (dates, sets, bytes). */
export const isMap = (given: unknown): given is Readonly<Record<string, unknown>> =>
  typeof given === 'object' && given !== null && Object.getPrototypeOf(given) === Object.prototype;

export const text = z.string().min(1).meta({ holds: 'a text' });

/** For secrets. */
export const textOf = (least: number) =>
  z
    .string()
    .min(least)
    .meta({ holds: `a text of at least ${least} characters` });

export const hostName = z
  .string()
  .refine((given) => isIP(given) !== 0 || /^\w([\w-]*\w)?(\.\w([\w-]*\w)?)*$/.test(given))
  .meta({ holds: 'a host name or an address, without port' });

// No parameters and no query. A slash at the end would make `//stream` of the path below it.
const segments = /^(\/[^\s/?#{}:][^\s/?#{}]*)+$/;

export const path = z.string().regex(segments).meta({ holds: 'a path such as /v1/chat' });

export const prefix = z
  .string()
  .transform((given) => given.replace(/\/$/, ''))
  .refine((given) => given === '' || segments.test(given))
  .meta({ holds: 'a path such as /api, or nothing' });

export const url = z.url({ protocol: /^https?$/ }).meta({ holds: 'an http or https URL' });

export const pattern = text.refine(isPattern).meta({ holds: 'a regular expression' });

function isPattern(given: string): boolean {
  try {
    return new RegExp(given) instanceof RegExp;
  } catch {
    return false;
  }
}

const words = z.stringbool({ truthy: ['true', 'yes', 'on'], falsy: ['false', 'no', 'off'] });

export const yesOrNo = z.union([z.boolean(), words]).meta({ holds: 'true or false' });

export const integer = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  z
    .preprocess((given) => (isDigits(given) ? Number(given) : given), z.int().min(least).max(most))
    .meta({
      holds:
        most === Number.MAX_SAFE_INTEGER
          ? `an integer of at least ${least}`
          : `an integer between ${least} and ${most}`,
    });

const isDigits = (given: unknown): boolean => typeof given === 'string' && /^\d{1,16}$/.test(given);

/** Timers of Node end at once beyond about 24 days. */
export const longestTimerMs = 20 * 24 * 3_600_000;

/** Milliseconds. */
export const duration = (leastMs = 0, mostMs?: number) =>
  z
    .union([z.string(), z.number()])
    .transform((given) => parseDuration(given) ?? Number.NaN)
    .pipe(
      z
        .number()
        .min(leastMs)
        .max(mostMs ?? Number.POSITIVE_INFINITY),
    )
    .meta({ holds: `a duration${bounds(leastMs, mostMs)} (PT30M, 00:30:00 or seconds)`, show: formatDuration });

const bounds = (leastMs: number, mostMs: number | undefined): string => {
  if (leastMs > 1 && mostMs !== undefined) return ` between ${formatDuration(leastMs)} and ${formatDuration(mostMs)}`;
  return `${leastMs > 0 ? ' above 0' : ''}${mostMs === undefined ? '' : `, up to ${formatDuration(mostMs)}`}`;
};

export const choice = <const Value extends string>(...values: readonly Value[]) =>
  z.enum(values).meta({ holds: values.length === 2 ? values.join(' or ') : `one of ${values.join(', ')}` });

/** A list, or one text with commas or as JSON, because a variable cannot contain a list. */
export const listOf = <Kind extends z.ZodType>(kind: Kind, plural: string) =>
  z
    .preprocess((given) => (typeof given === 'string' ? itemsOf(given) : given), z.array(kind))
    .meta({ holds: `a list of ${plural}` });

const itemsOf = (given: string): unknown => {
  const [, inside = given] = /^\s*\[([^[\]]*)\]\s*$/.exec(given) ?? [];
  try {
    if (inside !== given) return JSON.parse(given);
  } catch {
    // without quotes, or an address such as [::1]
  }
  return inside.split(',').map((item) => item.trim());
};

export const texts = listOf(text, 'texts');

/** For secrets, which may contain a comma. */
export const textOrTexts = z.union([text, z.array(text)]).meta({ holds: 'a text, or a list of texts' });

export const mapOfTexts = z.record(z.string(), z.string().meta({ holds: 'a text' })).meta({ holds: 'a map of texts' });

/** Null is a valid value here: not served. */
export const orNull = <Kind extends z.ZodType>(kind: Kind) =>
  z
    .preprocess((given) => (given === 'null' || given === '~' ? null : given), kind.nullable())
    .meta({ holds: `${kind.meta()?.holds}, or null` });

/** A name of NAT that has no effect. Messages never show its value, which may be a secret. */
export const ignored = (warning: string) =>
  z
    .unknown()
    .optional()
    .meta({ natOnly: `${warning[0]?.toUpperCase()}${warning.slice(1)}. A warning says so.`, warning });

/** A name of NAT that asks for what Fermata does not have, unless it has this value, or null. */
export const only = (value: string | number | boolean | null, instead: string, accepted = `\`${value}\``) =>
  z
    .unknown()
    .optional()
    .refine(
      (given) => given === undefined || [String(value).toLowerCase(), 'null'].includes(String(given).toLowerCase()),
      instead,
    )
    .meta({ natOnly: `${accepted}. Other values are refused: ${instead}.` });
