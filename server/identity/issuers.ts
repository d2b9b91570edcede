/** JWTs of several issuers: the claim `iss` selects the keys for verification, and the namespace of `sub`. */
import { Failure } from '../../runtime/index.ts';
import type { Claims } from '../../runtime/nat/user-info.ts';
import { createJwtVerifier, type JwtVerifier, readUnverified, secureUrl, undecodable } from './jwt.ts';

export interface IssuerOptions {
  /** The exact value of `iss`. https, or http on the loopback interface. */
  issuerUrl: string;
  /** URL of its keys. https, or http on the loopback interface. */
  jwksUri: string;
  /** The required audience (`aud`). */
  audience: string;
  /** Required scopes. Default: none. */
  scopes?: readonly string[];
  /** Timeout for fetching the keys. Milliseconds. Default 10_000. */
  timeoutMs?: number;
  /** Tolerated clock difference in seconds. Default 60. */
  leewayS?: number;
}

export type IssuersVerifier = (token: string) => Promise<{ readonly claims: Claims; readonly issuer: string }>;

/** @throws Failure `options_invalid` naming the option. */
export const createIssuersVerifier = (issuers: readonly IssuerOptions[]): IssuersVerifier => {
  const verifiers = new Map<string, JwtVerifier>();
  for (const { issuerUrl, jwksUri, audience, scopes = [], timeoutMs = 10_000, leewayS = 60 } of issuers) {
    if (verifiers.has(issuerUrl)) throw bad(`two of them have the issuerUrl ${issuerUrl}`);
    for (const url of [issuerUrl, jwksUri]) {
      if (!secureUrl(url)) throw bad(`expected https URLs, or http on the loopback interface, got ${url}`);
    }
    verifiers.set(
      issuerUrl,
      createJwtVerifier({
        jwksUrl: jwksUri,
        issuer: issuerUrl,
        audience,
        scopes,
        jwksTimeoutMs: timeoutMs,
        clockToleranceS: leewayS,
      }),
    );
  }
  if (verifiers.size === 0) throw bad('expected at least one');

  return async (token) => {
    const { iss } = readUnverified(token);
    const verify = typeof iss === 'string' ? verifiers.get(iss) : undefined;
    if (verify === undefined) throw undecodable('its issuer is not accepted here');
    return { claims: await verify(token), issuer: iss as string };
  };
};

const bad = (what: string): Failure => new Failure('options_invalid', { detail: `issuers: ${what}` });
