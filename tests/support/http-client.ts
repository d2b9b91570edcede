/** The HTTP client of the tests. Unlike `fetch` it sends any header, and each request has a connection of its own. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, or as a form. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly bytes?: string | Buffer;
  readonly signal?: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed if it is JSON, else the text; undefined if there is none. */
  readonly body: unknown;
}

/** `line`: method and path. Resolves with the head of the reply. `destroy` on it closes the connection. */
export const openRequest = async (
  url: string,
  line: string,
  options: RequestOptions = {},
): Promise<IncomingMessage> => {
  const { signal } = options;
  const [method = '', written = ''] = line.split(' ');
  const { hostname, port, pathname } = new URL(url);
  // Given as text, the URL would lose `/a/..`.
  const path = pathname.replace(/\/$/, '') + written.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  const { bytes, type } = await contentOf(options);
  const headers = {
    ...(type !== undefined && { 'content-type': type }),
    ...(bytes !== undefined && { 'content-length': String(Buffer.byteLength(bytes)) }),
    ...options.headers,
  };
  // Without keep-alive the request has `Connection: close`, which operators may not send.
  const agent = new Agent({ keepAlive: true });
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method, agent, headers, ...(signal && { signal }) })
      .on('response', (reply) => resolve(reply.on('close', () => agent.destroy())))
      .on('error', reject)
      .end(bytes);
  });
};

const contentOf = async ({ body, bytes }: RequestOptions): Promise<{ bytes?: string | Buffer; type?: string }> => {
  if (bytes !== undefined) return { bytes };
  if (body === undefined) return {};
  if (!(body instanceof FormData)) return { bytes: JSON.stringify(body), type: 'application/json' };
  const form = new Response(body);
  return { bytes: Buffer.from(await form.arrayBuffer()), type: form.headers.get('content-type') ?? '' };
};

/** One request, and its whole reply. */
export const call = async (url: string, line: string, options: RequestOptions = {}): Promise<HttpReply> => {
  const reply = await openRequest(url, line, options);
  const text = (await buffer(reply)).toString();
  const isJson = reply.headers['content-type']?.includes('json') === true;
  return {
    status: reply.statusCode ?? 0,
    headers: headersOf(reply),
    body: text === '' ? undefined : isJson ? JSON.parse(text) : text,
  };
};

const headersOf = ({ rawHeaders }: IncomingMessage): Headers => {
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) headers.append(rawHeaders[index]!, rawHeaders[index + 1]!);
  return headers;
};
