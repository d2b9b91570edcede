/**
 * One connection of node:http, whose requests are served one after the other, in their order. The library would hand over
 * all that came in one piece at once: also those behind a request after whose refusal the connection ends.
 */
import type { Socket } from 'node:net';
import type { Reply } from '../route.ts';
import { rawReply } from './refusals.ts';
import { type NodeRequest, STALLED_MS } from './request.ts';

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
  #isPaused = false;
  /** The answer to bytes that are no HTTP. */
  #refusal: Reply | undefined;

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
      if (this.#waiting.length >= MAX_WAITING) this.#pause();
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
      this.#socket.setTimeout(0); // that of the reply before
      if (this.#waiting.length === 0) this.#resume();
      this.add(next);
    } else if (this.#refusal !== undefined) this.#refuse(this.#refusal);
  }

  /** What comes next cannot be understood: requests before it are answered first. */
  refuse(reply: Reply): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = reply;
    const current = this.#current;
    if (current === undefined) this.#refuse(reply);
    else if (!current.isWhole) {
      const { isAnswered } = current;
      current.lose();
      if (isAnswered) this.#close();
      else this.#refuse(reply);
    }
  }

  /** The client has ended its side. It waits for no reply, as far as the server goes; what was written still leaves. */
  ended(): void {
    if (this.upgraded !== undefined) return;
    this.isLast = true;
    this.#waiting.length = 0;
    this.#current?.lose();
    this.#close();
  }

  /** The socket has closed, or is closed. */
  cut(): void {
    this.isLast = true;
    this.#waiting.length = 0;
    this.upgraded?.cut();
    this.#current?.lose();
    this.#socket.destroy();
  }

  /** What was written leaves, if the client takes it. */
  #close(): void {
    const socket = this.#socket;
    socket.setTimeout(STALLED_MS, () => socket.destroy());
    socket.destroySoon();
  }

  #pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  #resume(): void {
    if (this.#isPaused) this.#socket.resume();
    this.#isPaused = false;
  }

  #refuse(reply: Reply): void {
    this.isLast = true;
    this.#socket.write(rawReply(reply));
    this.#close();
  }
}
