/** A socket that takes what it is told to take. */
import type { Sink } from '../../server/http/route.ts';

export class FakeSink implements Sink {
  readonly pieces: string[] = [];
  readonly errors: unknown[] = [];
  state: 'open' | 'ended' | 'cut' | 'gone' = 'open';
  /** How many more pieces are taken before the socket is full. */
  room = Number.POSITIVE_INFINITY;
  #onDrain = (): void => {};
  #onGone = (): void => {};

  get text(): string {
    return this.pieces.join('');
  }

  write(piece: string): boolean {
    if (this.state !== 'open') return true;
    this.pieces.push(piece);
    this.room -= 1;
    return this.room > 0;
  }

  end(): void {
    if (this.state === 'open') this.state = 'ended';
  }

  fail(error: unknown): void {
    this.errors.push(error);
    if (this.state === 'open') this.state = 'cut';
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  onGone(listener: () => void): void {
    this.#onGone = listener;
  }

  drain(room = Number.POSITIVE_INFINITY): void {
    this.room = room;
    this.#onDrain();
  }

  leave(): void {
    this.state = 'gone';
    this.#onGone();
  }
}
