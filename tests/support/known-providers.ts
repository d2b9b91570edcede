/** Providers that answer as the documents of theirs say. Host names lead to one server here. */

import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import type { Fetch, OAuthProviderConfig } from '../../runtime/oauth/oauth.ts';
import { loopback } from './loopback.ts';

export type Name = NonNullable<OAuthProviderConfig['provider']>;

interface ProviderRequest {
  readonly method: string;
  /** With host. */
  readonly url: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly form: Readonly<Record<string, string>>;
}
type Answer = { readonly status?: number; readonly body: unknown; readonly type?: string };
type Responder = (asked: ProviderRequest) => Answer;

const CLIENT = { id: 'client-1', secret: 'secret-1' };
const BASIC = `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`;

/** A refresh token is good once; the number says which one it is. */
const next = (form: ProviderRequest['form'], prefix: string): string | undefined => {
  const used = Number(form.refresh_token?.replace(`${prefix}-`, ''));
  return Number.isInteger(used) ? `${prefix}-${used + 1}` : undefined;
};

const inBody = ({ form }: ProviderRequest): boolean =>
  form.client_id === CLIENT.id && form.client_secret === CLIENT.secret;
const inHeader = ({ headers }: ProviderRequest): boolean => headers.authorization === BASIC;

const github: Responder = (asked) => {
  const { form, headers } = asked;
  if (!inBody(asked)) return { body: { error: 'incorrect_client_credentials' } };
  const token = (name: string, more: object) => {
    const body = { access_token: name, scope: 'repo,gist', token_type: 'bearer', ...more };
    if (headers.accept === 'application/json') return { body };
    const form = new URLSearchParams(body as unknown as Record<string, string>);
    return { body: form.toString(), type: 'application/x-www-form-urlencoded; charset=utf-8' };
  };
  if (form.grant_type === 'refresh_token') {
    const refresh_token = next(form, 'ghr');
    if (refresh_token === undefined) return { body: { error: 'bad_refresh_token', error_description: 'No.' } };
    return token('ghu-2', { expires_in: '28800', refresh_token, refresh_token_expires_in: '15811200', scope: '' });
  }
  if (form.code === 'expiring') return token('ghu-1', { expires_in: '28800', refresh_token: 'ghr-1', scope: '' });
  if (form.code === 'good') return token('gho-1', {});
  return { body: { error: 'bad_verification_code', error_description: 'The code is incorrect or expired.' } };
};

const google: Responder = (asked) => {
  const { form } = asked;
  if (!inBody(asked)) return { status: 401, body: { error: 'invalid_client' } };
  const base = {
    expires_in: 3599,
    scope: 'https://www.googleapis.com/auth/drive.readonly openid',
    token_type: 'Bearer',
  };
  if (form.refresh_token === '1//first') return { body: { access_token: 'ya29.b', ...base } };
  if (form.code !== 'good') return { status: 400, body: { error: 'invalid_grant', error_description: 'Bad Request' } };
  return { body: { access_token: 'ya29.a', refresh_token: '1//first', id_token: 'a.b.c', ...base } };
};

const linkedin: Responder = (asked) => {
  const { form } = asked;
  const refused = { error: 'invalid_client', error_description: 'Client authentication failed' };
  if (!inBody(asked) || 'code_verifier' in form) return { status: 401, body: refused };
  if (form.code !== 'good') return { status: 400, body: { error: 'invalid_redirect_uri' } };
  return { body: { access_token: 'AQX', expires_in: 5184000, scope: 'email,openid,profile' } };
};

const microsoft: Responder = (asked) => {
  const { form } = asked;
  const body = { token_type: 'Bearer', scope: 'User.Read Mail.Read', expires_in: 3736, ext_expires_in: 3736 };
  const refresh_token = form.grant_type === 'refresh_token' ? next(form, '0.A') : '0.A-1';
  const fault = { error: 'invalid_grant', error_description: 'AADSTS70000: no.', error_codes: [70000] };
  if (!inBody(asked) || refresh_token === undefined || (form.code ?? 'good') !== 'good')
    return { status: 400, body: fault };
  return { body: { ...body, access_token: `eyJ-${refresh_token}`, refresh_token } };
};

const notion: Responder = (asked) => {
  const { form, headers } = asked;
  const object = { object: 'error', request_id: 'request-1' };
  if (!inHeader(asked)) return { status: 401, body: { ...object, status: 401, code: 'unauthorized', message: 'No.' } };
  if (headers['content-type'] !== 'application/json' || headers['notion-version'] === undefined) {
    return { status: 400, body: { ...object, status: 400, code: 'invalid_json', message: 'Not JSON.' } };
  }
  if (form.code !== 'good') return { status: 400, body: { error: 'invalid_grant', request_id: 'request-1' } };
  const owner = { workspace: true };
  return {
    body: { access_token: 'ntn-1', token_type: 'bearer', bot_id: 'bot-1', owner, duplicated_template_id: null },
  };
};

