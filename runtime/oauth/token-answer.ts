/**
 * Answers of token endpoints, in the form that RFC 6749 gives them. Providers differ in many ways from it; each is
 * recognised by its form, so that a provider without a preset is understood as well.
 */
import type * as oauth from 'oauth4webapi';
import { AccessToken, type Grant } from '../authoring/access-token.ts';
import type { Quirks } from './presets.ts';

export class Unusable extends Error {}

type Body = Readonly<Record<string, unknown>>;

/** The answer for a library that insists on the standard. An ID token is dropped: nothing here verifies its claims. */
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
  if (body.token_type !== 'bearer') throw new Unusable('The provider gave a token that is not a bearer token.');
  const scopes = body.scope === undefined ? asked : body.scope.split(' ').filter((scope) => scope !== '');
  // From when it was asked for: rather a second too early than a token that is believed after its end.
  const lifeMs = body.expires_in === undefined ? undefined : body.expires_in * 1_000;
  const expiresAt = lifeMs === undefined ? undefined : askedAt + lifeMs;
  const refreshAt = expiresAt === undefined ? undefined : expiresAt - Math.min(EARLY_MS, lifeMs! / 2);
  return { token: new AccessToken(body.access_token, scopes, expiresAt), refreshToken: body.refresh_token, refreshAt };
};

/** How long before its end a token is refreshed, so that it does not end on its way. */
const EARLY_MS = 30_000;

/** Slack gives a token of the bot, one of the user inside `authed_user`, or both. A refresh gives one, without a nest. */
const chosen = (body: Body, quirks: Quirks): Body => {
  const { authed_user: user, ...own } = body;
  if (!isObject(user)) return body;
  const isMeant = quirks.token === 'authed_user' || typeof own.access_token !== 'string';
  if (!isMeant) return own;
  if (typeof user.access_token === 'string') return { ...user };
  const { access_token: _, ...rest } = own;
  return rest;
};

/** GitHub and Slack put errors under status 200; Twitch, Notion and Facebook have forms of their own. */
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

/** A list, or separated by commas; no provider has a scope with a comma in it. */
const scopeOf = (scope: unknown): unknown => {
  if (Array.isArray(scope)) return scope.every((one) => typeof one === 'string') ? scope.join(' ') : scope;
  return typeof scope === 'string' ? scope.replaceAll(/[\s,]+/g, ' ').trim() : scope;
};

/** What Slack calls its bearer tokens. */
const bearer = (type: unknown) => (type === 'bot' || type === 'user' ? { token_type: 'bearer' } : {});

const withoutNulls = (body: Body): Record<string, unknown> =>
  Object.fromEntries(Object.entries(body).filter(([name, value]) => value !== null && !isEndless(name, value)));

/** A life of no seconds is how some providers say that a token does not expire. */
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
