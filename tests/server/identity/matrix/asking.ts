/** One request, or one word on a socket, and what it says about who may do that. */
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { openSocket, type SocketMessage } from '../../../support/web-socket.ts';

export type Sent = Readonly<OutgoingHttpHeaders>;

/**
 * `yes`: the request was let in, whatever came of it. `401`: the credential is refused, or one is needed. `404`: what is
 * asked for is not there. `403`: operators only. `421`: not under this name.
 */
export type Outcome = 'yes' | '401' | '403' | '404' | '421' | '429';

/** All else depends on the caller, so caches must not store it. */
const SAME_FOR_ALL = /^GET \/(static\/|console|openapi\.json|docs)|^\w+ \/auth\/redirect/;

const IDENTITY = /Failed to decode|identity header|user_id is required|credential/i;

const agent = new Agent({ keepAlive: true, maxFreeSockets: 4, timeout: 1_000 });

/** `fetch` sets Host itself. Leaves as soon as it is clear: some replies never end. */
export const ask = (url: string, line: string, headers: Sent, body?: unknown): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const [method = '', path = ''] = line.split(' ');
    const isForm = typeof body === 'string';
    const text = body === undefined ? '' : isForm ? body : JSON.stringify(body);
    const type = isForm ? 'multipart/form-data; boundary=x' : 'application/json';
    const length = Buffer.byteLength(text);
    const asked = request(url + path, {
      method,
      agent: headers.connection === 'close' ? false : agent,
      headers: { ...(body !== undefined && { 'content-type': type, 'content-length': length }), ...headers },
    });
    asked.on('response', (reply) => {
      const { statusCode = 0, headers: replied } = reply;
      const isPersonal = !SAME_FOR_ALL.test(line);
      if (isPersonal && !/no-store|private/.test(replied['cache-control'] ?? '')) {
        reject(new Error(`${line}: a cache may keep the reply ${statusCode} for others`));
      }
      const isStream = replied['content-type']?.startsWith('text/event-stream') === true;
      let said = '';
      const decide = (): void => resolve(outcomeOf(statusCode, said));
      reply.on('data', (piece: Buffer) => {
        said += piece;
        if (!isStream) return;
        decide();
        asked.destroy();
      });
      reply.on('end', decide);
    });
    asked.on('error', (error) => reject(error));
    asked.end(text);
  });

const outcomeOf = (status: number, said: string): Outcome => {
  if (status === 422 || status === 200) {
    if (/workflow_error/.test(said) && IDENTITY.test(said)) return '401';
    return 'yes';
  }
  return status === 401 || status === 403 || status === 404 || status === 421 || status === 429
    ? (String(status) as Outcome)
    : 'yes';
};

/** Connects, says something, and decides by the first message that tells. */
export const speak = async (
  url: string,
  headers: Sent,
  message: object | undefined,
  decide: (message: SocketMessage) => Outcome | undefined,
): Promise<Outcome> => {
  const { status, client } = await openSocket(url, headers as Record<string, string>);
  if (client === undefined) return outcomeOf(status, '');
  try {
    if (message !== undefined) client.send(message);
    let outcome: Outcome | undefined;
    await client.when(() => client.messages.some((one) => (outcome ??= decide(one)) !== undefined));
    return outcome!;
  } finally {
    client.drop();
  }
};
