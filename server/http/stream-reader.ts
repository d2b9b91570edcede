/**
 * Reads the journal of an execution for one client, and writes it to a socket.
 *
 * E1  A reader that keeps up receives each fact when it is published, so the journal may drop the fact right away. A reader
 *     that is behind has the facts that were published since then, up to a limit (`UnreadFacts`), and beyond it reads the
 *     journal: the next page when the socket has accepted the last one. A reader never slows the run.
 * E2  Frames have the order of the journal, each fact once. `missed` notifies a reader that is too far behind. Void
 *     output, of a step that has restarted, is left out (`voidIn`).
 * E3  A stream ends after the last fact of a settled execution, when its record is deleted, when the server stops and
 *     the execution continues in another process, and when the client disconnects. It then leaves no subscription and
 *     no timer.
 */
import {
  type ExecutionView,
  isLast,
  type JournalEntry,
  type JournalPage,
  type Runtime,
  UnreadFacts,
  voidIn,
} from '../../runtime/index.ts';
import { HEARTBEAT, HEARTBEAT_MS, type Translator } from './event-frames.ts';
import { PIECE } from './pieces.ts';
import type { Sink } from './route.ts';

type Journals = Pick<Runtime, 'journal' | 'after'>;

/** The first comment comes earlier: the head of the reply is sent with the first piece, and clients wait for it. */
const FIRST_HEARTBEAT_MS = 1_000;

export class StreamReader {
  readonly #runtime: Journals;
  readonly #execution: ExecutionView;
  readonly #translator: Translator;
  readonly #sink: Sink;
  #seen: number;
  /** The reader has been notified of missing facts up to this number. */
  #missed = 0;
  /** `due`: it will read at the end of this turn. `full`: the socket has to drain first. */
  #state: 'quiet' | 'due' | 'reading' | 'full' | 'ended' = 'quiet';
  /** Frames of this turn that have not been written. */
  #fresh = '';
  /** Facts that were published while it was behind. */
  readonly #unread = new UnreadFacts();
  /** New facts arrived while it was reading. */
  #hasNews = false;
  /** The store returns the next page asynchronously. */
  #isWaiting = false;
  /** The runtime has stopped meanwhile: that page is the last one. */
  #isGone = false;
  #unwatch: (() => void) | undefined;
  #callOffBeat: (() => void) | undefined;

  constructor(runtime: Journals, execution: ExecutionView, translator: Translator, after: number, sink: Sink) {
    this.#runtime = runtime;
    this.#execution = execution;
    this.#translator = translator;
    this.#seen = after;
    this.#sink = sink;
  }

  begin(): void {
    this.#sink.onGone(() => this.#leave());
    if (this.#state === 'ended') return;
    this.#sink.onDrain(() => this.#drained());
    this.#unwatch = this.#execution.watch(
      (entry) => this.#news(entry),
      () => this.#last(),
    );
    this.#beatIn(FIRST_HEARTBEAT_MS);
    this.#read();
  }

