/** The parts of a server that its exchanges and sockets need. */
import type { Backlog } from './backlog.ts';
import type { Network } from './network.ts';
import type { Reply } from './route.ts';

/** The functions that an exchange needs of its server. None of them throws. */
export interface Host {
  readonly draining: boolean;
  /** Counts unsent bytes. */
  readonly unsent: Backlog;
  /** The reply for a thrown error; already checked. */
  problem(thrown: unknown): Reply;
  /** Reports an error that has no reply. */
  report(error: unknown): void;
  readonly network?: Pick<Network, 'clientOf'> | undefined;
  /** An exchange continues after its callback, and later ends. */
  opened(): void;
  closed(): void;
}
