/** What a route sees and gives: plain values. A test calls `handle` with a literal, without a socket. */
import type { About } from './about.ts';

/**
 * One request. Read what you need before `handle` returns; if it returns a promise, everything stays readable, also
 * when the client has gone.
 */
export interface Call {
  readonly method: string;
  /** As it came, percent-encoded, without query and without the server's root path. */
  readonly path: string;
  /** The same with the server's root path, if it came with it. Default `path`. */
  readonly fullPath?: string;
  /**
   * Decoded; never empty, `.` or `..`, and without slash or NUL. That of a rest is `*`, and may be anything, such as `../a`.
   */
  readonly params: Readonly<Record<string, string>>;
  /** As it came, without the question mark; `''` when there is none. */
  readonly query: string;
  /** By lower-case name, without prototype. Repeated ones are joined: `cookie` by `; `, all others by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * `host` is an IP address, IPv4 if it is one mapped into IPv6, and `''` if nobody asked before the client had gone.
   * `port` is 0 where the adapter cannot tell.
   */
  readonly client: { readonly host: string; readonly port: number };
  /** Complete; undefined when none came, or an empty one. */
  readonly body: Buffer | undefined;
  /** Aborted when the client goes away, or when the server stops before the reply. `onGone` costs less. */
  readonly signal: AbortSignal;
  /**
   * Calls `listener` once, when `signal` would be aborted; at once if that has happened. Never after the reply; one that
   * streams lasts until its end.
   */
  onGone(listener: () => void): void;
}

export const unknownClient: Call['client'] = { host: '', port: 0 };

export interface Reply {
  /** 200 to 599. */
  readonly status: number;
  /** Lower-case names. `content-length`, `connection` and `date` are the server's. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /**
   * Instead of `body`: called once, when the head has been written, to write the body over time. It may not be called at
   * all, if the client has gone before: what must end with the client is tied to `Call.onGone`.
   */
  readonly stream?: (sink: Sink) => void;
}

/**
 * Where a body is written as it comes. Whoever writes keeps nothing in store: while the socket is full, it waits for
 * `onDrain` and only then gets what to write next. A client that takes nothing for ten seconds is cut off.
 */
export interface Sink {
  /**
   * False: the socket is full; this piece will still arrive, but write no other before `onDrain`. The head leaves with
   * the first piece. Nothing happens with an empty one, nor after the end or once the client has gone.
   */
  write(piece: string): boolean;
  /** Ends the body. Nothing happens if it has ended. */
  end(): void;
  /** Cuts the connection, so that nobody takes the body for whole; the error is reported. Nothing happens after the end. */
  fail(error: unknown): void;
  /** There is one listener: the last one that was given. Called each time that a full socket has room again. */
  onDrain(listener: () => void): void;
  /** Calls `listener` once, when the client goes before the end; at once if it has. */
  onGone(listener: () => void): void;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/executions/:id`: a segment with a colon takes any one segment. `/static/*`: the last one takes all that follow. */
  readonly path: string;
  /** For the OpenAPI document. `null`: the route is there to refuse, and is not described. */
  readonly about?: About | null;
  /** Beyond it a request is refused with 413. Default: what the server says for all routes. */
  readonly maxBodyBytes?: number;
  /** Whether a GET does more than read: then there is no HEAD. Default false. */
  readonly isUnsafe?: boolean;
  /** Whether pages of other sites may send browsers to a GET that is unsafe. Default false. */
  readonly isForeign?: boolean;
  /** The setting that moves or removes it, for messages, e.g. `workflow.path`. */
  readonly setting?: string;
  /** What the server refuses without asking `handle`, as this route's clients read it. Default: as it is. */
  refused?(reply: Reply, call: Call): Reply;
  /** A reply that is there at once saves a promise. What it throws is answered by the server's `problem`. */
  handle(call: Call): Reply | Promise<Reply>;
}
