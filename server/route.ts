/** What a route sees and gives: plain values. A test calls `handle` with a literal, without a socket. */

/**
 * One request. Read what you need before `handle` returns; if it returns a promise, everything stays readable, also
 * when the client has gone.
 */
export interface Call {
  readonly method: string;
  /** As it came, percent-encoded, without query and without the server's root path. */
  readonly path: string;
  /** Decoded; never empty, `.` or `..`, and without slash or NUL. */
  readonly params: Readonly<Record<string, string>>;
  /** As it came, without the question mark; `''` when there is none. */
  readonly query: string;
  /** By lower-case name, without prototype. Repeated ones are joined: `cookie` by `; `, all others by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * `host` is an IP address, IPv4 if it is one mapped into IPv6, and `''` if nobody asked before the client had gone.
   * `port` is 0 where the binding of uWS cannot tell.
   */
  readonly client: { readonly host: string; readonly port: number };
  /** Complete; undefined when none came, or an empty one. */
  readonly body: Buffer | undefined;
  /** Aborted when the client goes away, or when the server stops before the reply. `onGone` costs less. */
  readonly signal: AbortSignal;
  /** Calls `listener` once, when `signal` would be aborted; at once if that has happened. Never after the reply. */
  onGone(listener: () => void): void;
}

export interface Reply {
  /** 200 to 599. */
  readonly status: number;
  /** Lower-case names. `content-length`, `connection` and `date` are the server's. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/executions/:id`: a segment with a colon takes any one segment. */
  readonly path: string;
  /** A reply that is there at once saves a promise. What it throws is answered by the server's `problem`. */
  handle(call: Call): Reply | Promise<Reply>;
}
