/**
 * Converts replies of token endpoints to the form of RFC 6749. Providers differ from it in many ways. Each difference
 * is recognized by its form, so providers without a preset work too.
 */
import type * as oauth from 'oauth4webapi';
import { AccessToken, type Grant } from '../authoring/access-token.ts';
import type { Quirks } from './presets.ts';

export class Unusable extends Error {}

type Body = Readonly<Record<string, unknown>>;

/**
 * The reply for a library that requires the standard. An ID token is dropped, because its claims are not verified here.
 */
export const conform = ({ status, headers }: Response, text: string, quirks: Quirks): Response => {
  const type = headers.get('content-type') ?? '';
  const body = type.startsWith('application/x-www-form-urlencoded') ? parseForm(text) : parseObject(text);
  if (body === undefined) return new Response(text || null, { status, headers: { 'content-type': type } });
  const { id_token: _, ...given } = withoutNulls(chosen(body, quirks));
  const fault = faultIn(given, status);
  if (fault !== undefined) return Response.json({ ...given, ...fault }, { status: status < 400 ? 400 : status });
  const isSuccess = status >= 200 && status < 300;
  const scope = scopeOf(given.scope);
  return Response.json(
    { token_type: 'bearer', ...given, ...bearer(given.token_type), ...(scope !== undefined && { scope }) },
    { status: isSuccess ? 200 : status },
  );
};

export const granted = (body: oauth.TokenEndpointResponse, asked: readonly string[], askedAt: number): Grant => {
  if (body.token_type !== 'bearer') throw new Unusable('The provider returned a token that is not a bearer token.');
  const scopes = body.scope === undefined ? asked : body.scope.split(' ').filter((scope) => scope !== '');
  // Counted from the request, so that a token ends rather a second too early than too late.
  const lifeMs = body.expires_in === undefined ? undefined : body.expires_in * 1_000;
  const expiresAt = lifeMs === undefined ? undefined : askedAt + lifeMs;
  const refreshAt = expiresAt === undefined ? undefined : expiresAt - Math.min(EARLY_MS, lifeMs! / 2);
  return { token: new AccessToken(body.access_token, scopes, expiresAt), refreshToken: body.refresh_token, refreshAt };
};

/** Refresh a token this long before its expiry, so that it does not expire in transit. */
const EARLY_MS = 30_000;

/**
 * Slack returns a token of the bot, a token of the user inside `authed_user`, or both. A refresh returns one token at
 * the top level.
 */
const chosen = (body: Body, quirks: Quirks): Body => {
  const { authed_user: user, ...own } = body;
  if (!isObject(user)) return body;
  const isMeant = quirks.token === 'authed_user' || typeof own.access_token !== 'string';
  if (!isMeant) return own;
  if (typeof user.access_token === 'string') return { ...user };
  const { access_token: _, ...rest } = own;
  return rest;
};

/** GitHub and Slack report errors with status 200. Twitch, Notion and Facebook have their own forms. */
const faultIn = (body: Body, status: number): { error: string; error_description?: string } | undefined => {
  if ('access_token' in body) return undefined;
  const { error, message, code } = body;
  if (isObject(error)) {
    const name = String(error.code ?? error.type ?? 'error');
    return { error: name, ...described(error.message) };
  }
  if (typeof error === 'string')
    return body.error_description === undefined ? { error, ...described(message) } : { error };
  if (status < 400 || typeof body.status !== 'number' || typeof message !== 'string') return undefined;
  return typeof code === 'string' ? { error: code, ...described(message) } : { error: message };
};

const described = (message: unknown) => (typeof message === 'string' ? { error_description: message } : {});

/** A list, or separated by commas. No known provider has a comma in a scope. */
const scopeOf = (scope: unknown): unknown => {
  if (Array.isArray(scope)) return scope.every((one) => typeof one === 'string') ? scope.join(' ') : scope;
  return typeof scope === 'string' ? scope.replaceAll(/[\s,]+/g, ' ').trim() : scope;
};

/** Slack's names for bearer tokens. */
const bearer = (type: unknown) => (type === 'bot' || type === 'user' ? { token_type: 'bearer' } : {});

const withoutNulls = (body: Body): Record<string, unknown> =>
  Object.fromEntries(Object.entries(body).filter(([name, value]) => value !== null && !isEndless(name, value)));

/** Some providers report a lifetime of 0 for tokens that do not expire. */
const isEndless = (name: string, value: unknown): boolean => name === 'expires_in' && Number(value) <= 0;

const parseObject = (text: string): Body | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const parseForm = (text: string): Body => Object.fromEntries(new URLSearchParams(text));

const isObject = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
