/** Events from the server, across reconnects. */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { RequestError } from './errors.ts';
import { Connection, type Http } from './http.ts';
import { backOff, delayAfter, isRetryable, pause } from './retry.ts';
import type { ChangesBody, JournalEvent, StreamEvent } from './wire.ts';

export interface FollowOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds before the n-th attempt in a row to reconnect, counted from 0. Default: 0.2 s, doubled up to 10 s. */
  readonly retryMs?: (attempt: number) => number;
  /** Called when a connection opens, and when it breaks before a reconnect. */
  readonly onConnection?: (isOpen: boolean) => void;
  /** Reconnects after this much silence. Milliseconds. Default 30_000: two heartbeats of the server. */
  readonly silenceMs?: number;
}

export interface StreamOptions extends FollowOptions {
  /** Only events with higher numbers. Default 0: from the beginning. */
  readonly after?: number;
}

const TWO_HEARTBEATS_MS = 30_000;

/** The position of a reader: its headers for the next connection. Undefined after the last event. */
interface Place {
  readonly path: string;
  headers(): Record<string, string> | undefined;
}

/**
 * Yields events across connections, until the position has no headers. Rejects with a `RequestError` that a retry
 * cannot change, such as 404, and with the signal's reason.
 */
async function* events(http: Http, place: Place, options: FollowOptions): AsyncGenerator<EventSourceMessage, void> {
  const { signal, retryMs = backOff, onConnection, silenceMs = TWO_HEARTBEATS_MS } = options;
  for (let attempt = 0; ; attempt += 1) {
    signal?.throwIfAborted();
    const headers = place.headers();
    if (headers === undefined) return;
    const init = await http.prepare({ headers: { accept: 'text/event-stream', ...headers } });
    const connection = new Connection(signal);
    let failure: unknown;
    try {
      const response = await http.open(place.path, init, connection);
      if (response.status === 204) return;
      onConnection?.(true);
      for await (const event of parsed(bodyOf(response), connection, silenceMs)) {
        attempt = 0;
        yield event;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!isRetryable(error) && !(error instanceof RequestError && error.status >= 500)) throw error;
      failure = error;
    } finally {
      connection.end();
    }
    if (place.headers() === undefined) return;
    onConnection?.(false);
    await pause(delayAfter(failure, retryMs(attempt)), signal);
  }
}

/** Any other content comes from a proxy, and might never end. */
const bodyOf = (response: Response): ReadableStream<Uint8Array<ArrayBuffer>> => {
  const type = response.headers.get('content-type') ?? '';
  if (response.body !== null && type.startsWith('text/event-stream')) return response.body;
  void response.body?.cancel().catch(() => {});
  throw new RequestError(response.status, { message: `Expected a stream of events, got ${type || 'nothing'}.` });
};

async function* parsed(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  connection: Connection,
  silenceMs: number,
): AsyncGenerator<EventSourceMessage, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const found: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void found.push(event) });
  try {
    for (;;) {
      const { done, value } = await connection.within(silenceMs, () => reader.read());
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* found.splice(0);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** The events of an execution, each once and in order, until it has settled. Rejects like `events`. */
export const streamOf = (http: Http, executionId: string, options: StreamOptions) =>
  numbered<StreamEvent>(http, `/executions/${encodeURIComponent(executionId)}/stream`, options);

/** The journal of an execution, in the same way. */
export const journalOf = (http: Http, executionId: string, options: StreamOptions) =>
  numbered<JournalEvent>(http, `/executions/${encodeURIComponent(executionId)}/journal`, options);

async function* numbered<Event extends { type: string; seq: number }>(
  http: Http,
  path: string,
  { after = 0, ...options }: StreamOptions,
): AsyncGenerator<Event, void> {
  let seen = after;
  let isOver = false;
  const headers = () => (isOver ? undefined : { 'last-event-id': String(seen) });
  for await (const { id, event, data } of events(http, { path, headers }, options)) {
    const body = JSON.parse(data) as { truncated_through?: number };
    const seq = id === undefined ? (body.truncated_through ?? seen) : Number(id);
    if (id !== undefined && !(seq > seen)) continue; // a proxy has repeated it
    seen = seq;
    isOver = event === 'execution.completed' || event === 'execution.failed';
    yield { type: event, seq, data: body } as unknown as Event;
    if (isOver) return;
  }
}

/** Changes, until the signal is aborted. Rejects like `events`. */
export async function* changesOf(http: Http, options: FollowOptions): AsyncGenerator<ChangesBody, void> {
  for await (const { data } of events(http, { path: '/executions/changes', headers: () => ({}) }, options)) {
    yield JSON.parse(data) as ChangesBody;
  }
}
