/**
 * What a run has done before, for a run that does it again: in another process, or after it had left memory.
 *
 * The function is executed from the top. Each of its calls finds by its number what it has led to, and gets that instead of
 * doing it again; the calls of `ctx` are numbered in the order in which they are made.
 *
 * P1  The run hears what it heard before in the order in which it heard it: an entry is told only when all calls that
 *     come before it in the journal have been made again.
 * P2  A call that is not the one that has its number in the journal ends the replay: the workflow is another one now.
 * P3  What is not in the journal is new, also while older entries are still to be told: it is done, and recorded.
 */
import type { JournalEntry } from '../machines/facts.ts';
import type { NewFact, Phase } from './execution.ts';

/** A fact that a call of `ctx` causes. */
export type CallFact = Extract<NewFact, { call: number }>;
type CallEntry = Extract<JournalEntry, { call: number }>;
type StepEnd = Extract<JournalEntry, { type: 'step.completed' | 'step.failed' }>;

/** An entry, and where the execution stood after it. */
export type Past = { readonly entry: JournalEntry; readonly phase: Phase };

/** The run, as far as the replay has to do with it. */
export interface Replayed {
  /** An entry that the run hears of as if it had happened just now. */
  retold(entry: JournalEntry, phase: Phase): void;
  /** All has been told. */
  caughtUp(): void;
  /** P2 */
  changed(expected: string, came: string): void;
}

export class Replay {
  readonly #past: Past[];
  #next = 0;
  readonly #run: Replayed;
  /** By number of the call: what it has led to that it has not been given again. The first is what opened it. */
  readonly #calls = new Map<number, CallEntry[]>();
  readonly #ends = new Map<number, StepEnd>();
  readonly #made = new Set<CallEntry>();
  readonly #lastCall: number;
  /** Those that wait for an entry to be told. */
  readonly #passing = new Map<JournalEntry, () => void>();
  #isScheduled = false;
  /** Number of the last entry that is replayed. */
  readonly through: number;

  constructor(past: Past[], run: Replayed) {
    this.#past = past;
    this.#run = run;
    let lastCall = -1;
    for (const { entry } of past) {
      if (!('call' in entry)) continue;
      lastCall = Math.max(lastCall, entry.call);
      if (isEnd(entry)) this.#ends.set(entry.call, entry);
      else if (isAgain(entry, this.#calls)) this.#made.add(entry);
      else this.#calls.set(entry.call, [...(this.#calls.get(entry.call) ?? []), entry]);
    }
    this.#lastCall = lastCall;
    this.through = past.at(-1)?.entry.seq ?? 0;
  }

  /** What the call has led to before; `'dropped'` if the journal was too full to keep it; undefined if it is new. */
  take(fact: CallFact): CallEntry | 'dropped' | undefined {
    const { call } = fact;
    const [entry] = this.#calls.get(call) ?? [];
    if (entry === undefined) return call <= this.#lastCall && isDroppable(fact) ? 'dropped' : undefined;
    if (!isSame(entry, fact)) {
      this.#run.changed(wordsOf(entry), wordsOf(fact));
      return undefined;
    }
    return this.#taken(entry);
  }

  /** The same for a call that may have led to several things, whatever they are. */
  takeAny(call: number): CallEntry | undefined {
    const [entry] = this.#calls.get(call) ?? [];
    return entry && this.#taken(entry);
  }

  /** How a step has ended; undefined if it has not. */
  endOf(call: number): StepEnd | undefined {
    return this.#ends.get(call);
  }

  /** Resolves when the entry has been told: at once if it has been. */
  passed(entry: JournalEntry): Promise<void> {
    return new Promise((resolve) => {
      if (this.#next > 0 && entry.seq <= this.#past[this.#next - 1]!.entry.seq) resolve();
      else this.#passing.set(entry, resolve);
    });
  }

  /** Something has happened meanwhile that is to be told behind all the rest. */
  push(entry: JournalEntry, phase: Phase): void {
    this.#past.push({ entry, phase });
    this.advance();
  }

  /** Goes on in a later turn: what was told last has then had its consequences. */
  advance(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(goOn, this);
  }

  /** How many entries have been told. */
  get position(): number {
    return this.#next;
  }

  /** The call that has to be made next; undefined if it waits for none. */
  get expected(): string | undefined {
    const entry = this.#past[this.#next]?.entry;
    return entry !== undefined && 'call' in entry && !this.#isMade(entry) ? wordsOf(entry) : undefined;
  }

  /** P1 */
  goOn(): void {
    this.#isScheduled = false;
    for (;;) {
      const past = this.#past[this.#next];
      if (past === undefined) {
        this.#run.caughtUp();
        return;
      }
      const { entry, phase } = past;
      if ('call' in entry && !this.#isMade(entry)) return;
      this.#next += 1;
      this.#passing.get(entry)?.();
      this.#run.retold(entry, phase);
      if (!('call' in entry) || isEnd(entry)) {
        this.advance();
        return;
      }
    }
  }

  #taken(entry: CallEntry): CallEntry {
    const [, ...more] = this.#calls.get(entry.call)!;
    this.#calls.set(entry.call, more);
    this.#made.add(entry);
    this.advance();
    return entry;
  }

  #isMade(entry: CallEntry): boolean {
    return this.#made.has(entry) || isEnd(entry);
  }
}

const goOn = (replay: Replay): void => replay.goOn();

const isEnd = (entry: CallEntry): entry is StepEnd => entry.type === 'step.completed' || entry.type === 'step.failed';

/** A step that was begun again after a crash is one call. */
const isAgain = (entry: CallEntry, calls: ReadonlyMap<number, CallEntry[]>): boolean =>
  entry.type === 'step.started' && calls.has(entry.call);

const isDroppable = ({ type }: CallFact): boolean => type === 'output.emitted' || type === 'trace.emitted';

/** Wording may change; what is done may not. */
const isSame = (entry: CallEntry, fact: CallFact): boolean => {
  if (entry.type === 'interaction.requested' && fact.type === 'interaction.requested')
    return entry.prompt.input_type === fact.prompt.input_type;
  if ('name' in entry && 'name' in fact) return entry.type === fact.type && entry.name === fact.name;
  return entry.type === fact.type;
};

/** As the author knows it. */
const wordsOf = (fact: CallFact | CallEntry): string => `call ${fact.call}, ${described(fact)}`;

const described = (fact: CallFact | CallEntry): string => {
  switch (fact.type) {
    case 'step.started':
      return `step ${JSON.stringify(fact.name)}`;
    case 'value.recorded':
      return fact.name;
    case 'interaction.requested':
      return `prompt (${fact.prompt.input_type}) ${JSON.stringify(fact.prompt.text)}`;
    case 'oauth.requested':
      return `authorize ${JSON.stringify(fact.provider)}`;
    case 'sleep.started':
      return 'sleep';
    case 'notification.sent':
      return `notify ${JSON.stringify(fact.prompt.text)}`;
    case 'output.emitted':
      return 'emit';
    case 'trace.emitted':
      return `${fact.step.event} of span ${JSON.stringify(fact.step.name)}`;
    case 'trace.identified':
      return 'observe';
    default:
      return fact.type;
  }
};
