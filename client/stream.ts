/** The events of an execution, through as many connections as it takes. */
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { StreamEvent } from '../server/protocol.ts';
import { RequestError } from './errors.ts';
import type { Http } from './http.ts';

export interface StreamOptions {
  /** Only events with higher numbers. Default 0: from the beginning. */
  readonly after?: number;
  readonly signal?: AbortSignal;
  /** Milliseconds before the n-th attempt in a row to come back, counted from 0. Default: 0.2 s, doubled up to 10 s. */
  readonly retryMs?: (attempt: number) => number;
}

const backOff = (attempt: number): number => Math.min(10_000, 200 * 2 ** attempt);

/**
 * Yields each event once and in order, until the execution has settled. A connection that breaks is made again, from the
 * last event on. Rejects with a `RequestError` that a retry cannot mend, such as 404, and with the signal's reason.
 */
export async function* streamOf(
  http: Http,
  executionId: string,
  { after = 0, signal, retryMs = backOff }: StreamOptions,
): AsyncGenerator<StreamEvent, void> {
  let seen = after;
  for (let attempt = 0; ; attempt += 1) {
    try {
      for await (const event of connection(http, executionId, seen, signal)) {
        attempt = 0;
        seen = event.seq;
        yield event;
        if (event.type === 'execution.completed' || event.type === 'execution.failed') return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof RequestError && error.status < 500 && error.status !== 429) throw error;
      if (error instanceof Settled) return;
    }
    await pause(retryMs(attempt), signal);
  }
}

/** The server has no more to say than was seen. */
class Settled extends Error {}

async function* connection(
  http: Http,
  executionId: string,
  seen: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamEvent, void> {
  const headers = { accept: 'text/event-stream', 'last-event-id': String(seen) };
  const response = await http.send(`/executions/${encodeURIComponent(executionId)}/stream`, { headers, signal });
  if (response.status === 204 || response.body === null) throw new Settled();
  const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  try {
    for (let seq = seen; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      const data = JSON.parse(value.data) as { truncated_through?: number };
      seq = value.id === undefined ? (data.truncated_through ?? seq) : Number(value.id);
      yield { type: value.event, seq, data } as StreamEvent;
    }
  } finally {
    await reader.cancel().catch(() => {});
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
