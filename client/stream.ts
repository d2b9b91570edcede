/** Events from the server, through as many connections as it takes. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { ChangesBody, JournalEvent, StreamEvent } from '../server/protocol.ts';
import { RequestError } from './errors.ts';
import type { Http } from './http.ts';

export interface FollowOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds before the n-th attempt in a row to come back, counted from 0. Default: 0.2 s, doubled up to 10 s. */
  readonly retryMs?: (attempt: number) => number;
  /** Told when a connection stands, and when it is lost and will be made again. */
  readonly onConnection?: (isOpen: boolean) => void;
}

export interface StreamOptions extends FollowOptions {
  /** Only events with higher numbers. Default 0: from the beginning. */
  readonly after?: number;
}

const backOff = (attempt: number): number => Math.min(10_000, 200 * 2 ** attempt);

interface ServerEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** How a reader goes on: what it has to say when it comes back. Undefined once there is nothing more to come. */
interface Place {
  readonly path: string;
  headers(): Record<string, string> | undefined;
}

/**
 * Yields the events of one connection after the other, for as long as there is a place to go on from. Rejects with a
 * `RequestError` that a retry cannot mend, such as 404, and with the signal's reason.
 */
async function* events(http: Http, place: Place, options: FollowOptions): AsyncGenerator<ServerEvent, void> {
  const { signal, retryMs = backOff, onConnection } = options;
  for (let attempt = 0; ; attempt += 1) {
    const headers = place.headers();
    if (headers === undefined) return;
    try {
      const response = await http.send(place.path, { headers: { accept: 'text/event-stream', ...headers }, signal });
      if (response.status === 204 || response.body === null) return;
      onConnection?.(true);
      for await (const event of parsed(response.body)) {
        attempt = 0;
        yield event;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof RequestError && error.status < 500 && error.status !== 429) throw error;
    }
    if (place.headers() === undefined) return;
    onConnection?.(false);
    await pause(retryMs(attempt), signal);
  }
}

async function* parsed(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<ServerEvent, void> {
  const reader = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const { id, event, data } = next.value;
      yield { id, event, data };
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** The events of an execution, each once and in order, until it has settled. Rejects as `events`. */
export const streamOf = (http: Http, executionId: string, options: StreamOptions) =>
  numbered<StreamEvent>(http, `/executions/${encodeURIComponent(executionId)}/stream`, options);

/** Its journal, likewise. */
export const journalOf = (http: Http, executionId: string, options: StreamOptions) =>
  numbered<JournalEvent>(http, `/executions/${encodeURIComponent(executionId)}/journal`, options);

async function* numbered<Event extends { type: string; seq: number }>(
  http: Http,
  path: string,
  { after = 0, ...options }: StreamOptions,
): AsyncGenerator<Event, void> {
  let seen: number | undefined = after;
  const headers = () => (seen === undefined ? undefined : { 'last-event-id': String(seen) });
  for await (const { id, event, data } of events(http, { path, headers }, options)) {
    const body = JSON.parse(data) as { truncated_through?: number };
    const seq: number = id === undefined ? (body.truncated_through ?? seen ?? 0) : Number(id);
    const isLast = event === 'execution.completed' || event === 'execution.failed';
    seen = isLast ? undefined : seq;
    yield { type: event, seq, data: body } as unknown as Event;
    if (isLast) return;
  }
}

/** That something has changed, until the signal is aborted. Rejects as `events`. */
export async function* changesOf(http: Http, options: FollowOptions): AsyncGenerator<ChangesBody, void> {
  for await (const { data } of events(http, { path: '/executions/changes', headers: () => ({}) }, options)) {
    yield JSON.parse(data) as ChangesBody;
  }
}

const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
