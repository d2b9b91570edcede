/**
 * One connection of node:http, which serves its requests in order, one at a time. The library would emit all pipelined
 * requests at once, also those after a request whose refusal ends the connection.
 */
import type { Socket } from 'node:net';
import type { Reply } from '../route.ts';
import { rawReply } from './refusals.ts';
import { type NodeRequest, STALLED_MS } from './request.ts';

/** Maximum number of waiting requests; beyond it the connection is not read. */
const MAX_WAITING = 64;

/** The state of a connection. */
interface Upgraded {
  cut(): void;
}

export class Connection {
  /** The next reply ends it: later requests are not served. */
  isLast = false;
  upgraded: Upgraded | undefined;

  readonly #socket: Socket;
  readonly #serve: (request: NodeRequest) => void;
  readonly #waiting: NodeRequest[] = [];
  #current: NodeRequest | undefined;
  #isPaused = false;
  /** The reply to bytes that are not HTTP. */
  #refusal: Reply | undefined;
  /** What follows the replies: the connection is no longer read as HTTP. */
  #next: (() => void) | undefined;

  constructor(socket: Socket, serve: (request: NodeRequest) => void) {
    this.#socket = socket;
    this.#serve = serve;
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

  /** The socket has accepted the whole reply. */
  replied(): void {
    this.#current = undefined;
    if (this.isLast) return;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#socket.setTimeout(0); // of the previous reply
      if (this.#waiting.length === 0) this.#resume();
      this.add(next);
    } else if (this.#refusal !== undefined) this.#refuse(this.#refusal);
    else if (this.#next !== undefined) this.#attach(this.#next);
  }

  /**
   * The library no longer reads the connection, and passes on none of its events. `next` is called after all replies to
   * earlier requests, unless one of them ends the connection.
   */
  detached(next: () => void): void {
    if (this.isLast) return;
    if (this.#current === undefined) next();
    else {
      this.#next = next;
      this.#socket.on('drain', this.#drained).on('timeout', this.#stalled);
    }
  }

  /** The next bytes are invalid: earlier requests are answered first. */
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

  /** The client has ended its side and waits for no reply. Written bytes are still sent. */
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

  #attach(next: () => void): void {
    this.#next = undefined;
    this.#socket.off('drain', this.#drained).off('timeout', this.#stalled).setTimeout(0);
    next();
  }

  readonly #drained = (): void => this.#current?.drained();

  readonly #stalled = (): void => this.cut();

  /** Written bytes are still sent, if the client accepts them. */
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
