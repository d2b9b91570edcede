/** The page that a browser shows after a consent. All external text is escaped. */
import { z } from 'zod';
import { type CallbackOutcome, Failure } from '../../../runtime/index.ts';
import { type Answer, html, inQuery } from '../../http/about.ts';
import { escapeHtml } from '../../http/escape-html.ts';
import type { Call, Reply, Route } from '../../http/route.ts';
import type { Who } from '../../identity/caller.ts';
import { type RequestBody, route } from '../../wire/route.ts';
import { readMark } from '../consent-links.ts';
import type { NatApp } from '../placed.ts';

export const oauthRoutes = ({ runtime, who, consents, returnPages, config }: NatApp): Route[] => {
  const { oauthCallbackPath: path, cors, bindConsents } = config;
  if (path === null) return [];
  const redirectOrigins = cors.allowOrigins ?? [];
  const setting = 'oauth2_callback_path';
  const isPublic = true; // the state in the URL works once; which replies say `no-cache` is as on NAT
  const complete = async (call: Call, parameters: string): Promise<Reply<never>> => {
    const url = new URL(`http://callback.invalid${call.path}?${parameters}`);
    const state = url.searchParams.get('state') ?? '';
    const mark = bindConsents ? readMark(call.headers.cookie, state) : undefined;
    const outcome = await runtime.completeOAuth(url, await browser(call, who), mark?.proof);
    if (outcome.outcome === 'unknown_state') return page(outcome, redirectOrigins);
    const returnTo = returnPages.after(mark) ?? (await consents.returnsTo(runtime, outcome, call.headers.host));
    return returnTo === undefined ? page(outcome, redirectOrigins) : backTo(returnTo, outcome);
  };
  /** Browsers send the cookie of a bound consent with a navigation of another site, and not with its form. */
  const posted = (call: Call, form: string): Reply<never> | Promise<Reply<never>> =>
    bindConsents
      ? { status: 303, headers: { ...PRIVATE, location: `?${new URLSearchParams(form)}` } }
      : complete(call, form);
  return [
    route({
      method: 'GET',
      path,
      setting,
      isPublic,
      about: {
        ...about,
        summary: 'The callback of a consent',
        parameters: [inQuery('state', 'The state of the consent.'), inQuery('code', 'The code of the provider.')],
      },
      isUnsafe: true,
      isForeign: true, // a provider sends browsers back from its own page
      handle: (call) => complete(call, call.query),
    }),
    route({
      method: 'POST',
      path,
      setting,
      body: form,
      isPublic,
      about: { ...about, summary: 'The same, for providers that post it (`response_mode=form_post`)' },
      maxBodyBytes: MAX_FORM_BYTES,
      handle: posted,
    }),
  ];
};

const shown = (description: string): Answer => ({ description, content: html });

const about = {
  tag: 'server',
  credential: 'none',
  answers: {
    200: shown('Granted.'),
    400: shown('The state is unknown.'),
    403: shown('Refused.'),
    500: shown('The reply of the provider is invalid.'),
    502: shown('The provider cannot be reached, or rejected the code.'),
  },
} as const;

/** A code has at most a few kilobytes. */
const MAX_FORM_BYTES = 65_536;

const FORM = 'application/x-www-form-urlencoded';

const form: RequestBody<string> = {
  content: { [FORM]: z.object({ state: z.string().optional(), code: z.string().optional() }) },
  read: ({ headers, body = '' }) => (headers['content-type']?.startsWith(FORM) ? body.toString() : ''),
};

/** A browser with an invalid credential has no identity. The state decides. */
const browser = async (call: Call, who: Who) => {
  try {
    return await who(call);
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'credential_invalid') return { userId: undefined };
    throw thrown;
  }
};

const PRIVATE = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };

/** The page that asked learns the outcome, but no details of a failure, which the run gets. */
const backTo = (page: string, { outcome }: CallbackOutcome): Reply<never> => {
  const url = new URL(page);
  if (outcome === 'granted') url.searchParams.set('oauth_auth_completed', 'true');
  return { status: 303, headers: { ...PRIVATE, location: url.href } };
};

const page = (outcome: CallbackOutcome, origins: readonly string[]): Reply<never> => {
  switch (outcome.outcome) {
    case 'unknown_state':
      return { status: 400, headers: HTML, body: 'Invalid state. Please restart the authentication process.' };
    case 'granted':
      return { status: 200, headers: UNCACHED, body: successPage(origins) };
    case 'refused':
      return { status: 403, headers: UNCACHED, body: `Authorization failed: ${escapeHtml(outcome.error)}` };
    case 'failed':
      return failed(outcome);
  }
};

const failed = ({ kind, error }: Extract<CallbackOutcome, { outcome: 'failed' }>): Reply<never> => {
  switch (kind) {
    case 'rejected':
      return { status: 502, headers: UNCACHED, body: `Authorization failed: ${escapeHtml(error ?? 'rejected')}` };
    case 'unreachable':
      return { status: 502, headers: UNCACHED, body: 'Network error during token exchange. Please try again.' };
    case 'unusable':
      return { status: 500, headers: UNCACHED, body: 'Authentication failed. Please try again.' };
  }
};

const HTML = { 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff' };
const UNCACHED = { ...HTML, 'cache-control': 'no-cache' };

/** Notifies the page that opened it, if allowed, removes the code from the history, and closes itself. */
const successPage = (origins: readonly string[]): string => `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Authentication Complete</title>
  </head>
  <body>
    <script>
      history.replaceState(null, '', location.pathname);
      for (const origin of ${JSON.stringify(origins)}) opener?.postMessage({ type: 'AUTH_SUCCESS' }, origin);
      close();
    </script>
    <p>Authentication complete. You may now close this window.</p>
  </body>
</html>
`;
