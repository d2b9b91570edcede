/** Request headers and query parameters by which a client says how long it wants to wait, and what it has sent before. */
import { Failure } from '../../runtime/index.ts';

export interface Preference {
  /** RFC 7240 `respond-async`: answer at once. */
  readonly isAsync?: boolean;
  /** RFC 7240 `wait=N`: answer after so many milliseconds at the latest. */
  readonly waitMs?: number;
  /** What `Preference-Applied` says. */
  readonly applied?: string;
}

/** Longer waits are cut to this; connections are not for ever. */
export const MAX_WAIT_S = 300;

/** RFC 7240: what is not understood is ignored. `respond-async, wait=N`: wait so long before answering asynchronously. */
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

/** Plain or as a quoted structured-field string. Throws `request_invalid` for a key that could not be one. */
export const readIdempotencyKey = (header: string | undefined): string | undefined => {
  if (header === undefined) return undefined;
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new Failure('request_invalid', {
    detail: 'Idempotency-Key: expected 1 to 255 printable ASCII characters without spaces.',
  });
};

/** A whole number in a query. Throws `request_invalid` naming the parameter and its bounds. */
export const readCount = (
  query: URLSearchParams,
  name: string,
  { least, most, fallback }: { least: number; most: number; fallback: number },
): number => {
  const given = query.get(name);
  if (given === null) return fallback;
  const count = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
  if (count >= least && count <= most) return count;
  const detail = `${name}: expected a whole number from ${least} to ${most}, got ${JSON.stringify(given.slice(0, 40))}.`;
  throw new Failure('request_invalid', { detail });
};
