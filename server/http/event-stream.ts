/**
 * Server-sent events: the journal of an execution, fact by fact, as the reply of a route. A translator renders each fact.
 * A translator with state (an adaptor of steps, a chat that counts) is created for every reader:
 *
 *     const { execution } = await runtime.start(request);
 *     return eventStream({ runtime, execution, translator: new ChatFrames(...), headers: { 'execution-id': execution.id } });
 */
import type { ExecutionView, Runtime } from '../../runtime/index.ts';
import { STREAM_HEADERS, type Translator } from './event-frames.ts';
import type { Reply } from './route.ts';
import { StreamReader } from './stream-reader.ts';

export interface EventStreamOptions {
  readonly runtime: Pick<Runtime, 'journal' | 'after'>;
  readonly execution: ExecutionView;
  readonly translator: Translator;
  /** Only facts with higher numbers are sent. Default 0: from the beginning. */
  readonly after?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export const eventStream = ({
  runtime,
  execution,
  translator,
  after = 0,
  headers,
}: EventStreamOptions): Reply<never> => ({
  status: 200,
  headers: { ...headers, ...STREAM_HEADERS },
  stream: (sink) => new StreamReader(runtime, execution, translator, after, sink).begin(),
});

/** A stream that contains only this text. */
export const eventsOnly = (text: string): Reply<never> => ({ status: 200, headers: STREAM_HEADERS, body: text });
