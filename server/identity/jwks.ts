/**
 * The published keys of an issuer (JWKS). Known keys stay valid while the issuer cannot be reached. An unknown key
 * causes a fetch, at a limited rate; until then its token is neither valid nor invalid.
 */
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { Failure } from '../../runtime/index.ts';

/** Interval of fetches for unknown keys. */
const COOLDOWN_MS = 30_000;
/** How long a failed fetch is not repeated. */
const RETRY_MS = 2_000;
/** Keys older than this are fetched again while they are still used. */
const STALE_MS = 600_000;
/** Keys older than this are no longer used: the issuer may have revoked one. */
const EXPIRED_MS = 86_400_000;

/** Throws `identity_unavailable`, with the time to wait, if a token cannot be verified now. */
export const remoteKeys = (url: URL, timeoutDuration: number): JWTVerifyGetKey => {
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let retryAt = 0;
  const keys = createRemoteJWKSet(url, {
    timeoutDuration,
    // The rules for fetches are below.
    cooldownDuration: Number.POSITIVE_INFINITY,
    cacheMaxAge: Number.POSITIVE_INFINITY,
    // Without this, every token would cause a request to an issuer that is down.
    [customFetch]: (address, init) =>
      Date.now() < retryAt ? Promise.reject(new Error('The last fetch has just failed.')) : fetch(address, init),
  });
  const fetchAnew = async (): Promise<void> => {
    try {
      await keys.reload();
      fetchedAt = Date.now();
    } catch (cause) {
      const now = Date.now();
      if (now >= retryAt) retryAt = now + RETRY_MS;
      throw unavailable('The keys that verify JWTs cannot be fetched at the moment.', retryAt - now, cause);
    }
  };

  return async (header, token) => {
    const ageMs = Date.now() - fetchedAt;
    if (ageMs > EXPIRED_MS) await fetchAnew();
    else if (ageMs > STALE_MS && !keys.reloading) fetchAnew().catch(() => {}); // known keys stay valid meanwhile
    try {
      return await keys(header, token);
    } catch (thrown) {
      if (!(thrown instanceof errors.JWKSNoMatchingKey) || ageMs > EXPIRED_MS) throw thrown;
    }
    if (ageMs < COOLDOWN_MS) {
      throw unavailable('The key of this JWT is not known yet; the issuer is asked again soon.', COOLDOWN_MS - ageMs);
    }
    await fetchAnew();
    return keys(header, token);
  };
};

const unavailable = (detail: string, retryAfterMs: number, cause?: unknown): Failure =>
  new Failure('identity_unavailable', { detail, retryAfterMs, cause });
