/** The token endpoint of an OAuth provider for tests. The authorization code decides how it answers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type TokenRequest = { authorization: string | null; form: Readonly<Record<string, string>> };

export type Provider = {
  port: number;
  /** The requests in order; a reader may empty the list. */
  requests: TokenRequest[];
  /** `grant` to give out tokens that belong to no user; no correct server asks for one. Default `refuse`. */
  clientCredentials: 'grant' | 'refuse';
  close(): Promise<void>;
};

/** Port 0 takes any that is free. */
export const startProvider = async (port = 0): Promise<Provider> => {
  const server = createServer(async (request, response) => {
    const form = Object.fromEntries(new URLSearchParams(await text(request)));
    provider.requests.push({ authorization: request.headers.authorization ?? null, form });
    const { status = 200, body, type = 'application/json' } = answerTo(form, provider.clientCredentials);
    response.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const provider: Provider = {
    port: (server.address() as AddressInfo).port,
    requests: [],
    clientCredentials: 'refuse',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return provider;
};

type Answer = { status?: number; body: unknown; type?: string };

const answerTo = (
  { grant_type: grant, code = '' }: TokenRequest['form'],
  clientCredentials: Provider['clientCredentials'],
): Answer => {
  if (grant === 'refresh_token') return token('token-refreshed', { refresh_token: 'refresh-2' });
  if (grant === 'client_credentials') {
    return clientCredentials === 'grant' ? token('token-of-the-application') : refusal('unauthorized_client');
  }
  if (code.startsWith('ok')) return token(`token-${code}`);
  if (code.startsWith('short')) return token(`token-${code}`, { expires_in: 1, refresh_token: 'refresh-1' });
  return failures[code] ?? refusal('invalid_grant');
};

const token = (access_token: string, more: Readonly<Record<string, unknown>> = {}): Answer => ({
  body: { access_token, token_type: 'Bearer', expires_in: 3600, ...more },
});

const refusal = (error: string): Answer => ({ status: 400, body: { error } });

const failures: Readonly<Record<string, Answer>> = {
  down: { status: 500, body: { detail: 'down' } },
  markup: refusal('<b>bad</b>'),
  page: { body: '<html></html>', type: 'text/html' },
  tokenless: { status: 400, body: { detail: 'neither a token nor an error' } },
};
