/**
 * One watcher of the actors, and its messages.
 *
 * I1  Before the first event of an actor, the watcher gets the actor itself, with its machine.
 * I2  A watcher gets as much as it reads, up to a number of events per second. Further events are counted and dropped,
 *     and the watcher gets the count. Their actors are shown again, in their present state, when there is room.
 * I3  The memory for a watcher is bounded, however long it watches and however slowly it reads.
 */
import type { Inspected, Runtime } from '../../../runtime/index.ts';
import { Allowance } from '../../http/allowance.ts';
import { Messages } from './messages.ts';
import { isWatched, type Watch } from './watch.ts';

/** The socket of a watcher. */
export interface WatchSink {
  /** Unsent bytes. */
  readonly unsent: number;
  send(messages: readonly string[]): void;
}

export const limits = {
  /** Events per second, on average; ten times as many in a burst. */
  eventsPerSecond: 100,
  /**
   * Number of actors that a watcher gets at the beginning: the manager and the builders, then executions, live and new
   * ones first.
   */
  maxFirst: 500,
  /** Number of actors that wait to be shown. Beyond it, the oldest of them is shown only with its next event. */
  maxDue: 1_000,
  /** Number of actors that are known as shown. Older ones are shown again with their next event. */
  maxShown: 5_000,
  /** Unsent bytes up to which messages are sent: the socket drops messages beyond 1 MiB. */
  maxUnsent: 256 * 1024,
  /** Interval of messages about dropped events. */
  tellMs: 1_000,
} as const;

export class Watcher {
  readonly #runtime: Runtime;
  readonly #watch: Watch;
  readonly #sink: WatchSink;
  readonly #messages: Messages;
  readonly #allowance: Allowance;
  readonly #shown = new Set<string>();
  readonly #due = new Map<string, Inspected>();
  #leftOut = 0;
  #dropped = 0;
  #toldDropped = 0;
  #unwatch: (() => void) | undefined;
  #callOff: (() => void) | undefined;

  constructor(runtime: Runtime, watch: Watch, sink: WatchSink) {
    this.#runtime = runtime;
    this.#watch = watch;
    this.#sink = sink;
    this.#messages = new Messages(watch);
    this.#allowance = new Allowance(limits.eventsPerSecond, runtime.now());
  }

  begin(): void {
    const { inspection } = this.#runtime;
    const { actors, leftOut } = firstOf(inspection.actors(), this.#watch);
    this.#leftOut = leftOut;
    for (const actor of actors) this.#due.set(actor.sessionId, actor);
    this.#unwatch = inspection.watch((actor, event, at) => this.#happened(actor, event, at));
    this.#sink.send([this.#messages.begun(this.#counts, this.#runtime.now())]);
    this.drained();
  }

  /** There may be room. */
  drained(): void {
    for (const [sessionId, actor] of this.#due) {
      if (!this.#hasRoom()) break;
      this.#due.delete(sessionId);
      this.#sink.send([this.#show(actor)]);
    }
    this.#tellLater();
  }

  stop(): void {
    this.#unwatch?.();
    this.#callOff?.();
    this.#callOff = undefined;
    this.#due.clear();
  }

  #happened(actor: Inspected, event: { readonly type: string }, at: number): void {
    if (!isWatched(this.#watch, actor)) return;
    const { sessionId } = actor;
    if (!this.#hasRoom()) {
      this.#drop(sessionId, actor);
      return;
    }
    const first = this.#shown.has(sessionId) ? [] : [this.#show(actor)]; // I1
    this.#due.delete(sessionId);
    this.#sink.send([...first, ...this.#messages.happened(actor, event, at)]);
  }

  /** I2 */
  #drop(sessionId: string, actor: Inspected): void {
    this.#dropped += 1;
    this.#shown.delete(sessionId);
    this.#due.set(sessionId, actor);
    if (this.#due.size > limits.maxDue) deleteOldest(this.#due); // I3
    this.#tellLater();
  }

  #hasRoom(): boolean {
    return this.#sink.unsent < limits.maxUnsent && this.#allowance.take(this.#runtime.now()) === 'granted';
  }

  #show(actor: Inspected): string {
    this.#shown.add(actor.sessionId);
    if (this.#shown.size > limits.maxShown) deleteOldest(this.#shown); // I3
    return this.#messages.actor(actor, this.#runtime.now());
  }

  #tellLater(): void {
    if (this.#callOff !== undefined || (this.#due.size === 0 && this.#dropped === this.#toldDropped)) return;
    this.#callOff = this.#runtime.after(limits.tellMs, () => {
      this.#callOff = undefined;
      this.#tell();
      this.drained();
    });
  }

  #tell(): void {
    const count = this.#dropped - this.#toldDropped;
    if (count === 0 || this.#sink.unsent >= limits.maxUnsent) return;
    this.#toldDropped = this.#dropped;
    this.#sink.send(this.#messages.dropped(count, this.#counts, this.#runtime.now()));
  }

  get #counts() {
    return { leftOut: this.#leftOut, dropped: this.#dropped };
  }
}

/** Live ones before settled ones, otherwise in the given order. */
const firstOf = (actors: Iterable<Inspected>, watch: Watch): { actors: Inspected[]; leftOut: number } => {
  const live: Inspected[] = [];
  const settled: Inspected[] = [];
  let count = 0;
  for (const actor of actors) {
    if (!isWatched(watch, actor)) continue;
    count += 1;
    const those = actor.isSettled ? settled : live;
    if (those.length < limits.maxFirst) those.push(actor);
  }
  const first = [...live, ...settled].slice(0, limits.maxFirst);
  return { actors: first, leftOut: count - first.length };
};

/** The first added element: sets and maps keep that order. */
const deleteOldest = (from: Set<string> | Map<string, unknown>): void => {
  for (const oldest of from.keys()) {
    from.delete(oldest);
    return;
  }
};
