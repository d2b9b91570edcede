/**
 * Changes of the executions that a caller may see, as events, for pages that show many of them.
 *
 * C1  An event names executions to read again, not what has happened. A client that reads gets the newest state, even
 *     after missed events.
 * C2  Changes are collected for a moment, and while the socket is full. Too many are replaced by one event for all. So
 *     the cost of a client does not grow with the number of facts, and a client slows no run.
 * C3  The first event means that all executions may have changed, so a client that reconnects needs no position.
 */

import type { ChangesBody } from '../../client/wire.ts';
import { Failure, type Runtime } from '../../runtime/index.ts';
import { events, refusedWithProblem } from '../http/about.ts';
import { eventFrame, HEARTBEAT, HEARTBEAT_MS, STREAM_HEADERS } from '../http/event-frames.ts';
import type { Route, Sink } from '../http/route.ts';
import { type Who, withCaller } from '../identity/caller.ts';
import { route } from '../wire/route.ts';

type Watched = Pick<Runtime, 'inspection' | 'after'>;

export const changesRoute = ({ runtime, who }: { runtime: Watched; who: Who }): Route =>
  route({
    method: 'GET',
    path: '/executions/changes',
    about: {
      tag: 'executions',
      summary: 'Changes of your executions, as events',
      description:
        'Each event, `changed`, has the ids of changed executions, and of builders for operators; `null` means ' +
        'all, as in the first event. Changes are collected for a quarter of a second.',
      answers: {
        200: { description: 'Events, until you disconnect.', content: events },
        401: refusedWithProblem('The request does not identify its caller.'),
      },
    },
    handle: (call) =>
      withCaller(who(call), ({ userId, isOperator }) => {
        if (!isOperator && userId === undefined) {
          throw new Failure('identity_required', {
            detail: 'Only owners and operators get changes: send a credential.',
          });
        }
        const stream = (sink: Sink) => new Changes(runtime, isOperator ? undefined : userId, sink).begin();
        return { status: 200, headers: STREAM_HEADERS, stream };
      }),
  });

/** How long changes are collected before they are sent. Milliseconds. */
export const GATHER_MS = 250;

/** Maximum number of ids in one event. More are replaced by `null`, for all. */
const MOST_IDS = 100;

class Changes {
  readonly #runtime: Watched;
  /** Undefined: all owners. */
  readonly #owner: string | undefined;
  readonly #sink: Sink;
  readonly #ids = new Set<string>();
  #isFull = false;
  #timer: (() => void) | undefined;
  #unwatch: (() => void) | undefined;
  #unwatchElsewhere: (() => void) | undefined;
  /** Any execution may have changed. */
  #isAny = false;
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
    this.#unwatchElsewhere = this.#runtime.inspection.watchElsewhere((changed) => {
      if (changed === undefined) this.#anyChanged();
      else
        for (const { executionId, owner } of changed)
          if (this.#owner === undefined || owner === this.#owner) this.#changed(executionId);
    });
    this.#send(eventFrame('changed', { executions: null } satisfies ChangesBody)); // C3
  }

  #changed(id: string): void {
    const isFirst = this.#ids.size === 0 && !this.#isAny;
    if (this.#ids.size <= MOST_IDS) this.#ids.add(id);
    if (isFirst && !this.#isFull) this.#in(GATHER_MS, () => this.#tell());
  }

  #anyChanged(): void {
    const isFirst = this.#ids.size === 0 && !this.#isAny;
    this.#isAny = true;
    if (isFirst && !this.#isFull) this.#in(GATHER_MS, () => this.#tell());
  }

  /** C2 */
  #tell(): void {
    const executions = this.#isAny || this.#ids.size > MOST_IDS ? null : [...this.#ids];
    this.#ids.clear();
    this.#isAny = false;
    this.#send(eventFrame('changed', { executions } satisfies ChangesBody));
  }

  #drained(): void {
    this.#isFull = false;
    if (this.#ids.size > 0 || this.#isAny) this.#tell();
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

  /** The server stops, so there are no further changes. */
  #end(): void {
    this.#leave();
    this.#sink.end();
  }

  #leave(): void {
    this.#hasLeft = true;
    this.#timer?.();
    this.#unwatch?.();
    this.#unwatchElsewhere?.();
  }
}
