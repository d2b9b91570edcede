/** A WebSocket client that sends what it is told to, right or wrong, and reads when it is told to (RFC 6455). */
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

export type SocketMessage = Readonly<Record<string, unknown>>;

export interface FrameOptions {
  /** 1 text, 2 binary, 8 close, 9 ping, 10 pong; 0 goes on with the message before. Default 1. */
  readonly opcode?: number;
  /** Whether the message ends here. Default true. */
  readonly isLast?: boolean;
}

export class SocketClient {
  /** Parsed messages, in order; a test may take them out. */
  readonly messages: SocketMessage[] = [];
  /** Of the closing frame; 1006 without one. Undefined while the socket is open. */
  code: number | undefined;
  pings = 0;
  readonly #socket: Socket;
  #unread = Buffer.alloc(0);
  #news = (): void => {};
  #closingCode = 1006;

  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.code = this.#closingCode;
      this.#news();
    });
    if (head.length > 0) this.#take(head);
  }

  send(message: unknown): void {
    this.frame(Buffer.from(JSON.stringify(message)));
  }

  frame(payload: Buffer, { opcode = 1, isLast = true }: FrameOptions = {}): void {
    if (!this.#socket.destroyed) this.#socket.write(encode(payload, opcode, isLast));
  }

  /** Takes nothing from the network until it is resumed. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** The first message that fits, with those before it, which are taken out. Rejects when it does not come in time. */
  async until(fits: (message: SocketMessage) => boolean, timeoutMs = 5_000): Promise<SocketMessage[]> {
    await this.when(() => this.messages.some(fits), timeoutMs);
    return this.messages.splice(0, this.messages.findIndex(fits) + 1);
  }

  /** Waits until something holds, which is looked at after each message and at the end. */
  async when(holds: () => boolean, timeoutMs = 5_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!holds()) {
      if (this.code !== undefined) throw new Error(`closed with ${this.code} after ${this.#heard()}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`in ${timeoutMs} ms only ${this.#heard()}`);
      const timer = new AbortController();
      const news = new Promise<void>((resolve) => {
        this.#news = resolve;
      });
      await Promise.race([news, wait(left, undefined, { signal: timer.signal }).catch(() => {})]);
      timer.abort();
    }
  }

  #heard(): string {
    return this.messages.map((message) => JSON.stringify(message).slice(0, 300)).join('\n') || 'nothing';
  }

  /** Resolves to the code with which the other side has closed. */
  async closed(timeoutMs = 5_000): Promise<number> {
    await this.when(() => this.code !== undefined, timeoutMs);
    return this.code ?? 0;
  }

  /** With a closing frame. */
  close(code = 1000): void {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.frame(payload, { opcode: 8 });
    this.#socket.end();
  }

  /** As a network that is gone. */
  drop(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    for (let frame = decode(this.#unread); frame !== undefined; frame = decode(this.#unread)) {
      this.#unread = this.#unread.subarray(frame.size);
      this.#hear(frame);
    }
    this.#news();
  }

  /** Servers send whole messages here, and no masks. */
  #hear({ opcode, payload }: { opcode: number; payload: Buffer }): void {
    if (opcode === 1) this.messages.push(JSON.parse(payload.toString()) as SocketMessage);
    else if (opcode === 8) {
      this.#closingCode = payload.length >= 2 ? payload.readUInt16BE() : 1005;
      this.frame(payload, { opcode: 8 });
      this.#socket.end();
    } else if (opcode === 9) {
      this.pings += 1;
      this.frame(payload, { opcode: 10 });
    }
  }
}

const encode = (payload: Buffer, opcode: number, isLast: boolean): Buffer => {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (isLast ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  else if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  const mask = randomBytes(4);
  const masked = Buffer.from(payload);
  for (let index = 0; index < length; index += 1) masked[index]! ^= mask[index % 4]!;
  return Buffer.concat([head, mask, masked]);
};

const decode = (bytes: Buffer): { opcode: number; payload: Buffer; size: number } | undefined => {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return undefined;
  const length = start === 2 ? short : start === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return undefined;
  return { opcode: bytes[0]! & 0x0f, payload: bytes.subarray(start, start + length), size: start + length };
};

export type Opened = { readonly status: number; readonly client: SocketClient | undefined };

/** Opens a socket; after a refusal there is a status and no client. */
export const openSocket = (
  url: string,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Opened> =>
  new Promise((resolve, reject) => {
    request(url, {
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
        ...headers,
      },
      ...(signal && { signal }),
    })
      .on('upgrade', (response: IncomingMessage, socket: Socket, head: Buffer) =>
        resolve({ status: response.statusCode ?? 0, client: new SocketClient(socket, head) }),
      )
      .on('response', (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, client: undefined });
      })
      .on('error', reject)
      .end();
  });

/** Opens sockets, which are dropped at the end of the test. Call it before the server is started, to drop them before it stops. */
export const socketOpener = (t: TestContext): typeof openSocket => {
  const clients: SocketClient[] = [];
  t.after(() => {
    for (const client of clients) client.drop();
  });
  return async (...request) => {
    const opened = await openSocket(...request);
    if (opened.client !== undefined) clients.push(opened.client);
    return opened;
  };
};
