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
  /** `scheduled`: it will read at the end of this turn. `full`: the socket has to drain first. */
  #state: 'quiet' | 'scheduled' | 'reading' | 'full' | 'ended' = 'quiet';
  /** Frames of this turn that have not been written. */
  #unwritten = '';
  /** Facts that were published while it was behind. */
  readonly #unread = new UnreadFacts();
  /** New facts arrived while it was reading. */
  #hasNewFacts = false;
  /** The store returns the next page asynchronously. */
  #isLoadingPage = false;
  /** The runtime has stopped meanwhile: that page is the last one. */
  #hasRuntimeStopped = false;
  #unwatch: (() => void) | undefined;
  #cancelHeartbeat: (() => void) | undefined;

  constructor(runtime: Journals, execution: ExecutionView, translator: Translator, after: number, sink: Sink) {
    this.#runtime = runtime;
    this.#execution = execution;
    this.#translator = translator;
    this.#seen = after;
    this.#sink = sink;
  }

  begin(): void {
    this.#sink.onGone(() => this.#dispose());
    if (this.#state === 'ended') return;
    this.#sink.onDrain(() => this.#onDrain());
    this.#unwatch = this.#execution.watch(
      (entry) => this.#onFact(entry),
      () => this.#onRuntimeStopped(),
    );
    this.#scheduleHeartbeat(FIRST_HEARTBEAT_MS);
    this.#read();
  }

  #onFact(entry: JournalEntry): void {
    const isWaiting = this.#state === 'quiet' || this.#state === 'scheduled';
    try {
      if (isWaiting && entry.seq === this.#seen + 1) this.#append(entry);
      else if (this.#state !== 'ended') this.#keep(entry, isWaiting);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** It is read after the facts before it. */
  #keep(entry: JournalEntry, isWaiting: boolean): void {
    this.#unread.add(entry);
    if (this.#state === 'reading') this.#hasNewFacts = true;
    else if (isWaiting && isLast(entry)) this.#read();
    else if (isWaiting) this.#readAtEndOfTurn();
  }

  /** The last fact is written at once: a server that stops has closed its journals by the end of the turn. */
  #append(entry: JournalEntry): void {
    this.#unwritten += this.#translator.frames(entry);
    this.#seen = entry.seq;
    if (isLast(entry) || this.#translator.isOver) this.#close('');
    else if (this.#unwritten.length < PIECE) this.#readAtEndOfTurn();
    else if (!this.#send('')) this.#waitForDrain();
  }

  /** Reads at the end of this turn. */
  #readAtEndOfTurn(): void {
    if (this.#state !== 'quiet') return;
    this.#state = 'scheduled';
    setImmediate(readScheduled, this);
  }

  /** Called at the end of a turn with new facts. */
  readScheduled(): void {
    if (this.#state === 'scheduled') this.#read();
  }

  /** No more facts will arrive. Sends the rest, as far as the socket accepts it. */
  #onRuntimeStopped(): void {
    this.#hasRuntimeStopped = true;
    if (this.#isLoadingPage) return;
    if (this.#state === 'quiet' || this.#state === 'scheduled') this.#read();
    if (this.#state !== 'ended') this.#close(this.#translator.cut?.() ?? '');
  }

  #onDrain(): void {
    if (this.#state === 'full') this.#read();
  }

  #read(): void {
    try {
      this.#readPages();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Until there is nothing new, or the socket is full. */
  #readPages(): void {
    if (!this.#send('')) return void this.#waitForDrain();
    do {
      this.#state = 'reading';
      this.#hasNewFacts = false;
      const page = this.#unread.after(this.#seen) ?? this.#runtime.journal(this.#execution, this.#seen);
      if (page instanceof Promise) {
        this.#isLoadingPage = true;
        page.then((read) => this.#onPage(read)).catch((error: unknown) => this.#fail(error));
        return;
      }
      if (!this.#write(page)) return;
    } while (this.#state === 'reading');
  }

  /** The page has arrived. The client may have disconnected meanwhile. */
  #onPage(page: JournalPage | undefined): void {
    this.#isLoadingPage = false;
    if (this.#state === 'ended') return;
    if (this.#write(page) && this.#state === 'reading') this.#readPages();
    if (this.#hasRuntimeStopped) this.#onRuntimeStopped();
  }

  /** Returns true if there may be more. */
  #write(page: JournalPage | undefined): boolean {
    if (page === undefined) this.#close(this.#translator.cut?.() ?? '');
    else if (page.entries.length === 0) this.#pause();
    else return this.#writePage(page);
    return false;
  }

  /** There is nothing new. After the last fact of a settled execution the stream ends. */
  #pause(): void {
    if (this.#execution.isSettled && this.#seen >= this.#execution.context.seq) this.#end();
    else {
      this.#state = 'quiet';
      if (this.#hasNewFacts) this.#readAtEndOfTurn();
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
      if (!this.#send(piece)) return this.#waitForDrain();
      piece = '';
    }
    return this.#send(piece) || this.#waitForDrain();
  }

  #close(piece: string): false {
    this.#send(piece);
    this.#end();
    return false;
  }

  /** E1: the rest of the page is read again when the socket has room. */
  #waitForDrain(): false {
    if (this.#state !== 'ended') this.#state = 'full';
    return false;
  }

  /** Writes the frames of this turn, then `more`. Returns whether the socket accepts more. */
  #send(more: string): boolean {
    const piece = this.#unwritten + more;
    if (piece === '') return true;
    this.#unwritten = '';
    this.#cancelHeartbeat?.();
    this.#scheduleHeartbeat(HEARTBEAT_MS);
    return this.#sink.write(piece);
  }

  #scheduleHeartbeat(ms: number): void {
    this.#cancelHeartbeat = this.#runtime.after(ms, () => {
      this.#cancelHeartbeat = undefined;
      if (this.#state === 'full') this.#scheduleHeartbeat(HEARTBEAT_MS);
      else if (!this.#send(HEARTBEAT) && this.#state !== 'reading') this.#waitForDrain();
    });
  }

  #end(): void {
    this.#dispose();
    this.#sink.end();
  }

  #fail(error: unknown): void {
    if (this.#state === 'ended') return;
    this.#dispose();
    this.#sink.fail(error);
  }

  #dispose(): void {
    this.#state = 'ended';
    this.#unwritten = '';
    this.#unread.clear();
    this.#unwatch?.();
    this.#cancelHeartbeat?.();
    this.#cancelHeartbeat = undefined;
  }
}

const readScheduled = (reader: StreamReader): void => reader.readScheduled();