const salesforce: Responder = (asked) => {
  const { form } = asked;
  if (!inBody(asked)) return { status: 400, body: { error: 'invalid_client_id' } };
  const body = { id: 'https://login/id/1', issued_at: '1700000000000', signature: 's', instance_url: 'https://one.my' };
  const scope = 'refresh_token api';
  if (form.refresh_token === '5Aep') return { body: { ...body, access_token: '00D-2', scope, token_type: 'Bearer' } };
  if (form.code !== 'good') return { status: 400, body: { error: 'invalid_grant', error_description: 'expired code' } };
  return { body: { ...body, access_token: '00D-1', refresh_token: '5Aep', scope, token_type: 'Bearer' } };
};

const slack: Responder = (asked) => {
  const { form } = asked;
  if (!inHeader(asked)) return { body: { ok: false, error: 'bad_client_secret' } };
  const app = { ok: true, app_id: 'A1', team: { id: 'T1', name: 'Team' }, enterprise: null };
  const bot = { access_token: 'xoxb-1', token_type: 'bot', scope: 'commands,chat:write', bot_user_id: 'B1' };
  const user = { id: 'U1', access_token: 'xoxp-1', token_type: 'user', scope: 'search:read,users:read' };
  const rotating = { expires_in: 43200, refresh_token: 'xoxe-1' };
  if (form.grant_type === 'refresh_token') {
    const refresh_token = next(form, 'xoxe');
    if (refresh_token === undefined) return { body: { ok: false, error: 'invalid_refresh_token' } };
    const { id: _, ...own } = user;
    return { body: { ...app, ...own, access_token: `xoxe.${refresh_token}`, expires_in: 43200, refresh_token } };
  }
  if (form.code === 'bot') return { body: { ...app, ...bot, authed_user: { id: 'U1' } } };
  if (form.code === 'both') return { body: { ...app, ...bot, authed_user: user } };
  if (form.code === 'user') return { body: { ...app, authed_user: { ...user, ...rotating } } };
  return { body: { ok: false, error: 'invalid_code' } };
};

const twitch: Responder = (asked) => {
  const { form } = asked;
  if (!inBody(asked)) return { status: 403, body: { status: 403, message: 'invalid client secret' } };
  const body = { access_token: 'rfx-1', expires_in: 14124, token_type: 'bearer', scope: ['chat:read', 'chat:edit'] };
  if (form.grant_type === 'refresh_token') {
    const refresh_token = next(form, '5b9');
    if (refresh_token !== undefined) return { body: { ...body, access_token: 'rfx-2', refresh_token } };
    return { status: 400, body: { error: 'Bad Request', status: 400, message: 'Invalid refresh token' } };
  }
  if (form.code !== 'good') return { status: 400, body: { status: 400, message: 'Invalid authorization code' } };
  return { body: { ...body, refresh_token: '5b9-1' } };
};

const TOKEN_ENDPOINTS: Readonly<Record<string, Responder>> = {
  'github.com/login/oauth/access_token': github,
  'oauth2.googleapis.com/token': google,
  'www.linkedin.com/oauth/v2/accessToken': linkedin,
  'login.microsoftonline.com/common/oauth2/v2.0/token': microsoft,
  'api.notion.com/v1/oauth/token': notion,
  'login.salesforce.com/services/oauth2/token': salesforce,
  'slack.com/api/oauth.v2.access': slack,
  'id.twitch.tv/oauth2/token': twitch,
};

const revoked = ({ url, method, headers, form }: ProviderRequest): Answer | undefined => {
  const isBearer = String(headers.authorization).startsWith('Bearer xox');
  if (url === 'slack.com/api/auth.revoke') return { body: { ok: isBearer, revoked: isBearer } };
  if (url === `api.github.com/applications/${CLIENT.id}/token`) {
    const isGood = method === 'DELETE' && headers.authorization === BASIC && form.access_token !== undefined;
    return { status: isGood ? 204 : 422, body: '' };
  }
  return /\/revoke$/.test(url) ? { status: form.token === undefined ? 400 : 200, body: {} } : undefined;
};

export const knownProviders = async (t: TestContext) => {
  const { server, origin } = await loopback(t);
  const requests: ProviderRequest[] = [];
  server.on('request', async (request, response) => {
    const { headers, method = '', url = '' } = request;
    const sent = await text(request);
    const form =
      headers['content-type'] === 'application/json' ? JSON.parse(sent) : Object.fromEntries(new URLSearchParams(sent));
    const asked = { method, url: url.slice(1), headers, form };
    requests.push(asked);
    const {
      status = 200,
      body,
      type = 'application/json',
    } = revoked(asked) ?? TOKEN_ENDPOINTS[asked.url]?.(asked) ?? { status: 404, body: 'No such address.' };
    response.writeHead(status, { 'content-type': type });
    response.end(status === 204 ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
  const fetchThere: Fetch = (url, init) => fetch(`${origin}/${url.replace('https://', '')}`, init);
  const config = (provider: Name): OAuthProviderConfig => ({
    provider,
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    redirectUri: 'http://127.0.0.1:8000/auth/redirect',
  });
  return { requests, fetch: fetchThere, config };
};
