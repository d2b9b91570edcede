/**
 * Bytes in memory for clients: unsent replies, and incomplete request bodies. Each kind has a limit for all clients
 * together. One client may have half of it, so that it cannot displace all others.
 */
import { networkOf } from '../../runtime/index.ts';

/** A connection. */
export interface Holder {
  /** The address of its client; `''` if unknown. Connections of one network count together. */
  readonly address: string;
  /** Drops the bytes of this connection. */
  cut(): void;
}

/** Maximum of unsent bytes, for all clients together. */
export const MAX_UNSENT = 128 * 1024 * 1024;
/** Maximum bytes of incomplete request bodies and messages, for all clients together. */
export const MAX_UNREAD = 128 * 1024 * 1024;

interface Held {
  bytes: number;
  /** Undefined for an unknown address. */
  readonly client: Client | undefined;
}

interface Client {
  readonly network: string;
  bytes: number;
  /** In the order of their last progress. */
  readonly holders: Set<Holder>;
}

/**
 * Beyond a limit, the connection that made no progress for longest is cut: of the client, or of all. The last one is
 * not cut: one reply that exceeds a limit alone was in memory before it was counted.
 */
export class Backlog {
  readonly #limit: number;
  /** In the order of their last progress. */
  readonly #held = new Map<Holder, Held>();
  readonly #clients = new Map<string, Client>();
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Sets the bytes of a connection that has made progress. */
  hold(holder: Holder, bytes: number): void {
    const held = this.#held.get(holder);
    if (held !== undefined) {
      this.#held.delete(holder);
      this.#held.set(holder, held);
      held.client?.holders.delete(holder);
      held.client?.holders.add(holder);
    }
    this.grow(holder, bytes);
  }

  /** Sets the bytes of a connection that has made no progress. */
  grow(holder: Holder, bytes: number): void {
    const held = this.#held.get(holder) ?? this.#add(holder);
    const more = bytes - held.bytes;
    held.bytes = bytes;
    this.#bytes += more;
    const { client } = held;
    if (client !== undefined) {
      client.bytes += more;
      for (const oldest of client.holders) {
        if (client.bytes <= this.#limit / 2 || client.holders.size === 1) break;
        this.#cut(oldest);
      }
    }
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#limit || this.#held.size === 1) return;
      this.#cut(oldest);
    }
  }

  /** Whether another connection of this client may hold so many bytes, and none is cut. */
  hasRoomFor(address: string, bytes: number): boolean {
    const own = this.#clients.get(networkOf(address))?.bytes ?? 0;
    return own + bytes <= this.#limit / 2 && this.#bytes + bytes <= this.#limit;
  }

  /** Removes a connection without waiting bytes. */
  release(holder: Holder): void {
    const held = this.#held.get(holder);
    if (held === undefined) return;
    this.#held.delete(holder);
    this.#bytes -= held.bytes;
    const { client } = held;
    if (client === undefined) return;
    client.bytes -= held.bytes;
    client.holders.delete(holder);
    if (client.holders.size === 0) this.#clients.delete(client.network);
  }

  #add(holder: Holder): Held {
    const held = { bytes: 0, client: this.#clientOf(holder) };
    this.#held.set(holder, held);
    held.client?.holders.add(holder);
    return held;
  }

  #clientOf({ address }: Holder): Client | undefined {
    if (address === '') return undefined;
    const network = networkOf(address);
    const known = this.#clients.get(network);
    if (known !== undefined) return known;
    const client = { network, bytes: 0, holders: new Set<Holder>() };
    this.#clients.set(network, client);
    return client;
  }

  #cut(holder: Holder): void {
    this.release(holder);
    holder.cut();
  }
}
