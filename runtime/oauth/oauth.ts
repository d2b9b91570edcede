/**
 * OAuth 2.1 authorization code with PKCE: sends a user to a provider, receives the callback, stores the tokens.
 *
 * O1  A state is used up before its code is exchanged, in all processes. Of parallel callbacks, one exchanges its code, and the
 *     others find no state.
 * O2  A callback without a code never becomes another grant. An error means that the user refused.
 * O3  Secrets (verifier, codes, tokens) stay in memory and in the vault. No outcome, failure or URL contains them.
 * O4  The outcome of a callback is stored together with its fact, or before it. If it cannot be stored, the callback
 *     fails.
 * O5  A code is sent to the provider once. If the grant could not be stored, a repeated callback gets the same grant.
 * O6  With a `link`, a callback counts only from the browser in which the user of the flow has followed the link.
 */
import { createHash, randomBytes } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import type { AccessToken, Grant } from '../authoring/access-token.ts';
import { type Awaitable, andThen } from '../awaitable.ts';
import { Failure } from '../errors.ts';
import { defaults } from '../options.ts';
import { MemoryVault } from '../store/memory-vault.ts';
import type { Vault } from '../store/vault.ts';
import { isProofOf, proofOf } from './consent-proof.ts';
import { Flows } from './flows.ts';
import { type OAuthProviderConfig, type Provider, parseProvider, scopesOf, usesPkce } from './provider.ts';
import { type Fetch, Requests } from './requests.ts';
import { revokeAtProvider } from './revocation.ts';
import { type Flow, newState, type Waiting } from './stored-flows.ts';
import { holderOf } from './stored-tokens.ts';
import { cleaned, type Refusal, TokenEndpoint } from './token-endpoint.ts';
import { TokenCache } from './tokens.ts';

export { AccessToken } from '../authoring/access-token.ts';
export type { OAuthProviderConfig } from './provider.ts';
export type { Fetch } from './requests.ts';

export interface OAuthOptions {
  /** By the name that workflows use. */
  providers: Readonly<Record<string, OAuthProviderConfig>>;
  /** Epoch milliseconds. */
  now: () => number;
  /** Lifetime of a pending consent. Milliseconds. */
  timeoutMs: number;
  /** Timeout of one request to a provider. Milliseconds. Default 10_000. */
  requestTimeoutMs?: number;
  /**
   * Maximum number of pending consents, shared among callers (`Shares`). Further ones are refused as `queue_full`.
   * Default 10_000.
   */
  maxFlows?: number;
  /** Maximum number of tokens in memory; the least recently used one is evicted. Default 10_000. */
  maxTokens?: number;
  /** How long an unused token stays. Milliseconds. Default 7_776_000_000 (90 days). */
  tokenRetentionMs?: number;
  /** The store for flows and tokens beyond the end of the process. */
  vault?: Vault | undefined;
  /**
   * Returns the link that users get instead of the address of the provider. It leads to a page that calls `open`. Then a
   * consent needs a user, and `complete` needs the proof from `open`. Default: consents are not bound.
   */
  link?: ((state: string, redirectUri: string) => string) | undefined;
  /** Default: the global `fetch`. */
  fetch?: Fetch;
  /** Resolves after a delay in milliseconds, before a refresh is retried. Default: that of Node. */
  wait?: (ms: number) => Promise<unknown>;
  /** Returns this many unguessable bytes. Default: `randomBytes` of node:crypto. */
  random?: (bytes: number) => Buffer;
}

interface FlowRequest extends Subject {
  readonly provider: string;
  /** Default: the scopes of the provider's configuration. */
  readonly scopes?: readonly string[] | undefined;
  /** Address of the caller, if known. Callers at one address share their places for consents. */
  readonly address?: string | undefined;
}

/** The holder of a token: a user, or one execution without an owner. */
export interface Subject {
  readonly user: string | undefined;
  readonly executionId: string;
}

export type CallbackOutcome =
  /**
   * No state, or an unknown, used or expired one. Or the browser belongs to another user; the right one may still
   * arrive.
   */
  | { readonly outcome: 'unknown_state' }
  | ({ readonly outcome: 'granted' } & Finished)
  /** The provider reports that the user, or the provider, refused. The texts come from the URL: escape them in HTML. */
  | ({ readonly outcome: 'refused'; readonly error: string; readonly description?: string } & Finished)
  | (Refusal & Finished);
