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

/** Maximum bytes of the keys of an issuer. */
const MAX_BYTES = 1024 * 1024;

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
      Date.now() < retryAt ? Promise.reject(new Error('The last fetch has just failed.')) : fetchKeys(address, init),
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

const fetchKeys = async (address: string, init: RequestInit): Promise<Response> => {
  const response = await fetch(address, init);
  const { status, body } = response;
  if (status !== 200 || body === null) return response;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`The keys have more than ${MAX_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks));
};

const unavailable = (detail: string, retryAfterMs: number, cause?: unknown): Failure =>
  new Failure('identity_unavailable', { detail, retryAfterMs, cause });
