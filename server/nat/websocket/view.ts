/**
 * Shows a turn on one socket: reads the journal from a position, as fast as the socket accepts messages. The next page
 * is read after the last one was sent, so only the messages of a few facts are buffered, and the facts that were
 * published since then, up to a limit.
 */
import {
  isLast,
  type JournalEntry,
  type JournalPage,
  type Pause,
  type Runtime,
  UnreadFacts,
  voidIn,
} from '../../../runtime/index.ts';
import type { Translator } from './translator.ts';
import { type Place, type Turn, writeCursor } from './turn.ts';

/** The socket for a view. */
export interface Sink {
  /** Whether all messages were sent. */
  readonly isClear: boolean;
  send(messages: readonly string[]): void;
  /** Sends a close frame. Default: the client closes. */
  close?(code: number, reason: string): void;
}

export interface ViewSetup {
  readonly turn: Turn;
  readonly translator: Translator;
  readonly sink: Sink;
  readonly runtime: Runtime;
  /** Whether every message contains its position, in a member `cursor`. */
  readonly counted: boolean;
  onError(error: unknown): void;
}

/** Approximate number of characters that are sent before the next check of the socket. */
const BATCH = 32 * 1024;

type Message = { readonly place: Place; readonly text: string };

export class View {
  readonly #given: ViewSetup;
  /** Everything before this position was shown. */
  readonly #from: Place;
  #seq = 0;
  /** Facts that were published and not read yet. */
  readonly #unread = new UnreadFacts();
  #unsent: Message[] = [];
  /** Number of characters of these. */
  #length = 0;
  /** Position of the last sent message. */
  #sent: Place;
  #isNews = true;
  #isOver = false;
  /** A page was requested, and the store returns it asynchronously. */
  #isReading = false;
  /** No more messages will follow. */
  #isGone = false;
  #unwatch: (() => void) | undefined;

  /** Shows the turn here, and on no other socket. Without `from` it continues at the position of the network. */
  constructor(given: ViewSetup, from: Place | undefined) {
    const { turn } = given;
    this.#given = given;
    this.#from = from ?? turn.progress.seen;
    this.#sent = this.#from;
    turn.progress.view?.stop();
    turn.progress.view = this;
    this.#unwatch = turn.execution.watch(
      (entry) => this.#hear(entry),
      () => this.#last(),
    );
    this.go();
  }

  /** Whether the turn is still shown here, running or ended. */
  get isShowing(): boolean {
    return this.#given.turn.progress.view === this;
  }

  stop(): void {
    this.#rest();
    this.#unsent = [];
    this.#length = 0;
    this.#isOver = true;
    if (this.isShowing) this.#given.turn.progress.view = undefined;
  }

  /** There may be new facts, or room for messages. */
  go(): void {
    if (!this.#flush() || this.#isOver || !this.#isNews || this.#isReading) return;
    this.#isNews = false;
    this.#read();
  }

  /** Facts of one turn of the event loop are read together. */
  #hear(entry: JournalEntry): void {
    this.#unread.add(entry);
    const wasNews = this.#isNews;
    this.#isNews = true;
    if (!wasNews) queueMicrotask(() => this.go());
  }

  /** No more messages: the server stops, and the execution continues in another process. */
  #last(): void {
    this.#isGone = true;
    this.go();
    if (!this.#isOver && !this.#isReading) this.#end();
  }

  #read(): void {
    const { runtime, turn } = this.#given;
    try {
      const page = this.#unread.after(this.#seq) ?? runtime.journal(turn.execution, this.#seq);
      if (!(page instanceof Promise)) {
        this.#take(page);
        return;
      }
      this.#isReading = true;
      page.then((read) => this.#takeLater(read)).catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  #takeLater(page: JournalPage | undefined): void {
    this.#isReading = false;
    if (this.#isOver) return;
    this.#take(page);
    if (this.#isGone && !this.#isOver && !this.#isReading) this.#end();
  }

  #fail(error: unknown): void {
    this.#isReading = false;
    this.#end();
    this.#given.onError(error);
  }

  /** Sends an open prompt or consent again. */
  ask(pause: Pause): void {
    const { sink, translator } = this.#given;
    sink.send(translator.pause(pause).map((message) => this.#write(message, this.#sent)));
  }

  #take(page: JournalPage | undefined): void {
    if (page === undefined) {
      this.#end();
      return;
    }
    const { entries } = page;
    const truncatedThrough = page.isOutputMissing === false ? null : page.truncatedThrough;
    if (truncatedThrough !== null && truncatedThrough > Math.max(this.#from.seq, this.#seq)) {
      const last = { seq: truncatedThrough, part: 0 };
      this.#add(this.#given.translator.truncated(truncatedThrough), last);
    }
    const voids = voidIn(entries);
    for (const entry of entries) {
      if (this.#length >= BATCH && !this.#flush()) {
        this.#isNews = true; // the rest is read again when there is room
        return;
      }
      if (entry.seq > this.#from.seq && voids?.has(entry)) this.#seq = entry.seq;
      else this.#show(entry);
    }
    this.#unread.forget(this.#seq);
    this.go();
  }

  #show(entry: JournalEntry): void {
    const { seq } = entry;
    const from = this.#from;
    this.#seq = seq;
    const messages = this.#given.translator.messages(entry, seq <= from.seq);
    const isAsking = entry.type === 'interaction.requested' || entry.type === 'oauth.requested';
    const shown = seq > from.seq || isAsking ? 0 : seq === from.seq ? from.part : messages.length;
    for (const [index, message] of messages.entries()) {
      if (index >= shown) this.#add(message, { seq, part: index + 1 });
    }
    if (isLast(entry)) this.#end();
  }

  #add(message: object, place: Place): void {
    const text = this.#write(message, place);
    this.#unsent.push({ place, text });
    this.#length += text.length;
  }

  #write(message: object, place: Place): string {
    const { counted, turn } = this.#given;
    return JSON.stringify(counted ? { ...message, cursor: writeCursor(turn.execution, place) } : message);
  }

  /** Sends buffered messages while the socket accepts them. False if some are left, or are unsent. */
  #flush(): boolean {
    const { sink, turn } = this.#given;
    if (!this.isShowing || !sink.isClear) return false;
    turn.progress.seen = this.#sent;
    while (this.#unsent.length > 0) {
      const batch = this.#nextBatch();
      sink.send(batch.map(({ text }) => text));
      this.#sent = later(this.#sent, batch.at(-1)!.place);
      if (!sink.isClear) return false;
      turn.progress.seen = this.#sent;
    }
    return true;
  }

  /** Nothing is sent after a message that fills the socket, which would drop it. */
  #nextBatch(): Message[] {
    let count = 0;
    let length = 0;
    while (count < this.#unsent.length && length < BATCH) length += this.#unsent[count++]!.text.length;
    this.#length -= length;
    return this.#unsent.splice(0, count);
  }

  #end(): void {
    this.#isOver = true;
    this.#rest();
    this.#flush();
  }

  #rest(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#unread.clear();
  }
}

/** A repeated prompt does not move the position back. */
const later = (a: Place, b: Place): Place => (b.seq > a.seq || (b.seq === a.seq && b.part > a.part) ? b : a);
