/**
 * Bytes in memory for clients: unsent replies, and incomplete request bodies. Each kind has a limit for all clients
 * together.
 */

export interface Holder {
  /** Drops the bytes of this client. */
  cut(): void;
}

/** Maximum of unsent bytes, for all clients together. */
export const MAX_UNSENT = 128 * 1024 * 1024;
/** Maximum bytes of incomplete request bodies, for all clients together. */
export const MAX_UNREAD = 128 * 1024 * 1024;

/** Beyond the limit, the client that made no progress for longest is cut. A single client may exceed it. */
export class Backlog {
  readonly #limit: number;
  /** In the order of their last progress. */
  readonly #held = new Map<Holder, number>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Sets the bytes of a client that has made progress. */
  hold(holder: Holder, bytes: number): void {
    this.release(holder);
    this.#held.set(holder, bytes);
    this.#bytes += bytes;
    if (this.#bytes > this.#limit) this.#cut(holder);
  }

  /** Sets the bytes of a client that has made no progress. */
  grow(holder: Holder, bytes: number): void {
    this.#bytes += bytes - (this.#held.get(holder) ?? 0);
    this.#held.set(holder, bytes); // a present client keeps its position
    if (this.#bytes > this.#limit && this.#held.size > 1) this.#cut(undefined);
  }

  /** Removes a client without waiting bytes. */
  release(holder: Holder): void {
    const bytes = this.#held.get(holder);
    if (bytes === undefined) return;
    this.#held.delete(holder);
    this.#bytes -= bytes;
  }

  /** The last client is never cut. */
  #cut(last: Holder | undefined): void {
    for (const holder of this.#held.keys()) {
      if (this.#bytes <= this.#limit || holder === last) return;
      this.release(holder);
      holder.cut();
    }
  }
}
