/**
 * Notices that a connection has ended before a request of it could be read. The library answers HTTP/1.0 with 505 and closes,
 * and says so to no callback. It is noticed only while there is no other connection: which one a request came by is not known
 * here, and finding out would cost time for every request.
 */
import type { WebSocketBehavior } from './types.ts';

export class Connections {
  /** Whether there was a request since there was no connection. */
  isRead = false;
  #open = 0;
  #onUnread: (() => void) | undefined;

  constructor(onUnread: () => void) {
    this.#onUnread = onUnread;
  }

  changed(change: 1 | -1): void {
    if (this.#open === 0) this.isRead = false;
    this.#open += change;
    if (this.#open > 0 || this.isRead) return;
    this.#onUnread?.();
    this.#onUnread = undefined;
  }
}

/** A connection that becomes a socket is none any more. */
export const counted = <Data>(
  behavior: Required<Pick<WebSocketBehavior<Data>, 'upgrade' | 'open'>> & WebSocketBehavior<Data>,
  connections: Connections,
): WebSocketBehavior<Data> => ({
  ...behavior,
  upgrade(res, req, context) {
    connections.isRead = true;
    behavior.upgrade(res, req, context);
  },
  open(socket) {
    connections.changed(-1);
    behavior.open(socket);
  },
});
