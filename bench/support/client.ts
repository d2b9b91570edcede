/** A cheap HTTP client: raw keep-alive sockets, one request at a time on each, bodies by content-length. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export type Answer = { readonly status: number; readonly body: string };

export class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #received = '';
  #resolve: ((answer: Answer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  readonly port: number;

  private constructor(socket: Socket, port: number) {
    const host = `127.0.0.1:${port}`;
    this.port = port;
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#onData(text));
    socket.on('close', () => this.#reject?.(new Error('the server closed the connection')));
    socket.on('error', (error) => this.#reject?.(error));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Connection(socket, port);
  }

  request(method: string, path: string, body?: string): Promise<Answer> {
    const content = body === undefined ? '' : `content-type: application/json\r\ncontent-length: ${body.length}\r\n`;
    this.#socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\n${content}\r\n${body ?? ''}`);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  close(): void {
    this.#reject = undefined;
    this.#socket.destroy();
  }

  #onData(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.slice(0, end).toLowerCase();
    const at = head.indexOf('content-length: ');
    const length = at < 0 ? 0 : Number.parseInt(head.slice(at + 16), 10);
    if (this.#received.length < end + 4 + length) return;
    const body = this.#received.slice(end + 4, end + 4 + length);
    this.#received = this.#received.slice(end + 4 + length);
    this.#resolve?.({ status: Number(head.slice(9, 12)), body });
  }
}
