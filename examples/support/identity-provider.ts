/** A real OpenID provider on loopback. Its sign-in page accepts any name and any password. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Scope } from 'fermata';
import { Provider } from 'oidc-provider';

/** Resolves when it listens. The scope closes it. Rejects if the port is taken. */
export const startIdentityProvider = async (scope: Scope, port: number): Promise<{ origin: string }> => {
  const origin = `http://127.0.0.1:${port}`;
  const provider = new Provider(origin, {
    clients: [
      {
        client_id: 'fermata-example',
        client_secret: process.env.CLIENT_SECRET ?? 'not-a-secret',
        application_type: 'native', // then its redirect may have any port (RFC 8252, 7.3)
        redirect_uris: ['http://localhost/auth/redirect'],
      },
    ],
    scopes: ['openid'],
    findAccount: (_request: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    cookies: { keys: ['of the example'] },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  });
  const server = createServer(provider.callback());
  server.listen(port, '127.0.0.1');
  scope.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { origin };
};
