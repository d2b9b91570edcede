/**
 * Detects that a connection ended before a request could be read. The library answers HTTP/1.0 with 505 and closes,
 * without a callback. This is detected only while there is no other connection: the connection of a request is unknown
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

/** A connection that becomes a socket no longer counts. */
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
