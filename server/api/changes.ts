/**
 * That something has happened to the executions a caller may see, as events: for pages that show many of them.
 *
 * C1  It says what to look at again, not what has happened: whoever looks gets the newest, whatever was left out.
 * C2  Changes are gathered for a moment, and while the socket is full; of too many it is only said that there were some.
 *     So a reader costs no more for a million facts than for a few, and slows nobody.
 * C3  The first event says to look at everything: who comes back after an interruption has to know nothing of it.
 */

import type { ChangesBody } from '../../client/wire.ts';
import { Failure, type Runtime } from '../../runtime/index.ts';
import { eventFrame, HEARTBEAT, HEARTBEAT_MS, STREAM_HEADERS } from '../http/event-stream.ts';
import type { Route, Sink } from '../http/route.ts';
import { type Who, withCaller } from '../identity/caller.ts';
import { aboutChanges } from './about-overview.ts';

type Watched = Pick<Runtime, 'inspection' | 'after'>;

export const changesRoute = ({ runtime, who }: { runtime: Watched; who: Who }): Route => ({
  method: 'GET',
  path: '/executions/changes',
  about: aboutChanges,
  handle: (call) =>
    withCaller(who(call), ({ userId, isOperator }) => {
      if (!isOperator && userId === undefined) {
        throw new Failure('identity_required', {
          detail: 'Changes are told to owners and operators: say who you are.',
        });
      }
      const stream = (sink: Sink) => new Changes(runtime, isOperator ? undefined : userId, sink).begin();
      return { status: 200, headers: STREAM_HEADERS, stream };
    }),
});

/** How long changes are gathered before they are told. */
export const GATHER_MS = 250;

/** Ids in one event; beyond it everything is to be looked at. */
const MOST_IDS = 100;

class Changes {
  readonly #runtime: Watched;
  /** Undefined: everybody's. */
  readonly #owner: string | undefined;
  readonly #sink: Sink;
  readonly #ids = new Set<string>();
  #isFull = false;
  #timer: (() => void) | undefined;
  #unwatch: (() => void) | undefined;
  #hasLeft = false;

  constructor(runtime: Watched, owner: string | undefined, sink: Sink) {
    this.#runtime = runtime;
    this.#owner = owner;
    this.#sink = sink;
  }

  begin(): void {
    this.#sink.onGone(() => this.#leave());
    if (this.#hasLeft) return;
    this.#sink.onDrain(() => this.#drained());
    this.#unwatch = this.#runtime.inspection.watch((actor) => {
      const { kind, user, sessionId } = actor;
      if (kind === 'manager' && actor.snapshot.status === 'done') this.#end();
      else if (this.#owner === undefined || (kind === 'execution' && user === this.#owner)) this.#changed(sessionId);
    });
    this.#send(eventFrame('changed', { executions: null } satisfies ChangesBody)); // C3
  }

  #changed(id: string): void {
    const isFirst = this.#ids.size === 0;
    if (this.#ids.size <= MOST_IDS) this.#ids.add(id);
    if (isFirst && !this.#isFull) this.#in(GATHER_MS, () => this.#tell());
  }

  /** C2 */
  #tell(): void {
    const executions = this.#ids.size > MOST_IDS ? null : [...this.#ids];
    this.#ids.clear();
    this.#send(eventFrame('changed', { executions } satisfies ChangesBody));
  }

  #drained(): void {
    this.#isFull = false;
    if (this.#ids.size > 0) this.#tell();
  }

  #send(piece: string): void {
    this.#isFull = !this.#sink.write(piece);
    this.#in(HEARTBEAT_MS, () => this.#beat());
  }

  #beat(): void {
    if (this.#isFull) this.#in(HEARTBEAT_MS, () => this.#beat());
    else this.#send(HEARTBEAT);
  }

  #in(ms: number, run: () => void): void {
    this.#timer?.();
    this.#timer = this.#hasLeft ? undefined : this.#runtime.after(ms, run);
  }

  /** The server stops, and nothing more will happen. */
  #end(): void {
    this.#leave();
    this.#sink.end();
  }

  #leave(): void {
    this.#hasLeft = true;
    this.#timer?.();
    this.#unwatch?.();
  }
}
