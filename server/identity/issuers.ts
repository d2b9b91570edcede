/** JWTs of several issuers: the claim `iss` says whose keys a token is verified with, and whose user its `sub` is. */
import { Failure } from '../../runtime/index.ts';
import type { Claims } from '../../runtime/nat/user-info.ts';
import { createJwtVerifier, type JwtVerifier, readUnverified, secureUrl, undecodable } from './jwt.ts';

export interface IssuerOptions {
  /** What tokens say they are from (`iss`), to the letter. https, or http on the loopback interface. */
  issuerUrl: string;
  /** Where it publishes its keys. https, or http on the loopback interface. */
  jwksUri: string;
  /** For whom its tokens must be issued (`aud`). */
  audience: string;
  /** What they must allow. Default: nothing in particular. */
  scopes?: readonly string[];
  /** How long one fetch of the keys may take. Default 10_000. */
  timeoutMs?: number;
  /** By how much clocks may differ. Default 60. */
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
