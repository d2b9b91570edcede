/**
 * Limits for the bytes of incomplete messages of all sockets together. The library does not report these bytes, so each
 * socket counts with the longest message that it may send. While few sockets are open, messages may be as long as
 * configured. Sockets that open beyond that take shorter messages, and beyond the last tier they are refused.
 *
 * The library has one length per pattern of a path, and a pattern has one handler. Each tier has a pattern of its own
 * that matches the path, and passes the request to the next one if it is full.
 */
import type { SocketKind } from '../adapter.ts';
import { Backlog, type Holder } from '../backlog.ts';

/** Bytes of the longest message. */
const TIER_BYTES = [Number.POSITIVE_INFINITY, 2 * 1024 * 1024, 64 * 1024] as const;

/** Maximum of reserved bytes in each tier. One client may have half of it. */
const RESERVED_BYTES = 1024 * 1024 * 1024;

export interface Tier {
  readonly pattern: string;
  readonly maxMessageBytes: number;
  readonly isLast: boolean;
  hasRoomFor(address: string): boolean;
  take(socket: Holder): void;
  give(socket: Holder): void;
}

export class Tiers {
  readonly #reserved: readonly Backlog[];
  #patterns = 0;

  constructor(reservedBytes = RESERVED_BYTES) {
    this.#reserved = TIER_BYTES.map(() => new Backlog(reservedBytes));
  }

  /** From the longest messages to the shortest. */
  of({ path, maxMessageBytes }: Pick<SocketKind, 'path' | 'maxMessageBytes'>): Tier[] {
    const first = TIER_BYTES.findLastIndex((bytes) => maxMessageBytes <= bytes);
    // A parameter matches no empty segment.
    const count = path.endsWith('/') ? 1 : TIER_BYTES.length - first;
    return Array.from({ length: count }, (_, at) => {
      const reserved = this.#reserved[first + at]!;
      const bytes = at === 0 ? maxMessageBytes : TIER_BYTES[first + at]!;
      return {
        pattern: at === 0 ? path : `${path.slice(0, path.lastIndexOf('/'))}/:tier${(this.#patterns += 1)}`,
        maxMessageBytes: bytes,
        isLast: at === count - 1,
        hasRoomFor: (address) => reserved.hasRoomFor(address, bytes),
        take: (socket) => reserved.hold(socket, bytes),
        give: (socket) => reserved.release(socket),
      };
    });
  }
}
