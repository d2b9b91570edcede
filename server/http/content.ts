/** Sends a content piece by piece: it reads the next piece when the socket has accepted the last one. */
import type { Content, Sink } from './route.ts';

/** Maximum bytes of a piece. A client that reads slowly costs about as much memory, however large the content is. */
export const PIECE_BYTES = 64 * 1024;

/** The content is closed in the end, whatever happens. */
export const sendContent = (content: Content, sink: Sink): void => {
  const sending = new Sending(content, sink);
  sink.onGone(() => sending.close());
  sink.onDrain(() => void sending.run());
  void sending.run();
};

class Sending {
  readonly #content: Content;
  readonly #sink: Sink;
  #left: number;
  #isClosed = false;

  constructor(content: Content, sink: Sink) {
    this.#content = content;
    this.#sink = sink;
    this.#left = content.length;
  }

  /** Until the socket is full. */
  async run(): Promise<void> {
    try {
      for (let hasRoom = true; hasRoom && !this.#isClosed; ) {
        const piece = await this.#content.read(Math.min(this.#left, PIECE_BYTES));
        if (this.#isClosed) return;
        this.#left -= piece.length;
        if (piece.length === 0 || this.#left < 0) throw new Error('a content has not as many bytes as was announced');
        if (this.#left === 0) this.close(); // the reply may end inside `write`
        hasRoom = this.#sink.write(piece);
      }
      if (this.#left === 0) this.#sink.end();
    } catch (error) {
      this.close();
      this.#sink.fail(error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#content.close();
  }
}
