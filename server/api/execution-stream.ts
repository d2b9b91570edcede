/**
 * Streams any execution, to any number of clients: live or settled, from the beginning or from a position. `id` of an
 * event is the number of its fact; a client sends its position with `Last-Event-ID` or `?after=`.
 */
import {
  type ExecutionView,
  type FactForCallers,
  type FactFrame,
  Failure,
  isForCallers,
  type JournalEntry,
  pauseOf,
  shownDueAt,
} from '../../runtime/index.ts';
import { events } from '../http/about.ts';
import { eventFrame, type Translator } from '../http/event-frames.ts';
import { eventStream } from '../http/event-stream.ts';
import { readCount } from '../http/preferences.ts';
import { countReader } from '../http/readers.ts';
import type { Call, Route } from '../http/route.ts';
import type { App } from '../protocol.ts';
import { errorText, type Wire } from '../wire/bodies.ts';
import { route } from '../wire/route.ts';
import { invalidQuery, position, unknown } from './about.ts';
import { withExecution } from './one.ts';

export const executionStreamRoute = ({ runtime, who, wire }: Pick<App, 'runtime' | 'who' | 'wire'>): Route =>
  route({
    method: 'GET',
    path: '/executions/:executionId/stream',
    about: {
      tag: 'executions',
      summary: 'An execution as events, running or ended',
      parameters: position,
      answers: {
        200: { description: 'Its events, until it ends.', content: events },
        204: 'There are no more events.',
        404: unknown,
        422: invalidQuery,
      },
    },
    handle: (call) =>
      withExecution(runtime, who, call, (execution) => {
        const after = seenBy(call);
        // HTML 9.2: 204 tells an EventSource, which reconnects after every end, that there are no more events.
        if (execution.isSettled && after >= execution.context.seq) return { status: 204 };
        countReader(runtime, execution, call);
        return eventStream({ runtime, execution, translator: new FactFrames(wire, execution), after });
      }),
  });

/** A client that reconnects sends the header, which is newer than the URL of its first request. */
export const seenBy = ({ headers, query }: Call): number => {
  const header = headers['last-event-id'];
  if (header === undefined || header === '') {
    return readCount(new URLSearchParams(query), 'after', { least: 0, most: Number.MAX_SAFE_INTEGER, fallback: 0 });
  }
  if (/^\d{1,15}$/.test(header)) return Number(header);
  throw new Failure('request_invalid', { detail: `Last-Event-ID: expected the id of an event, got ${header}.` });
};

/** Facts as our own events. Internal facts of a run are left out. */
export class FactFrames implements Translator {
  readonly #wire: Wire;
  readonly #execution: ExecutionView;

  constructor(wire: Wire, execution: ExecutionView) {
    this.#wire = wire;
    this.#execution = execution;
  }

  frames(entry: JournalEntry): string {
    let text = written.get(entry);
    if (text === undefined) {
      text = this.#write(entry);
      if (written.size === 0) setImmediate(() => written.clear());
      written.set(entry, text);
    }
    return text;
  }

  missed(through: number): string {
    return eventFrame('truncated', { truncated_through: through, ...this.#wire.status(this.#execution) });
  }

  #write(entry: JournalEntry): string {
    if (!isForCallers(entry)) return '';
    const json = JSON.stringify({ at: new Date(entry.at).toISOString(), ...this.#dataOf(entry) });
    return `id: ${entry.seq}\nevent: ${entry.type}\ndata: ${json}\n\n`;
  }

  /** A type of fact without an entry here has all its members, as in the client's `StreamData`. */
  #dataOf(entry: FactForCallers): object {
    const { id: execution_id } = this.#execution;
    switch (entry.type) {
      case 'execution.started':
        return { execution_id, workflow: entry.workflow };
      case 'output.emitted':
        return entry.inStep === undefined ? { value: entry.value } : { value: entry.value, step: entry.inStep };
      case 'trace.emitted':
        return { step: entry.step };
      case 'trace.identified':
        return { observability_trace_id: entry.traceId };
      case 'interaction.requested':
        return { ...this.#wire.interaction(execution_id, entry.id, entry.prompt), due_at: dueAt(entry) };
      case 'interaction.answered':
      case 'interaction.expired':
      case 'interaction.withdrawn':
        return { interaction_id: entry.id };
      case 'oauth.requested':
        return { auth_url: entry.authUrl, oauth_state: entry.id, due_at: dueAt(entry) };
      case 'oauth.granted':
      case 'oauth.refused':
      case 'oauth.expired':
      case 'oauth.withdrawn':
        return { oauth_state: entry.id };
      case 'execution.unblocked':
        return {};
      case 'execution.completed':
        return { status: 'completed', result: this.#wire.result(this.#execution) };
      case 'execution.failed':
        return { status: 'failed', code: entry.error.code, error: errorText(entry.error.message) };
      default:
        return membersOf(entry);
    }
  }
}

/** The members of a fact with the names of the wire: without its number, its time, and the place of its call. */
const membersOf = (fact: JournalEntry): object =>
  Object.fromEntries(
    Object.entries(fact).flatMap(([name, value]) => (name in FRAME ? [] : [[snakeCase(name), value]])),
  );

const FRAME: Readonly<Record<FactFrame, true>> = {
  ...{ type: true, seq: true, at: true },
  ...{ call: true, after: true, branch: true, loose: true, fork: true, inStep: true },
};

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A fact is rendered once for all its readers, because they read in the same turn of the event loop. */
const written = new Map<JournalEntry, string>();

const dueAt = (opened: Extract<JournalEntry, { dueAt: number | null }>): string | null => {
  const ms = shownDueAt(pauseOf(opened));
  return ms === null ? null : new Date(ms).toISOString();
};
