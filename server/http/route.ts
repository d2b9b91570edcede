/** The input and output of a route: plain values. A test calls `handle` with a literal, without a socket. */
import type { About } from './about.ts';

/**
 * One request. Read what you need before `handle` returns. If it returns a promise, everything stays readable, also
 * after a disconnect.
 */
export interface Call {
  readonly method: string;
  /** As received, percent-encoded, without query and without the server's root path. */
  readonly path: string;
  /** The same with the server's root path, if the request has it. Default `path`. */
  readonly fullPath?: string;
  /**
   * Decoded; never empty, `.` or `..`, and without slash or NUL. The rest of a path is `*`, and may be anything, such
   * as `../a`.
   */
  readonly params: Readonly<Record<string, string>>;
  /** As received, without the question mark; `''` without a query. */
  readonly query: string;
  /** By lower-case name, without prototype. Repeated ones are joined: `cookie` by `; `, all others by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * `host` is an IP address, IPv4 if it is mapped into IPv6, and `''` if it was first read after a disconnect. `port`
   * is 0 if the adapter does not know it.
   */
  readonly client: { readonly host: string; readonly port: number };
  /** Complete; undefined without a body, or with an empty one. */
  readonly body: Buffer | undefined;
  /** Aborted when the client disconnects, or when the server stops before the reply. `onGone` costs less. */
  readonly signal: AbortSignal;
  /**
   * Calls `listener` once, when `signal` would be aborted; at once if it already is. Never after the reply; a streamed
   * reply lasts until its end.
   */
  onGone(listener: () => void): void;
}

export const unknownClient: Call['client'] = { host: '', port: 0 };

/** `Body`: the type of the JSON in `body`, for the compiler only. `never`: none, or that of a refusal. */
export interface Reply<Body = unknown> {
  /** 200 to 599. */
  readonly status: number;
  /**
   * Lower-case names. `content-length`, `connection` and `date` are the server's. Default of `cache-control`:
   * `no-store`, except on a public route.
   */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Instead of `body`: bytes that are read while they are sent. The server closes it, also if it sends nothing. */
  readonly content?: Content;
  /**
   * Instead of `body`: called once after the head, to write the body over time. It is not called if the client has
   * disconnected before: use `Call.onGone` for cleanup.
   */
  readonly stream?: (sink: Sink) => void;
  readonly [typeOfBody]?: Body;
}

declare const typeOfBody: unique symbol;

/** A body of any size, which is in memory piece by piece only. */
export interface Content {
  /** Bytes; more than 0. */
  readonly length: number;
  /** The next bytes: at least one, at most so many. Rejects if they cannot be read. */
  read(most: number): Promise<Buffer>;
  /** Called once, possibly during a read. */
  close(): void;
}

/**
 * Writes a body over time. A writer has no buffer: while the socket is full, it waits for `onDrain` and only then gets
 * the next data. A client that accepts nothing for ten seconds is cut.
 */
export interface Sink {
  /**
   * False: the socket is full. This piece is still sent, but write no other before `onDrain`. The head is sent with the
   * first piece. An empty piece has no effect, and neither has a call after the end or after a disconnect.
   */
  write(piece: string | Buffer): boolean;
  /** Ends the body. Has no effect after the end. */
  end(): void;
  /**
   * Cuts the connection, so that the client does not take the body for complete. The error is reported. Has no effect
   * after the end.
   */
  fail(error: unknown): void;
  /** Sets the only listener. It is called each time that a full socket has room again. */
  onDrain(listener: () => void): void;
  /** Calls `listener` once, if the client disconnects before the end; at once if it has. */
  onGone(listener: () => void): void;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /**
   * `/executions/:id`: a segment with a colon matches one segment. `/static/*`: the last one matches the rest of the
   * path.
   */
  readonly path: string;
  /** For the OpenAPI document. `null`: the route only refuses, and is not described. */
  readonly about?: About | null;
  /** Maximum bytes of a body; more gets 413. Default: the limit of the server. */
  readonly maxBodyBytes?: number;
  /** Whether a GET has effects: then there is no HEAD. Default false. */
  readonly isUnsafe?: boolean;
  /** Whether pages of other sites may navigate to a GET that has effects. Default false. */
  readonly isForeign?: boolean;
  /** Whether caches may store its replies, because they do not depend on the caller. Default false. */
  readonly isPublic?: boolean;
  /** The setting that moves or removes it, for messages, e.g. `workflow.path`. */
  readonly setting?: string;
  /** Converts refusals of the server, which do not reach `handle`, for this route's clients. Default: unchanged. */
  refused?(reply: Reply, call: Call): Reply;
  /** A synchronous reply saves a promise. The server's `problem` answers errors. */
  handle(call: Call): Reply | Promise<Reply>;
}