/** The pause that asked first, and others that waited for the same consent. */
type Finished = Waiting & { readonly also?: readonly Waiting[] };

export interface Begun {
  /** Names this request. The state of `authUrl` begins it. */
  readonly state: string;
  /** Of the provider, or the `link`. */
  readonly authUrl: string;
  readonly expiresInMs: number;
  /**
   * It waits for a consent that another process may end before this request is committed: `isPending` has to be asked
   * afterwards.
   */
  readonly isShared?: boolean;
}

/** A pending consent whose user has followed its link. */
export interface OpenedConsent {
  /** The address of the provider. */
  readonly authUrl: string;
  /** For `complete`, from the same browser. */
  readonly proof: string;
  readonly redirectUri: string;
  readonly expiresInMs: number;
}

export interface OAuth {
  /**
   * A usable token without a consent: stored, or refreshed if it has expired. Throws `oauth_failed` if the provider
   * cannot refresh at the moment, `options_invalid` for a provider that is not configured.
   */
  token(subject: Subject, provider: string, scopes?: readonly string[]): Promise<AccessToken | undefined>;
  /**
   * Waits for a pending consent with the same or more scopes, or asks for a new one. `state` belongs to this request
   * only. Throws, or rejects, like `begin`.
   */
  ask(request: FlowRequest): Awaitable<Begun>;
  /** Whether a consent that was asked for, and whose request is committed, can still be given. Rejects with `store_unavailable`. */
  isPending(state: string): Awaitable<boolean>;
  /**
   * Registers a flow. Throws `options_invalid` like `token`, `queue_full`, and `store_unavailable`; with a `link` also
   * `identity_required`.
   */
  begin(request: FlowRequest): Begun;
  /** Undefined if the consent is not pending, is that of another user, or there is no `link`. Rejects with `store_unavailable`. */
  open(state: string, user: string): Awaitable<OpenedConsent | undefined>;
  /**
   * Handles a callback. `user` is the identity of the browser, if it has one; `proof` is that of `open`. `load` gets the
   * executions that the outcome concerns, before it is stored. Rejects with `store_unavailable` if the outcome cannot be stored:
   * the same callback may then be repeated.
   */
  complete(callback: {
    url: URL;
    user: string | undefined;
    proof?: string | undefined;
    load?: (executionIds: readonly string[]) => Promise<void>;
  }): Promise<CallbackOutcome>;
  /**
   * Pauses that began to wait for a finished flow while its outcome was committed, by the state of the flow. They are removed. Rejects
   * with `store_unavailable`.
   */
  late(state: string): Promise<readonly Waiting[]> | undefined;
  /**
   * The outcome of a granted flow could not be committed: stores the tokens of the subject, and the end of the flow, with the
   * facts of this turn. Throws `store_unavailable`.
   */
  storeAgain(subject: Subject, state: string): void;
  /** Resolves when the outcomes and tokens until now are committed. Rejects if the last of them could not be stored. */
  readonly stored: Promise<unknown> | undefined;
  /** Drops the flow of an execution that has ended, and its unclaimed token. An unknown state has no effect. */
  abandon(state: string): void;
  /** Returns the token of a granted flow, once. `token` still finds it afterwards. */
  claim(state: string): AccessToken | undefined;
  /** The provider's API has rejected this token. `token` no longer returns it, but refreshes it or asks for consent. */
  reject(subject: Subject, provider: string, token: AccessToken): Awaitable<void>;
  /**
   * Deletes the tokens of a subject at one provider, and revokes them there. Resolves to whether the provider has
   * confirmed. Rejects with `options_invalid` like `token`, and with `store_unavailable`.
   */
  disconnect(subject: Subject, provider: string): Promise<boolean>;
  /** Deletes all tokens of a user, without a revocation. Throws, or rejects with, `store_unavailable`. */
  revoke(user: string): Awaitable<void>;
  /** Deletes the tokens of an execution without owner that has ended. */
  release(executionId: string): void;
  /** Aborts all requests as unreachable, and begins no more. */
  stop(): void;
  /** Number of pending consents that this process has begun. */
  readonly pending: number;
}

