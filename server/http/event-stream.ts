/**
 * Server-sent events: the journal of an execution, fact by fact, as text on a socket.
 *
 * A route gives `eventStream(...)` as its reply and says, with a translator, what each fact looks like; a translator that
 * knows the facts before (an adaptor of steps, a chat that counts) is made anew for every reader:
 *
 *     const { execution } = await runtime.start(request);
 *     return eventStream({ runtime, execution, translator: new ChatFrames(...), headers: { 'execution-id': execution.id } });
 *
 * E1  The journal is the only queue. A page of it is read when the socket has taken the last one, and nothing is kept
 *     here but the number of the last fact; a reader never slows the run.
 * E2  Frames come in the order of the journal, each fact once. Who is too far behind is told by `missed`.
 *     Output that is void by then, because its step has begun anew, is left out (`voidIn`).
 * E3  It ends when the settled execution's last fact has been written or its record has gone, when the server stops and
 *     the execution goes on in another process, and with the client. Then no watcher and no timer is left.
 */
import {
  type ExecutionView,
  isLast,
  type JournalEntry,
  type JournalPage,
  type Runtime,
  voidIn,
} from '../../runtime/index.ts';
import type { Reply, Sink } from './route.ts';

export interface Translator {
  /** Text of the frames for a fact, `''` for none. Facts come in order, and none comes twice. */
  frames(entry: JournalEntry): string;
  /** For a reader who has missed facts up to a number, output or only steps: the journal no longer has all of them. */
  missed(through: number, isOutputMissing: boolean): string;
  /** Text for a reader whose stream ends before it has had the last fact, as when the server stops. Default none. */
  cut?(): string;
  /** True: facts that are void are shown too. Default false. */
  readonly showsVoid?: boolean;
  /** True: what has been given was the last; the stream ends, though the run may go on. Default false. */
  readonly isOver?: boolean;
}

export interface EventStreamOptions {
  readonly runtime: Pick<Runtime, 'journal' | 'after'>;
  readonly execution: ExecutionView;
  readonly translator: Translator;
  /** Only facts with higher numbers are sent. Default 0: from the beginning. */
  readonly after?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export const eventStream = ({ runtime, execution, translator, after = 0, headers }: EventStreamOptions): Reply => ({
  status: 200,
  headers: { ...headers, ...STREAM_HEADERS },
  stream: (sink) => new EventStream(runtime, execution, translator, after, sink).begin(),
});

/** A stream that has only this to say. */
export const eventsOnly = (text: string): Reply => ({ status: 200, headers: STREAM_HEADERS, body: text });

/** A frame with a name, as `EventSource` understands it. */
export const eventFrame = (event: string, data: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies that compress or gather would hold events back.
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

/** Of silence, after which a comment shows proxies and clients that the stream lives. */
export const HEARTBEAT_MS = 15_000;
/** The first comes sooner: the head of the reply leaves with the first piece, and clients wait for it. */
const FIRST_HEARTBEAT_MS = 1_000;
export const HEARTBEAT = ':\n\n';

/** UTF-16 units that are written at once, about. */
const PIECE = 64 * 1024;

/** Facts that a reader waits for until the turn of the event loop is over; beyond it they are written at once. */
const MAX_BEHIND = 256;

class EventStream {
  readonly #runtime: EventStreamOptions['runtime'];
  readonly #execution: ExecutionView;
  readonly #translator: Translator;
  readonly #sink: Sink;
  #seen: number;
  /** Up to where the reader knows that facts are missing. */
  #missed = 0;
  /** `due`: it will look at the end of this turn. `full`: the socket has to drain first. */
  #state: 'quiet' | 'due' | 'reading' | 'full' | 'ended' = 'quiet';
  /** There was news while it was reading. */
  #hasNews = false;
  /** The store gives the next page later. */
  #isWaiting = false;
  /** The runtime has stopped meanwhile: what that page has is the last. */
  #isGone = false;
  #unwatch: (() => void) | undefined;
  #callOffBeat: (() => void) | undefined;

  constructor(
    runtime: EventStreamOptions['runtime'],
    execution: ExecutionView,
    translator: Translator,
    after: number,
    sink: Sink,
  ) {
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
    if (this.#state === 'reading') this.#hasNews = true;
    else if (this.#state === 'quiet' || this.#state === 'due') {
      // The last fact is not put off: a server that stops has closed its journals by the end of the turn.
      if (isLast(entry) || entry.seq - this.#seen >= MAX_BEHIND) this.#read();
      else if (this.#state === 'quiet') {
        this.#state = 'due';
        setImmediate(readOf, this);
      }
    }
  }

  /** At the end of a turn in which there was news. */
  due(): void {
    if (this.#state === 'due') this.#read();
  }

  /** Nothing more will be told here: what has been told is all, as far as the socket takes it. */
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
    do {
      this.#state = 'reading';
      this.#hasNews = false;
      const page = this.#runtime.journal(this.#execution, this.#seen);
      if (page instanceof Promise) {
        this.#isWaiting = true;
        page.then((read) => this.#goOn(read)).catch((error: unknown) => this.#fail(error));
        return;
      }
      if (!this.#write(page)) return;
    } while (this.#state === 'reading');
  }

  /** The page is there; the client may have left meanwhile. */
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

  /** Nothing new. A settled execution whose last fact has been seen has nothing more to come. */
  #pause(): void {
    if (this.#execution.isSettled && this.#seen >= this.#execution.context.seq) this.#end();
    else if (!this.#hasNews) this.#state = 'quiet';
    else {
      this.#state = 'due';
      setImmediate(readOf, this);
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

  /** E1: the rest of the page is read again when there is room for it. */
  #wait(): false {
    if (this.#state !== 'ended') this.#state = 'full';
    return false;
  }

  #send(piece: string): boolean {
    if (piece === '') return true;
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
    this.#unwatch?.();
    this.#callOffBeat?.();
    this.#callOffBeat = undefined;
  }
}

const readOf = (stream: EventStream): void => stream.due();
