/**
 * Asks a provider for tokens. Whatever comes back, or does not, is an answer of ours: nothing here throws.
 *
 * T1  No request outlives its time, or `stop()`; no answer is read beyond its limit.
 * T2  Text of a provider is cleaned before it leaves here, and what we sent in confidence is taken out of it.
 */
import * as oauth from 'oauth4webapi';
import { AccessToken, type Grant } from './access-token.ts';
import type { Provider } from './provider.ts';

export type TokenAnswer = ({ readonly outcome: 'granted' } & Grant) | Refusal;

export interface Refusal {
  readonly outcome: 'failed';
  /** The provider said no; it was not there, and may be there later; it said something that is no answer. */
  readonly kind: 'rejected' | 'unreachable' | 'unusable';
  /** The provider's own code and words, cleaned. They are still foreign text: escape them in HTML. */
  readonly error?: string;
  readonly description?: string;
  /** Safe to show: no addresses, no secrets. May quote `error`. */
  readonly reason: string;
}

/** The part of `fetch` that is needed. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface TokenEndpointOptions {
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly requestTimeoutMs: number;
}

type Options = oauth.TokenEndpointRequestOptions;

/** An access token that carries a whole directory of claims has some tens of kilobytes. */
const maxAnswerBytes = 262_144;

export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;
  readonly #running = new Set<AbortController>();
  #stopped = false;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  /** `callback` is what `validateAuthResponse` returned, with a code. */
  exchange(
    provider: Provider,
    scopes: readonly string[],
    callback: URLSearchParams,
    verifier: string,
  ): Promise<TokenAnswer> {
    const { server, client, authenticate, redirectUri } = provider;
    return this.#ask({
      provider,
      scopes,
      send: (options) =>
        oauth.authorizationCodeGrantRequest(server, client, authenticate, callback, redirectUri, verifier, options),
      read: (response) => oauth.processAuthorizationCodeResponse(server, client, response),
    });
  }

  refresh(provider: Provider, scopes: readonly string[], refreshToken: string): Promise<TokenAnswer> {
    const { server, client, authenticate } = provider;
    const additionalParameters = { client_id: client.client_id };
    return this.#ask({
      provider,
      scopes,
      send: (options) =>
        oauth.refreshTokenGrantRequest(server, client, authenticate, refreshToken, {
          ...options,
          additionalParameters,
        }),
      read: (response) => oauth.processRefreshTokenResponse(server, client, response),
    });
  }

  /** Ends all requests under way; later ones are not begun. */
  stop(): void {
    this.#stopped = true;
    for (const request of this.#running) request.abort(new Unanswered('The server is shutting down.'));
  }

  async #ask(request: {
    provider: Provider;
    scopes: readonly string[];
    send: (options: Options) => Promise<Response>;
    read: (response: Response) => Promise<oauth.TokenEndpointResponse>;
  }): Promise<TokenAnswer> {
    const { provider, scopes, send, read } = request;
    const askedAt = this.#options.now();
    const secrets = [provider.clientSecret ?? '', provider.server.token_endpoint];
    let status = 0;
    try {
      const response = await send({
        [oauth.customFetch]: (url, init) => {
          secrets.push(...confidential(init));
          return this.#fetch(url, init);
        },
        [oauth.allowInsecureRequests]: true, // parseProvider has decided which addresses may be http
      });
      status = response.status;
      return granted(await read(response), scopes, askedAt);
    } catch (thrown) {
      return refusal(thrown, status, secrets); // T2
    }
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    if (this.#stopped) throw new Unanswered('The server is shutting down.');
    const { fetch, requestTimeoutMs } = this.#options;
    const request = new AbortController();
    const late = new Unanswered(`The provider did not answer within ${requestTimeoutMs} ms.`);
    const timer = setTimeout(() => request.abort(late), requestTimeoutMs); // T1
    this.#running.add(request);
    try {
      const response = await fetch(url, { ...init, signal: request.signal });
      if (isPassing(response.status)) {
        await response.body?.cancel();
        throw new Unanswered(`The provider answered with status ${response.status}.`);
      }
      return conform(response, await textOf(response));
    } catch (thrown) {
      if (thrown instanceof Unanswered || thrown instanceof Unusable) throw thrown;
      throw request.signal.aborted ? request.signal.reason : new Unanswered('The provider could not be reached.');
    } finally {
      clearTimeout(timer);
      this.#running.delete(request);
    }
  }
}

/** Makes foreign text fit for one line of a log or a page: no control characters, none of the secrets, no end of it. */
export const cleaned = (text: string, secrets: readonly string[] = []): string =>
  secrets
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length)
    .reduce((left, secret) => left.replaceAll(secret, '[removed]'), text)
    .replaceAll(/\p{C}+/gu, ' ')
    .slice(0, 200);

/** What a request to the token endpoint says in confidence. */
const confidential = ({ headers, body }: oauth.CustomFetchOptions<'POST', URLSearchParams>): string[] => {
  const credentials = headers.authorization?.replace('Basic ', '') ?? '';
  return [
    credentials,
    ...['client_secret', 'code', 'code_verifier', 'refresh_token'].map((name) => body.get(name) ?? ''),
  ];
};

class Unanswered extends Error {}
class Unusable extends Error {}

/** Trouble that has nothing to do with what was asked. */
const isPassing = (status: number): boolean => status >= 500 || status === 408 || status === 429;

const textOf = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) throw new Unusable(`The provider answered with more than ${maxAnswerBytes} bytes.`); // T1
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

/**
 * The answer as RFC 6749 would have it, for a library that insists: providers exist that leave the token type out, say
 * `null` for what they do not have, or put an error under status 200. An ID token is about who somebody is; nobody here
 * asks, so that it is dropped rather than believed.
 */
const conform = ({ status, headers }: Response, text: string): Response => {
  const body = parseObject(text);
  if (body === undefined) return new Response(text || null, { status, headers: copied(headers, 'content-type') });
  const { id_token: _, ...given } = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  const isHiddenError = status === 200 && 'error' in given && !('access_token' in given);
  return Response.json({ token_type: 'bearer', ...given }, { status: isHiddenError ? 400 : status });
};

const copied = (headers: Headers, name: string): Record<string, string> => ({ [name]: headers.get(name) ?? '' });

const parseObject = (text: string): object | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const granted = (body: oauth.TokenEndpointResponse, asked: readonly string[], askedAt: number): TokenAnswer => {
  if (body.token_type !== 'bearer') throw new Unusable('The provider gave a token that is not a bearer token.');
  const scopes = body.scope === undefined ? asked : body.scope.split(' ').filter((scope) => scope !== '');
  // From when it was asked for: rather a second too early than a token that is believed after its end.
  const expiresAt = body.expires_in === undefined ? undefined : askedAt + body.expires_in * 1_000;
  return {
    outcome: 'granted',
    token: new AccessToken(body.access_token, scopes, expiresAt),
    refreshToken: body.refresh_token,
  };
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
  const reason = `The answer of the provider, with status ${status}, has no usable token and no error.`;
  return { outcome: failed, kind: 'unusable', reason };
};
