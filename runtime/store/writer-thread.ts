/**
 * Writes batches to the file, in a thread of its own. A lost thread is replaced by the next probe.
 *
 * If the file refuses the changes of one writer, the thread repeats the batch writer by writer.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Change, JournalChange } from './changes.ts';
import { type Directory, PRAGMAS } from './directory.ts';
import type { Part, Refusal, Target } from './group-commit.ts';
import { COUNT, type Parameter, WRITES, type Write } from './schema.ts';

const NAMES = Object.keys(WRITES) as Write[];
const PLACES = Object.fromEntries(NAMES.map((name, place) => [name, place])) as Record<Write, number>;

/** Indexes of statements, each followed by the number of its parameters, and by these. */
type Statements = (number | Parameter)[];
/** `ends`: the end of each writer in the list. */
type Message = 'close' | Statements | { readonly list: Statements; readonly ends: readonly number[] };
/** The result of the thread: null if all was written. */
type Reply = null | Refused | { readonly refused: readonly (readonly [place: number, why: Refused])[] };
type Refused = { readonly message: string; readonly code?: string };

export class WriterThread implements Target {
  readonly #directory: Directory;
  /** Whether the file has the facts. */
  readonly #has: (change: JournalChange) => boolean;
  /** Undefined after it was lost. */
  #worker: Worker | undefined;
  /** The request that it has not replied to. */
  #asked: { resolve(reply: Reply): void; reject(cause: unknown): void } | undefined;
  #isClosing = false;
  onLost: (cause: unknown) => void = ignore;

  private constructor(directory: Directory, has: (change: JournalChange) => boolean) {
    this.#directory = directory;
    this.#has = has;
  }

  /** Resolves when it can write. Rejects if the file cannot be opened. */
  static async open(directory: Directory, has: (change: JournalChange) => boolean): Promise<WriterThread> {
    const thread = new WriterThread(directory, has);
    await thread.#begin();
    return thread;
  }

  async write(parts: readonly Part[]): Promise<readonly Refusal[]> {
    const list: Statements = [];
    const ends: number[] = [];
    for (const { changes } of parts) {
      for (const change of changes) lower(change, list);
      ends.push(list.length);
    }
    try {
      let reply = await this.#ask(list);
      if (reply !== null && 'message' in reply && isOfWriter(reply.code)) reply = await this.#ask({ list, ends });
      if (reply === null) return [];
      if ('message' in reply) throw errorOf(reply);
      return reply.refused.map(([place, why]) => [parts[place]!, errorOf(why)]);
    } catch (cause) {
      // The thread may have written before it was lost. A batch is one transaction, so one found part means all.
      if (this.#worker === undefined && parts.some(({ changes }) => changes.some((one) => this.#isInFile(one))))
        return [];
      throw cause;
    }
  }

  async probe(): Promise<void> {
    const reply = await this.#ask([PLACES.put, 3, 'probe', '', String(Date.now())]);
    if (reply !== null && 'message' in reply) throw errorOf(reply);
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#isClosing = true;
    if (worker === undefined) return;
    const ended = once(worker, 'exit');
    worker.postMessage('close' satisfies Message);
    await ended;
  }

  #isInFile(change: Change): boolean {
    return change.change === 'journal' && this.#has(change);
  }

  async #ask(message: Message): Promise<Reply> {
    if (this.#worker === undefined) await this.#begin();
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#worker!.postMessage(message);
    });
  }

  async #begin(): Promise<void> {
    const worker = threadOf(this.#directory);
    await once(worker, 'message'); // rejects on 'error'
    this.#worker = worker;
    worker.on('message', (reply: Reply) => this.#take()?.resolve(reply));
    let cause: unknown = new Error('The writer thread has ended.');
    worker.on('error', (error) => (cause = error));
    worker.on('exit', () => {
      this.#worker = undefined;
      const asked = this.#take();
      if (asked !== undefined) asked.reject(cause);
      else if (!this.#isClosing) this.onLost(cause);
    });
  }

  #take() {
    const asked = this.#asked;
    this.#asked = undefined;
    return asked;
  }
}

const threadOf = ({ file, owner, commits }: Directory): Worker =>
  new Worker(new URL('./writer.mjs', import.meta.url), {
    workerData: {
      file,
      owner,
      commits,
      pragmas: PRAGMAS,
      writes: Object.values(WRITES),
      facts: PLACES.facts,
      count: COUNT,
    },
    execArgv: [],
  });

const add = (list: Statements, write: Write, ...parameters: Parameter[]): void => {
  list.push(PLACES[write], parameters.length, ...parameters);
};

/** The statements of a change. */
const lower = (change: Change, list: Statements): void => {
  if (change.change === 'journal') lowerJournal(change, list);
  else if (change.change === 'removal') {
    if (change.n !== undefined) add(list, 'clear', change.n);
    for (const write of ['forgetNames', 'forgetFacts', 'forget'] as const) add(list, write, change.id);
  } else if (change.text === undefined) add(list, 'remove', change.kind, change.key);
  else add(list, 'put', change.kind, change.key, change.text);
};

const lowerJournal = (change: JournalChange, list: Statements): void => {
  const { n, id, record, row, expected, facts, truncatedThrough } = change;
  const { stand, isUnfinished, awaitingSince, dueAt, settledAt, outline } = row;
  const unfinished = isUnfinished ? 1 : 0;
  if (expected === 0) {
    const { owner, workflow, startedAt } = record.applied.context;
    const { version, names } = record.origin;
    const started = [id, owner, workflow, version, startedAt] as const;
    add(list, 'begin', n, ...started, stand, unfinished, awaitingSince, dueAt, settledAt, outline);
    for (const { name, fingerprint } of names) add(list, 'name', name, n, fingerprint);
  } else add(list, 'stand', stand, unfinished, awaitingSince, dueAt, settledAt, outline, n);
  if (truncatedThrough > 0) {
    add(list, 'clear', n);
    add(list, 'facts', n, 0, facts);
    add(list, 'truncated', truncatedThrough, n);
  } else add(list, 'facts', n, expected === 0 ? 0 : expected + 1, facts);
};

/** The file seems sound, and refuses the writes of one writer. */
const isOfWriter = (code = ''): boolean =>
  !/^(SQLITE|FERMATA)_/.test(code) || /^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|RANGE|MISUSE|CORRUPT)/.test(code);

const errorOf = ({ message, code }: Refused): Error => Object.assign(new Error(message), { code });

const ignore = (): void => {};
