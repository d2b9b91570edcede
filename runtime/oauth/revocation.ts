/** Revokes tokens at a provider. */
import type { Grant } from '../authoring/access-token.ts';
import type { Provider } from './provider.ts';
import type { Requests } from './requests.ts';

/** Whether the provider has confirmed the revocation. False if it has no endpoint for it. Never rejects. */
export const revokeAtProvider = async (requests: Requests, provider: Provider, grant: Grant): Promise<boolean> => {
  const { revocationUrl } = provider;
  if (revocationUrl === undefined) return false;
  const url = revocationUrl.replace('{client_id}', encodeURIComponent(provider.client.client_id));
  try {
    const { response, text } = await requests.sendPatiently(url, await requestOf(provider, grant));
    return response.ok && !/"ok"\s*:\s*false/.test(text);
  } catch {
    return false;
  }
};

const requestOf = async (provider: Provider, { token, refreshToken }: Grant): Promise<RequestInit> => {
  const { server, client, authenticate, clientSecret = '', quirks } = provider;
  switch (quirks.revocation) {
    case 'github': {
      const credentials = Buffer.from(`${client.client_id}:${clientSecret}`).toString('base64');
      const headers = { ...JSON_BODY, authorization: `Basic ${credentials}`, accept: 'application/vnd.github+json' };
      return { method: 'DELETE', headers, body: JSON.stringify({ access_token: token.value }) };
    }
    case 'slack':
      return { method: 'POST', headers: { authorization: `Bearer ${token.value}` } };
    default: {
      // The refresh token stands for all tokens of its grant (RFC 7009, 2.1).
      const body = new URLSearchParams({ token: refreshToken ?? token.value });
      const headers = new Headers(quirks.headers);
      await authenticate(server, client, body, headers);
      if (quirks.body !== 'json') return { method: 'POST', headers, body };
      headers.set('content-type', JSON_BODY['content-type']);
      return { method: 'POST', headers, body: JSON.stringify(Object.fromEntries(body)) };
    }
  }
};

const JSON_BODY = { 'content-type': 'application/json' };
