/** Request headers and query parameters for waiting, and for idempotency. */
import { Failure } from '../../runtime/index.ts';

export interface Preference {
  /** RFC 7240 `respond-async`: reply at once. */
  readonly isAsync?: boolean;
  /** RFC 7240 `wait=N`: reply after this many milliseconds at the latest. */
  readonly waitMs?: number;
  /** The value of `Preference-Applied`. */
  readonly applied?: string;
}

/** Longer waits are reduced to this, because connections do not last for ever. */
export const MAX_WAIT_S = 300;

/**
 * RFC 7240: unknown preferences are ignored. `respond-async, wait=N`: wait up to N seconds before replying
 * asynchronously.
 */
export const readPreference = (header: string | undefined): Preference => {
  if (header === undefined) return {};
  const wanted = header
    .toLowerCase()
    .split(',')
    .map((preference) => preference.split(';')[0]!.trim());
  const wait = wanted.map((preference) => /^wait\s*=\s*"?(\d{1,9})"?$/.exec(preference)?.[1]).find(Boolean);
  if (wait !== undefined) {
    const seconds = Math.min(Number(wait), MAX_WAIT_S);
    return { waitMs: seconds * 1000, applied: `wait=${seconds}` };
  }
  return wanted.includes('respond-async') ? { isAsync: true, applied: 'respond-async' } : {};
};

/** Plain or as a quoted structured-field string. Throws `request_invalid` for an invalid key. */
export const readIdempotencyKey = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined;
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new Failure('request_invalid', {
    detail: 'Idempotency-Key: expected 1 to 255 printable ASCII characters without spaces.',
  });
};

/** A parameter of our routes; undefined if it is missing. Throws `request_invalid` if it is repeated. */
export const readOne = (query: URLSearchParams, name: string): string | undefined => {
  const [value, ...more] = query.getAll(name);
  if (more.length === 0) return value;
  throw new Failure('request_invalid', { detail: `${name}: expected one value, got ${more.length + 1}.` });
};

/** A parameter of NAT's routes; undefined if it is missing. The last one counts, as on NAT. */
export const readLast = (query: URLSearchParams, name: string): string | undefined => query.getAll(name).at(-1);

/** An integer in a query. Throws `request_invalid` with the parameter and its bounds. */
export const readCount = (
  query: URLSearchParams,
  name: string,
  { least, most, fallback }: { least: number; most: number; fallback: number },
): number => {
  const given = readOne(query, name);
  if (given === undefined) return fallback;
  const count = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
  if (count >= least && count <= most) return count;
  const detail = `${name}: expected a whole number from ${least} to ${most}, got ${JSON.stringify(given.slice(0, 40))}.`;
  throw new Failure('request_invalid', { detail });
};
