/**
 * One connection of node:http, whose requests are served one after the other, in their order. The library would hand over
 * all that came in one piece at once: also those behind a request after whose refusal the connection ends.
 */

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { problem } from '../problem.ts';
import type { NodeRequest } from './request.ts';

/** Requests that wait for those before them; beyond it no more is read. */
const MAX_WAITING = 64;

/** What a connection has become. */
interface Upgraded {
  cut(): void;
}

export class Connection {
  /** The next reply ends it: requests behind that one are not served. */
  isLast = false;
  upgraded: Upgraded | undefined;

  readonly #socket: Socket;
  readonly #serve: (request: NodeRequest) => void;
  readonly #waiting: NodeRequest[] = [];
  #current: NodeRequest | undefined;
  /** Bytes came that are no HTTP. */
  #refusal: number | undefined;

  constructor(socket: Socket, serve: (request: NodeRequest) => void) {
    this.#socket = socket;
    this.#serve = serve;
  }

  get isBusy(): boolean {
    return this.#current !== undefined || this.isLast;
  }

  add(request: NodeRequest): void {
    if (this.isLast) return;
    if (this.#current !== undefined) {
      this.#waiting.push(request);
      if (this.#waiting.length >= MAX_WAITING) this.#socket.pause();
      return;
    }
    this.#current = request;
    this.#serve(request);
  }

  /** The socket has taken the whole reply. */
  replied(): void {
    this.#current = undefined;
    if (this.isLast) return;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      if (this.#waiting.length === 0) this.#socket.resume();
      this.add(next);
    } else if (this.#refusal !== undefined) this.#refuse(this.#refusal);
  }

  /** What comes next cannot be understood: requests before it are answered first. */
  refuse(status: number): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = status;
    const current = this.#current;
    if (current === undefined) this.#refuse(status);
    else if (!current.isWhole) {
      const isAnswered = current.isAnswered;
      current.lose();
      if (isAnswered) this.#socket.destroySoon();
      else this.#refuse(status);
    }
  }

  /** The socket has closed, or is closed. */
  cut(): void {
    this.isLast = true;
    this.#waiting.length = 0;
    this.upgraded?.cut();
    this.#current?.lose();
    this.#socket.destroy();
  }

  #refuse(status: number): void {
    this.isLast = true;
    const { headers, body } = refusals[status] ?? refusals[400]!;
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `content-type: ${headers!['content-type']}`,
      `content-length: ${Buffer.byteLength(body!)}`,
      'connection: close',
    ];
    this.#socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    this.#socket.destroySoon();
  }
}

const refusals: Readonly<Record<number, ReturnType<typeof problem>>> = {
  400: problem(400, 'Bad Request', 'The request is no HTTP/1.1 that can be understood.'),
  405: problem(405, 'Method Not Allowed', 'This server opens no tunnels.'),
  408: problem(408, 'Request Timeout', 'The head of the request did not come in time.'),
  413: problem(413, 'Content Too Large', 'The request has chunk extensions that are too long.'),
  431: problem(431, 'Request Header Fields Too Large', 'The headers of the request are too long.'),
};
