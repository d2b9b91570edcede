/**
 * Serves inside another server: requests and replies are those of the Fetch standard, as in Next.js, Hono, Bun, Deno
 * and others. There are no sockets, and it does not listen.
 */
import type { Adapter, AdapterOptions, AdapterServer, Bound } from '../adapter.ts';
import { problem } from '../problem.ts';
import type { Call } from '../route.ts';
import { bodyIsRead, WebRequest } from './request.ts';

const tooLong = problem(431, 'Request Header Fields Too Large', 'The headers of the request are too long.');

export class WebAdapter implements Adapter, AdapterServer {
  readonly name = 'web';
  readonly #clientOf: (request: Request) => Call['client'];
  readonly #open = new Set<WebRequest>();
  #options: AdapterOptions | undefined;

  constructor(clientOf: (request: Request) => Call['client']) {
    this.#clientOf = clientOf;
  }

  create(options: AdapterOptions): AdapterServer {
    this.#options = options;
    return this;
  }

  async listen(): Promise<Bound> {
    return { port: 0, unbind: () => {} };
  }

  close(): void {
    for (const request of [...this.#open]) request.cut();
  }

  /** Rejects if the connection was to be cut before the reply, or after a disconnect of the client. */
  handle(request: Request): Promise<Response> {
    const { maxHeaderBytes, serve } = this.#options!;
    return new Promise((resolve, reject) => {
      const given = new WebRequest(request, this.#clientOf(request), {
        reply: resolve,
        fail: reject,
        over: () => this.#open.delete(given),
      });
      this.#open.add(given);
      if (request.bodyUsed) given.send(bodyIsRead, []);
      else if (given.headerBytes > maxHeaderBytes) given.send(tooLong, []);
      else serve(given);
    });
  }
}
