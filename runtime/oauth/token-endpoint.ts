/**
 * Requests tokens from a provider. It never throws: each reply, or missing reply, is returned as a value.
 *
 * T2  Text of a provider is cleaned here, and secrets of the request are removed from it.
 */
import * as oauth from 'oauth4webapi';
import type { Grant } from '../authoring/access-token.ts';
import { type Provider, usesPkce } from './provider.ts';
import { type Answered, type Requests, Unanswered } from './requests.ts';
import { conform, granted, Unusable } from './token-answer.ts';

export type TokenAnswer = ({ readonly outcome: 'granted' } & Grant) | Refusal;

export interface Refusal {
  readonly outcome: 'failed';
  /** Refused: the provider refused. Unreachable: it may be available later. Unusable: the reply is invalid. */
  readonly kind: 'rejected' | 'unreachable' | 'unusable';
  /** The provider's code and text, cleaned. They are foreign text: escape them in HTML. */
  readonly error?: string;
  readonly description?: string;
  /** Safe to show: no URLs, no secrets. May quote `error`. */
  readonly reason: string;
}

type Options = oauth.TokenEndpointRequestOptions;
type Ask = {
  provider: Provider;
  scopes: readonly string[];
  transport: (url: string, init: RequestInit) => Promise<Answered>;
  send: (options: Options) => Promise<Response>;
  read: (response: Response) => Promise<oauth.TokenEndpointResponse>;
};

export class TokenEndpoint {
  readonly #requests: Requests;
  readonly #now: () => number;

  constructor(requests: Requests, now: () => number) {
    this.#requests = requests;
    this.#now = now;
  }

  /** `callback` is the result of `validateAuthResponse` with a code, which is valid for one request. */
  exchange(
    provider: Provider,
    scopes: readonly string[],
    callback: URLSearchParams,
    verifier: string,
  ): Promise<TokenAnswer> {
    const { server, client, authenticate, redirectUri } = provider;
    const proof = usesPkce(provider) ? verifier : oauth.nopkce;
    return this.#ask({
      provider,
      scopes,
      transport: (url, init) => this.#requests.send(url, init),
      send: (options) =>
        oauth.authorizationCodeGrantRequest(server, client, authenticate, callback, redirectUri, proof, options),
      read: (response) => oauth.processAuthorizationCodeResponse(server, client, response),
    });
  }

  refresh(provider: Provider, scopes: readonly string[], refreshToken: string): Promise<TokenAnswer> {
    const { server, client, authenticate } = provider;
    const additionalParameters = { client_id: client.client_id };
    return this.#ask({
      provider,
      scopes,
      transport: (url, init) => this.#requests.sendPatiently(url, init),
      send: (options) =>
        oauth.refreshTokenGrantRequest(server, client, authenticate, refreshToken, {
          ...options,
          additionalParameters,
        }),
      read: (response) => oauth.processRefreshTokenResponse(server, client, response),
    });
  }

  async #ask({ provider, scopes, transport, send, read }: Ask): Promise<TokenAnswer> {
    const { clientSecret, server, quirks } = provider;
    const askedAt = this.#now();
    const secrets = [clientSecret ?? '', server.token_endpoint];
    let status = 0;
    try {
      const response = await send({
        headers: { ...quirks.headers },
        [oauth.customFetch]: async (url, init) => {
          secrets.push(...confidential(init));
          const answered = await transport(url, quirks.body === 'json' ? asJson(init) : init);
          return conform(answered.response, answered.text, quirks);
        },
        [oauth.allowInsecureRequests]: true, // parseProvider has decided which URLs may be http
      });
      status = response.status;
      return { outcome: 'granted', ...granted(await read(response), scopes, askedAt) };
    } catch (thrown) {
      return refusal(thrown, status, secrets); // T2
    }
  }
}

type Sent = oauth.CustomFetchOptions<'POST', URLSearchParams>;

const asJson = (init: Sent): RequestInit => ({
  ...init,
  headers: { ...init.headers, 'content-type': 'application/json' },
  body: JSON.stringify(Object.fromEntries(init.body)),
});

/** Makes foreign text safe for one line of a log or a page: no control characters, no secrets, limited length. */
export const cleaned = (text: string, secrets: readonly string[] = []): string =>
  secrets
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, '[removed]'), text)
    .replaceAll(/\p{C}+/gu, ' ')
    .slice(0, 200);

/** The secrets in a request to the token endpoint. */
const confidential = ({ headers, body }: Sent): string[] => {
  const credentials = headers.authorization?.replace('Basic ', '') ?? '';
  return [
    credentials,
    ...['client_secret', 'code', 'code_verifier', 'refresh_token'].map((name) => body.get(name) ?? ''),
  ];
};

const refusal = (thrown: unknown, status: number, secrets: readonly string[]): Refusal => {
  const failed = 'failed' as const;
  if (thrown instanceof Unanswered) return { outcome: failed, kind: 'unreachable', reason: thrown.message };
  if (thrown instanceof Unusable) return { outcome: failed, kind: 'unusable', reason: thrown.message };
  if (thrown instanceof oauth.ResponseBodyError) {
    const error = cleaned(thrown.error, secrets);
    const description: unknown = thrown.error_description;
    const reason = `The provider refused: ${error}`;
    if (typeof description !== 'string') return { outcome: failed, kind: 'rejected', error, reason };
    return { outcome: failed, kind: 'rejected', error, description: cleaned(description, secrets), reason };
  }
  const reason = `The provider answered with status ${status}, without a usable token or an error.`;
  return { outcome: failed, kind: 'unusable', reason };
};
