/** Bytes that wait in memory for clients: to be taken by them, or to be complete. Bounded for all of them together. */

export interface Holder {
  /** Lets go of what waits for this client. */
  cut(): void;
}

/** Bytes that may wait to be sent, for all clients together. */
export const MAX_UNSENT = 128 * 1024 * 1024;
/** Bytes of request bodies that may be there in part, for all clients together. */
export const MAX_UNREAD = 128 * 1024 * 1024;

/** Beyond the limit, the client is cut that has not got on for longest. A client alone may exceed it. */
export class Backlog {
  readonly #limit: number;
  /** In the order in which they last got on. */
  readonly #held = new Map<Holder, number>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So much waits for it now, since it has just got on. */
  hold(holder: Holder, bytes: number): void {
    this.release(holder);
    this.#held.set(holder, bytes);
    this.#bytes += bytes;
    if (this.#bytes > this.#limit) this.#cut(holder);
  }

  /** So much waits for it now, and it has not got on. */
  grow(holder: Holder, bytes: number): void {
    this.#bytes += bytes - (this.#held.get(holder) ?? 0);
    this.#held.set(holder, bytes); // one that is there keeps its place
    if (this.#bytes > this.#limit && this.#held.size > 1) this.#cut(undefined);
  }

  /** Nothing waits for it any more. */
  release(holder: Holder): void {
    const bytes = this.#held.get(holder);
    if (bytes === undefined) return;
    this.#held.delete(holder);
    this.#bytes -= bytes;
  }

  /** But for the last one. */
  #cut(last: Holder | undefined): void {
    for (const holder of this.#held.keys()) {
      if (this.#bytes <= this.#limit || holder === last) return;
      this.release(holder);
      holder.cut();
    }
  }
}