/** Throws `options_invalid` for an invalid provider. */
export const createOAuth = (options: OAuthOptions): OAuth => {
  const { now, timeoutMs, maxFlows = 10_000, maxTokens = 10_000, vault = new MemoryVault(), link } = options;
  const { tokenRetentionMs = defaults.tokenRetentionMs } = options;
  const { fetch = globalThis.fetch, random = randomBytes, requestTimeoutMs = 10_000 } = options;
  const providers = new Map(Object.entries(options.providers).map(([name, it]) => [name, parseProvider(name, it)]));
  const flows = new Flows(now, maxFlows, vault, (name) => providers.get(name));
  const requests = new Requests({ fetch, requestTimeoutMs, wait: options.wait });
  const endpoint = new TokenEndpoint(requests, now);
  const tokens = new TokenCache({
    now,
    maxTokens,
    vault,
    retentionMs: tokenRetentionMs,
    refresh: (...asked) => endpoint.refresh(...asked),
    pause: (ms) => requests.pause(ms),
  });

  const providerOf = (name: string): Provider => {
    const provider = providers.get(name);
    if (provider) return provider;
    const known = [...providers.keys()].join(', ') || 'none';
    const detail = `no OAuth provider is called ${JSON.stringify(name)}; configured: ${known}`;
    throw new Failure('options_invalid', { detail });
  };

  const flowOf = ({ provider: name, scopes: wanted, user, address, executionId }: FlowRequest): Flow => {
    const provider = providerOf(name);
    if (link !== undefined && user === undefined) throw new Failure('identity_required', { detail: NO_USER });
    const state = newState({ provider, user, executionId }, random(24).toString('base64url'));
    const verifier = random(64).toString('base64url');
    const scopes = scopesOf(provider, wanted);
    return { state, provider, scopes, user, address, executionId, verifier, expiresAt: now() + timeoutMs };
  };
  const begun = (flow: Flow, state = flow.state): Begun => ({
    state,
    authUrl: link === undefined ? authorizationUrl(flow) : link(flow.state, flow.provider.redirectUri),
    expiresInMs: timeoutMs,
    ...(vault.isShared && state !== flow.state && { isShared: true }),
  });

  const complete: OAuth['complete'] = async ({ url, user: browser, proof, load }) => {
    const mayFinish = (flow: Flow): boolean =>
      (flow.user === undefined || browser === undefined || flow.user === browser) &&
      (link === undefined || isProofOf(flow, proof)); // O6
    const [state, ...more] = url.searchParams.getAll('state');
    if (state === undefined || more.length > 0) return { outcome: 'unknown_state' };
    const taken = flows.take(state, mayFinish); // O1
    const flow = taken instanceof Promise ? await taken : taken;
    if (flow === undefined) return { outcome: 'unknown_state' };
    try {
      return { ...(await conclude(flow, url, load)), executionId: flow.executionId, state };
    } catch (error) {
      flows.giveBack(flow); // O4
      throw error;
    }
  };

  const conclude = async (flow: Flow, url: URL, load: Parameters<OAuth['complete']>[0]['load']) => {
    const { provider, scopes } = flow;
    const answer = await answerTo(flow, url);
    const grant = answer.outcome === 'granted' ? answer : undefined;
    if (grant !== undefined) flows.hold(flow, grant);
    const ended = await flows.endedBy(flow, grant?.token);
    // A token for one execution only is useless after the end of that execution.
    const isKept = flow.user !== undefined || ended.length > 0;
    const generation = await tokens.nextGeneration(holderOf(flow), provider, scopes);
    await load?.(ended.flatMap(({ pauses }) => pauses.map(({ executionId }) => executionId)));
    // All of this turn is one commit, together with the facts of the caller.
    if (grant !== undefined && isKept) tokens.keep(holderOf(flow), provider, scopes, grant, generation);
    const also = flows.settle(flow, ended, grant);
    const outcome =
      grant === undefined
        ? (answer as Exclude<typeof answer, { outcome: 'granted' }>)
        : ({ outcome: 'granted' } as const);
    return also.length === 0 ? outcome : { ...outcome, also };
  };

  const answerTo = async (flow: Flow, url: URL) => {
    const callback = readCallback(flow, url);
    if (!(callback instanceof URLSearchParams)) return callback;
    const held = flows.grantOf(flow); // O5
    if (held !== undefined) return { outcome: 'granted', ...held } as const;
    return endpoint.exchange(flow.provider, flow.scopes, callback, flow.verifier);
  };

  return {
    token: async (subject, name, scopes) => {
      const provider = providerOf(name);
      return tokens.token(holderOf(subject), provider, scopesOf(provider, scopes));
    },
    ask: (request) => andThen(flows.ask(flowOf(request)), ({ flow, state }) => begun(flow, state)),
    isPending: (state) => flows.isPending(state),
    begin: (request) => {
      const flow = flowOf(request);
      flows.add(flow);
      return begun(flow);
    },
    open: (state, user) =>
      link &&
      andThen(flows.look(state), (flow) => {
        if (flow === undefined || flow.user !== user) return undefined;
        const { redirectUri } = flow.provider;
        const expiresInMs = flow.expiresAt - now();
        return { authUrl: authorizationUrl(flow), proof: proofOf(flow), redirectUri, expiresInMs };
      }),
    complete,
    late: (state) => (vault.isShared ? flows.late(state) : undefined),
    storeAgain: (subject, state) => {
      tokens.storeAgain(holderOf(subject));
      flows.removeAgain(state);
    },
    abandon: (state) => flows.abandon(state),
    claim: (state) => flows.claim(state),
    reject: (subject, name, token) => tokens.reject(holderOf(subject), providerOf(name), token.value),
    disconnect: async (subject, name) => {
      const provider = providerOf(name);
      const grants = await tokens.take(holderOf(subject), provider);
      const told = await Promise.all(distinct(grants).map((grant) => revokeAtProvider(requests, provider, grant)));
      return told.length > 0 && told.every(Boolean);
    },
    revoke: (user) => tokens.revoke(user),
    release: (executionId) => tokens.release(holderOf({ user: undefined, executionId })),
    stop: () => requests.stop(),
    get stored() {
      return flows.stored;
    },
    get pending() {
      return flows.pending;
    },
  };
};

