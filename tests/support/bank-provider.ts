import type { TestContext } from 'node:test';
import type { OAuthProviderConfig } from '../../runtime/index.ts';
import { json, tokenEndpoint } from './token-endpoint.ts';

/** A provider that returns `token-1` for every request. */
export const bank = async (t: TestContext): Promise<OAuthProviderConfig> => {
  const { origin } = await tokenEndpoint(t, json({ access_token: 'token-1', token_type: 'bearer', expires_in: 3600 }));
  return {
    clientId: 'fermata',
    authorizationUrl: `${origin}/auth`,
    tokenUrl: `${origin}/token`,
    redirectUri: 'http://127.0.0.1/auth/redirect',
  };
};
