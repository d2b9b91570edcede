/** A client of event streams, on a connection of its own, which it can cut after any frame. */
import type { IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import { openRequest } from './http-client.ts';

export interface StreamRequest {
  readonly method?: 'GET' | 'POST';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export class EventReader {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** Resolves when the stream has ended, in whichever way. */
  readonly ended: Promise<void>;
  readonly #response: IncomingMessage;
  #text = '';
  #hasEnded = false;
  #wake = (): void => {};

  constructor(response: IncomingMessage) {
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.#response = response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.#text += text;
      this.#wake();
    });
    response.on('error', () => {});
    this.ended = new Promise((resolve) => {
      response.on('close', () => {
        this.#hasEnded = true;
        this.#wake();
        resolve();
      });
    });
  }

  /** Whether it has ended as a whole reply does, and was not cut. */
  get isComplete(): boolean {
    return this.#response.complete;
  }

  get text(): string {
    return this.#text;
  }

  /** The first frames, without comments; waits until there are so many, or the stream has ended. */
  async frames(count = Number.POSITIVE_INFINITY): Promise<string[]> {
    for (;;) {
      const all = this.#text.split('\n\n').filter((frame, at, { length }) => at < length - 1 && frame !== ':');
      if (all.length >= count || this.#hasEnded) return all.slice(0, count);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  disconnect(): void {
    this.#response.destroy();
  }
}

/** Resolves with the head. The connection is cut at the end of the test. */
export const openStream = async (t: TestContext, url: string, order: StreamRequest = {}): Promise<EventReader> => {
  const { method = 'GET', ...options } = order;
  const { origin, pathname, search } = new URL(url);
  const controller = new AbortController();
  t.after(() => controller.abort());
  return new EventReader(
    await openRequest(origin, `${method} ${pathname}${search}`, { ...options, signal: controller.signal }),
  );
};

/** The id of the last event among frames. */
export const lastId = (frames: readonly string[]): string => /^id: (\d+)/m.exec(frames.at(-1) ?? '')?.[1] ?? '0';