const NO_USER = 'A consent needs a user here, and the run has none: start it with an identity.';

/** Several consents may have the same token, or the same refresh token. */
const distinct = (grants: readonly Grant[]): Grant[] => [
  ...new Map(grants.map((grant) => [grant.refreshToken ?? grant.token.value, grant])).values(),
];

const authorizationUrl = ({ provider, scopes, state, verifier }: Flow): string => {
  const { quirks } = provider;
  const url = new URL(provider.authorizationUrl);
  const set = (name: string, value: string) => url.searchParams.set(name, value);
  set('response_type', 'code');
  set('client_id', provider.client.client_id);
  set('redirect_uri', provider.redirectUri);
  const wanted = scopes.length > 0 && quirks.refreshScope ? [...new Set([...scopes, quirks.refreshScope])] : scopes;
  if (wanted.length > 0) set(quirks.scopeParameter ?? 'scope', wanted.join(quirks.scopeSeparator ?? ' '));
  set('state', state);
  for (const [name, value] of provider.authorizationParams) set(name, value);
  if (usesPkce(provider)) {
    set('code_challenge', createHash('sha256').update(verifier).digest('base64url'));
    set('code_challenge_method', 'S256');
  }
  return url.href;
};

/** The parameters of a callback with a code, or its error. */
const readCallback = ({ provider, state }: Flow, url: URL) => {
  const { server, client, issuer } = provider;
  const received = new URLSearchParams(url.searchParams);
  const unusable = (reason: string): Refusal => ({ outcome: 'failed', kind: 'unusable', reason });
  // Without a configured issuer the token URL must match: the answer of another provider could pass for this one's.
  if (issuer === undefined) {
    const said = received.getAll('iss');
    const origins = [provider.authorizationUrl, server.token_endpoint].map((url) => new URL(url).origin);
    const isOurs = (iss: string) => URL.canParse(iss) && origins.includes(new URL(iss).origin);
    if (!said.every(isOurs)) return unusable('The callback names another issuer. If that issuer is right, set issuer.');
    received.delete('iss');
  }
  try {
    const callback = oauth.validateAuthResponse(server, client, received, state);
    const [code, ...more] = callback.getAll('code');
    return code && more.length === 0 ? callback : unusable('The callback has neither an error nor exactly one code.');
  } catch (thrown) {
    if (!(thrown instanceof oauth.AuthorizationResponseError)) {
      return unusable('The callback is from another provider than the one that was asked.');
    }
    const error = cleaned(thrown.error); // O2
    const description = thrown.error_description;
    if (description === undefined) return { outcome: 'refused', error } as const;
    return { outcome: 'refused', error, description: cleaned(description) } as const;
  }
};
