/** Actors and their events, as messages of the Stately inspector (`@statelyai/inspect`). */
import type { Inspected, InspectedSnapshot } from '../../../runtime/index.ts';
import { HIDDEN, readable, redacted, shortId } from './redact.ts';
import { hasParents, type Watch } from './watch.ts';

/** The version of `@statelyai/inspect` that defines these messages; receivers recognize messages by it. */
export const VERSION = '0.7.2';

/** Maximum characters of a message. The payloads of a longer one are left out, even if they were requested. */
export const MAX_MESSAGE = 64 * 1024;

type Event = { readonly type: string };

/** The state of a watch is an actor too, so that every receiver can show it. */
const WATCH = 'inspection';
const WATCH_DEFINITION = JSON.stringify({ id: WATCH, initial: 'watching', states: { watching: {} } });

export interface WatchCounts {
  /** Actors that were present at the beginning and are shown with their next event. */
  readonly leftOut: number;
  /** Events beyond the rate of this watcher. */
  readonly dropped: number;
}

export class Messages {
  readonly #watch: Watch;
  readonly #hasParents: boolean;

  constructor(watch: Watch) {
    this.#watch = watch;
    this.#hasParents = hasParents(watch);
  }

  actor(actor: Inspected, at: number): string {
    const parentId = this.#hasParents && actor.parentId !== undefined ? { parentId: actor.parentId } : {};
    return this.#write(actor, at, '@xstate.actor', (show) => ({
      name: this.#nameOf(actor),
      ...parentId,
      definition: actor.definition,
      snapshot: shownSnapshot(actor.snapshot, show),
    }));
  }

  /** The event, and the state of the actor after it. */
  happened(actor: Inspected, event: Event, at: number): [string, string] {
    return [
      this.#write(actor, at, '@xstate.event', (show) => ({ event: show(event) })),
      this.#write(actor, at, '@xstate.snapshot', (show) => ({
        event: { type: event.type },
        snapshot: shownSnapshot(actor.snapshot, show),
      })),
    ];
  }

  begun(counts: WatchCounts, at: number): string {
    return own('@xstate.actor', at, { name: WATCH, definition: WATCH_DEFINITION, snapshot: watching(counts) });
  }

  dropped(count: number, counts: WatchCounts, at: number): [string, string] {
    const event = { type: 'inspection.dropped', count };
    return [own('@xstate.event', at, { event }), own('@xstate.snapshot', at, { event, snapshot: watching(counts) })];
  }

  #nameOf({ kind, name, sessionId }: Inspected): string {
    return kind === 'manager' ? name : `${name} ${kind} ${shortId(sessionId)}`;
  }

  #idOf({ kind, sessionId }: Inspected): string {
    return kind === 'execution' && !this.#watch.payloads ? shortId(sessionId) : sessionId;
  }

  #write(actor: Inspected, at: number, type: string, more: (show: Show) => object): string {
    const sessionId = this.#idOf(actor);
    const head = headOf(type, sessionId, this.#hasParents ? actor.rootId : sessionId, at);
    const whole = this.#watch.payloads ? written({ ...head, ...more((value) => value) }) : undefined;
    if (whole !== undefined && whole.length <= MAX_MESSAGE) return whole;
    const text = JSON.stringify({ ...head, ...more((value) => redacted(value)) });
    return text.length <= MAX_MESSAGE ? text : JSON.stringify({ ...head, ...more(() => HIDDEN) });
  }
}

type Show = (value: unknown) => unknown;

/** Undefined for values that are not JSON, such as an error with a cycle. */
const written = (message: object): string | undefined => {
  try {
    return JSON.stringify(message, readable);
  } catch {
    return undefined;
  }
};

const headOf = (type: string, sessionId: string, rootId: string, at: number) => ({
  type,
  _version: VERSION,
  createdAt: String(at),
  id: null,
  rootId,
  sessionId,
});

/** `children` are separate actors. */
const shownSnapshot = ({ status, value, context }: InspectedSnapshot, show: Show): object => ({
  status,
  value,
  context: context === undefined ? undefined : show(context),
  children: {},
});

const own = (type: string, at: number, more: object): string =>
  JSON.stringify({ ...headOf(type, WATCH, WATCH, at), ...more });

const watching = (context: WatchCounts): object => ({ status: 'active', value: 'watching', context, children: {} });
