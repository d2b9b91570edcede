/** Actors, and what happens to them, as messages of the Stately inspector (`@statelyai/inspect`). */
import type { Inspected, InspectedSnapshot } from '../../../runtime/index.ts';
import { HIDDEN, readable, redacted, shortId } from './redact.ts';
import { hasParents, type Watch } from './watch.ts';

/** The version of `@statelyai/inspect` whose messages these are; receivers tell messages by having one. */
export const VERSION = '0.7.2';

/** Characters of a message; of one that would be longer the payloads are left out, also for whoever has asked for them. */
export const MAX_MESSAGE = 64 * 1024;

type Event = { readonly type: string };

/** How a watch goes is shown as an actor of its own, so that every receiver can show it. */
const WATCH = 'inspection';
const WATCH_DEFINITION = JSON.stringify({ id: WATCH, initial: 'watching', states: { watching: {} } });

export interface WatchCounts {
  /** Actors that there were at the beginning and that are shown only once something happens to them. */
  readonly leftOut: number;
  /** Events that came too fast for this watcher. */
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

  /** The event, and how the actor stands after it. */
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

/** Undefined for what is no JSON, such as an error that holds itself. */
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

/** `children` stand below as actors of their own. */
const shownSnapshot = ({ status, value, context }: InspectedSnapshot, show: Show): object => ({
  status,
  value,
  context: context === undefined ? undefined : show(context),
  children: {},
});

const own = (type: string, at: number, more: object): string =>
  JSON.stringify({ ...headOf(type, WATCH, WATCH, at), ...more });

const watching = (context: WatchCounts): object => ({ status: 'active', value: 'watching', context, children: {} });