  #news(entry: JournalEntry): void {
    const isWaiting = this.#state === 'quiet' || this.#state === 'due';
    try {
      if (isWaiting && entry.seq === this.#seen + 1) this.#take(entry);
      else if (this.#state !== 'ended') this.#keep(entry, isWaiting);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** It is read after the facts before it. */
  #keep(entry: JournalEntry, isWaiting: boolean): void {
    this.#unread.add(entry);
    if (this.#state === 'reading') this.#hasNews = true;
    else if (isWaiting && isLast(entry)) this.#read();
    else if (isWaiting) this.#look();
  }

  /** The last fact is written at once: a server that stops has closed its journals by the end of the turn. */
  #take(entry: JournalEntry): void {
    this.#fresh += this.#translator.frames(entry);
    this.#seen = entry.seq;
    if (isLast(entry) || this.#translator.isOver) this.#close('');
    else if (this.#fresh.length < PIECE) this.#look();
    else if (!this.#send('')) this.#wait();
  }

  /** Reads at the end of this turn. */
  #look(): void {
    if (this.#state !== 'quiet') return;
    this.#state = 'due';
    setImmediate(readOf, this);
  }

  /** At the end of a turn with new facts. */
  due(): void {
    if (this.#state === 'due') this.#read();
  }

  /** No more facts will arrive. Sends the rest, as far as the socket accepts it. */
  #last(): void {
    this.#isGone = true;
    if (this.#isWaiting) return;
    if (this.#state === 'quiet' || this.#state === 'due') this.#read();
    if (this.#state !== 'ended') this.#close(this.#translator.cut?.() ?? '');
  }

  #drained(): void {
    if (this.#state === 'full') this.#read();
  }

  #read(): void {
    try {
      this.#readOn();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Until there is nothing new, or the socket is full. */
  #readOn(): void {
    if (!this.#send('')) return void this.#wait();
    do {
      this.#state = 'reading';
      this.#hasNews = false;
      const page = this.#unread.after(this.#seen) ?? this.#runtime.journal(this.#execution, this.#seen);
      if (page instanceof Promise) {
        this.#isWaiting = true;
        page.then((read) => this.#goOn(read)).catch((error: unknown) => this.#fail(error));
        return;
      }
      if (!this.#write(page)) return;
    } while (this.#state === 'reading');
  }

  /** The page has arrived. The client may have disconnected meanwhile. */
  #goOn(page: JournalPage | undefined): void {
    this.#isWaiting = false;
    if (this.#state === 'ended') return;
    if (this.#write(page) && this.#state === 'reading') this.#readOn();
    if (this.#isGone) this.#last();
  }

  /** True: there may be more. */
  #write(page: JournalPage | undefined): boolean {
    if (page === undefined) this.#close(this.#translator.cut?.() ?? '');
    else if (page.entries.length === 0) this.#pause();
    else return this.#writePage(page);
    return false;
  }

  /** Nothing new. After the last fact of a settled execution the stream ends. */
  #pause(): void {
    if (this.#execution.isSettled && this.#seen >= this.#execution.context.seq) this.#end();
    else {
      this.#state = 'quiet';
      if (this.#hasNews) this.#look();
    }
  }

  #writePage({ entries, truncatedThrough, isOutputMissing = true }: JournalPage): boolean {
    let piece = '';
    if (truncatedThrough !== null && truncatedThrough > this.#missed) {
      this.#missed = truncatedThrough;
      piece = this.#translator.missed(truncatedThrough, isOutputMissing);
      if (this.#translator.isOver) return this.#close(piece);
    }
    const voids = this.#translator.showsVoid === true ? undefined : voidIn(entries);
    for (const entry of entries) {
      if (voids?.has(entry) !== true) piece += this.#translator.frames(entry);
      this.#seen = entry.seq;
      if (isLast(entry) || this.#translator.isOver) return this.#close(piece);
      if (piece.length < PIECE) continue;
      if (!this.#send(piece)) return this.#wait();
      piece = '';
    }
    return this.#send(piece) || this.#wait();
  }

  #close(piece: string): false {
    this.#send(piece);
    this.#end();
    return false;
  }

  /** E1: the rest of the page is read again when the socket has room. */
  #wait(): false {
    if (this.#state !== 'ended') this.#state = 'full';
    return false;
  }

  /** After what is fresh. */
  #send(more: string): boolean {
    const piece = this.#fresh + more;
    if (piece === '') return true;
    this.#fresh = '';
    this.#callOffBeat?.();
    this.#beatIn(HEARTBEAT_MS);
    return this.#sink.write(piece);
  }

  #beatIn(ms: number): void {
    this.#callOffBeat = this.#runtime.after(ms, () => {
      this.#callOffBeat = undefined;
      if (this.#state === 'full') this.#beatIn(HEARTBEAT_MS);
      else if (!this.#send(HEARTBEAT) && this.#state !== 'reading') this.#wait();
    });
  }

  #end(): void {
    this.#leave();
    this.#sink.end();
  }

  #fail(error: unknown): void {
    if (this.#state === 'ended') return;
    this.#leave();
    this.#sink.fail(error);
  }

  #leave(): void {
    this.#state = 'ended';
    this.#fresh = '';
    this.#unread.clear();
    this.#unwatch?.();
    this.#callOffBeat?.();
    this.#callOffBeat = undefined;
  }
}

const readOf = (reader: StreamReader): void => reader.due();
