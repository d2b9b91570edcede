/** The text of server-sent events, and the translators that write it. */
import type { JournalEntry } from '../../runtime/index.ts';

export interface Translator {
  /** Text of the frames for a fact, `''` for none. Facts arrive in order, each once. */
  frames(entry: JournalEntry): string;
  /** For a reader that missed facts up to a number, output or only steps: the journal no longer has all of them. */
  missed(through: number, isOutputMissing: boolean): string;
  /** Text for a reader whose stream ends before the last fact, as at a shutdown. Default none. */
  cut?(): string;
  /** True: void facts are shown too. Default false. */
  readonly showsVoid?: boolean;
  /** True: the last frame was sent. The stream ends, although the run may continue. Default false. */
  readonly isOver?: boolean;
}

/** A named frame, for `EventSource`. */
export const eventFrame = (event: string, data: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies that compress or buffer would delay events.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const;

/** After this silence, a comment shows proxies and clients that the stream is alive. */
export const HEARTBEAT_MS = 15_000;
export const HEARTBEAT = ':\n\n';
