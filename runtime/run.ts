/**
 * The run of a workflow: the driver that does an execution's work.
 *
 * R1  A run works only while its execution executes, that is, while it holds a slot: it starts when the first slot is
 *     granted, and what an answer wakes waits until the next one is.
 * R2  Once the execution has settled, however that came, nothing it does has any effect, and whatever it still waits
 *     for rejects, so that its own `finally` blocks run.
 * R3  A run may leave its execution before that has ended, and another one goes on for it, from the journal. What the
 *     first one does has then no effect either; what it waits for never comes, and it is forgotten with all its frames.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { JournalEntry } from '../machines/facts.ts';
import type { Lease } from './builder.ts';
import type { Log } from './context.ts';
import type { Driver, Execution, NewFact, Phase } from './execution.ts';
import type { OAuth } from './oauth/oauth.ts';
import type { RunRequest } from './origin.ts';
import { type CallFact, type Past, Replay, type Replayed } from './replay.ts';
import { RunContext } from './run-context.ts';
import { EndedError, OutputInvalidError, wordsOf } from './run-errors.ts';
import { RunSteps } from './run-steps.ts';
import { type SlotHolder, SlotRequest } from './slots.ts';
import { toJson } from './to-json.ts';
import type { Returned, Workflow } from './workflow.ts';

export interface RunDeps {
  readonly oauth: OAuth;
  readonly promptGraceMs: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
  /** Calls back in so many milliseconds, unless what is returned is called before. */
  after(ms: number, run: () => void): () => void;
}

/** A replay that does not get on for so long while the run waits is of another workflow. */
const STALL_MS = 60_000;

/** A fact that opens a pause. */
export type PauseFact = Extract<NewFact, { id: string; call: number }>;

/** A branch of the run that waits. There are few at a time: they are a list of their own making. */
type Waiting = {
  promise: Promise<unknown> | undefined;
  readonly fact: PauseFact | undefined;
  readonly resolve: (closed: JournalEntry | undefined) => void;
  readonly reject: (error: unknown) => void;
  /** Undefined until it is woken; then it goes on as soon as there is a slot. */
  closedBy: JournalEntry | 'work' | undefined;
  readonly next: Waiting | undefined;
};

export class Run implements Driver, SlotHolder, Replayed {
  readonly execution: Execution;
  readonly asked: RunRequest;
  readonly deps: RunDeps;
  readonly workflow: Workflow;
  readonly #lease: Lease;
  #slot: SlotRequest | undefined;
  #phase: Phase = 'queued';
  #isStarted = false;
  /** Nothing it does has any effect. */
  #isOver = false;
  #calls = 0;
  #waiting: Waiting | undefined;
  #abort: AbortController | undefined;
  #generator: AsyncGenerator<unknown, unknown, undefined> | undefined;
  /** Only where somebody streams: others pay nothing for it. */
  #steps: RunSteps | undefined;
  /** Until it has done again what a run before it has done. */
  #replay: Replay | undefined;
  #callOffStall: (() => void) | undefined;

  constructor(execution: Execution, asked: RunRequest, workflow: Workflow, lease: Lease, deps: RunDeps, past?: Past[]) {
    this.execution = execution;
    this.asked = asked;
    this.deps = deps;
    this.workflow = workflow;
    this.#lease = lease;
    this.#replay = past && new Replay(past, this);
  }

  get isReplaceable(): boolean {
    return this.workflow.recover === 'replay';
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get isReplaying(): boolean {
    return this.#replay !== undefined;
  }

  told(entry: JournalEntry | undefined, told: Phase): void {
    // What was applied before the slot was granted, or given back, may be told after it.
    const isHeld = this.#slot?.state === 'held';
    const phase = told === 'queued' && isHeld ? 'executing' : told === 'executing' && !isHeld ? 'waiting' : told;
    this.#phase = phase;
    if (entry !== undefined && 'id' in entry) this.#hear(entry, phase);
    if (phase === 'queued') this.#requestSlot();
    else if (phase === 'executing') this.#goOn();
    else this.#giveSlotBack();
    if (phase === 'settled') this.#end(entry?.type === 'execution.completed');
  }

  idle(): void {
    this.#giveSlotBack();
  }

  retold(entry: JournalEntry, phase: Phase): void {
    if ('id' in entry) this.#wake(entry);
    if (phase === 'executing') this.#resume();
  }

  caughtUp(): void {
    this.#endReplay();
    if (this.#phase === 'executing') this.#goOn();
  }

  changed(expected: string, came: string): void {
    this.#endReplay();
    this.#isOver = true;
    const message =
      `The workflow is not the one that this execution has begun with: its journal has ${expected}; now came ${came}. ` +
      'Its version has to change only what comes later, or wait until such executions have ended.';
    this.execution.mention({ type: 'execution.failed', error: { code: 'workflow_changed', message, name: 'Error' } });
  }

  /** R3 */
  leave(): void {
    this.#endReplay();
    this.#isOver = true;
    this.#giveSlotBack();
    this.#lease.cancel();
    if (this.#phase === 'executing') this.#abort?.abort(ended());
    this.#waiting = undefined;
  }

  slotGranted(): void {
    this.execution.mention({ type: 'slot.granted' });
  }

  /** The number of the next call that `ctx` journals. */
  nextCall(): number {
    return this.#calls++;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.execution.hasEnded) this.#abort.abort(ended());
    }
    return this.#abort.signal;
  }

  /**
   * Records what a call of `ctx` has caused, where nobody waits for it to be kept. Gives it back, or what the same call has
   * caused before. Throws if the execution has ended.
   */
  note<Fact extends CallFact>(fact: Fact): Fact {
    const before = this.#replay?.take(fact);
    if (before === undefined) this.#offer(fact);
    if (fact.type === 'output.emitted') this.#steps?.emitted(fact.value);
    return before === undefined || before === 'dropped' ? fact : (before as unknown as Fact);
  }

  #offer(fact: NewFact): void {
    if (this.#isOver || this.execution.hasEnded) throw ended();
    this.execution.mention(fact);
  }

  /** Id of the step of its own function, if that is recorded. */
  get functionId(): string | undefined {
    return this.#steps?.functionId;
  }

  /** The same, resolving when it is kept. Rejects if the execution has ended. */
  async record(fact: CallFact): Promise<void> {
    const replay = this.#replay;
    const before = replay?.take(fact);
    if (before !== undefined && before !== 'dropped') return replay!.passed(before);
    const isKept = !this.#isOver && (await this.execution.offer(fact));
    if (!isKept || this.#isOver) throw ended(); // R3: it may have left meanwhile
  }

  /** How a step has ended, if it was done before. Rejects if the execution has ended. */
  async stepBefore(call: number, name: string): Promise<ReturnType<Replay['endOf']>> {
    const replay = this.#replay;
    if (replay?.take({ type: 'step.started', call, name }) === undefined) return undefined;
    const end = replay.endOf(call);
    if (end !== undefined) await replay.passed(end);
    return end;
  }

  /** What a call that may lead to several things has led to next, when it was made before. */
  before(call: number): ReturnType<Replay['takeAny']> {
    return this.#replay?.takeAny(call);
  }

  /** Resolves when the run has heard of it again. */
  passed(entry: JournalEntry): Promise<void> | undefined {
    return this.#replay?.passed(entry);
  }

  /** Opens a pause and waits for what closes it. Resolves to what `outcome` makes of that; rejects with what it throws. */
  pause<Fact extends PauseFact, T>(given: Fact, outcome: (fact: Fact, closed: JournalEntry) => T): Promise<T> {
    const before = this.#replay?.take(given);
    if (before !== undefined) return this.resume(before as unknown as Fact, outcome);
    const promise = this.resume(given, outcome);
    const waiting = this.#waiting!;
    if (this.#isOver) {
      reject(waiting, ended());
      return promise;
    }
    try {
      const kept = this.execution.offer(given);
      if (kept === false) reject(waiting, ended());
      else if (kept !== true) kept.catch(() => {}); // R3
    } catch {
      reject(waiting, ended());
    }
    return promise;
  }

  /** Waits for what closes a pause that is open. */
  resume<Fact extends PauseFact, T>(fact: Fact, outcome: (fact: Fact, closed: JournalEntry) => T): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      this.#wait(fact, (closed) => resolve(outcome(fact, closed!)), reject);
    });
    this.#waiting!.promise = promise;
    return promise;
  }

  /** Resolves when the execution executes; at once if it does. */
  slotted(): Promise<void> | undefined {
    if (this.#phase === 'executing') return undefined;
    return new Promise((resolve, reject) => {
      this.#wait(undefined, () => resolve(), reject).closedBy = 'work';
      if (this.execution.hasEnded) reject(ended());
    });
  }

  #wait(fact: Waiting['fact'], resolve: Waiting['resolve'], reject: Waiting['reject']): Waiting {
    this.#waiting = { promise: undefined, fact, resolve, reject, closedBy: undefined, next: this.#waiting };
    return this.#waiting;
  }

  /** What closes a pause that the replay has yet to open is told when it has. */
  #hear(entry: JournalEntry & { readonly id: string }, phase: Phase): void {
    if (this.#replay === undefined || this.#isAwaited(entry.id)) this.#wake(entry);
    else if (entry.seq > this.#replay.through) this.#replay.push(entry, phase);
  }

  #isAwaited(id: string): boolean {
    for (let waiting = this.#waiting; waiting !== undefined; waiting = waiting.next)
      if (waiting.fact?.id === id) return true;
    return false;
  }

  #wake(entry: JournalEntry & { readonly id: string }): void {
    for (let waiting = this.#waiting; waiting !== undefined; waiting = waiting.next) {
      // The fact that opens a pause has become an entry itself.
      if (waiting.fact?.id === entry.id && (waiting.fact as unknown) !== entry) waiting.closedBy = entry;
    }
  }

  #requestSlot(): void {
    if (this.#slot !== undefined) return;
    const slot = new SlotRequest(this);
    this.#slot = slot;
    this.#lease.builder.slots.request(slot);
  }

  #giveSlotBack(): void {
    if (this.#slot === undefined) return;
    const slot = this.#slot;
    this.#slot = undefined;
    this.#lease.builder.slots.release(slot);
  }

  /** R1 */
  #goOn(): void {
    if (!this.#isStarted) {
      this.#start();
      return;
    }
    if (this.#replay === undefined && this.execution.context.pauses.length > 0) setImmediate(park, this);
    this.#resume();
  }

  /** Who was woken goes on. */
  #resume(): void {
    const all = this.#all();
    this.#waiting = undefined;
    for (const waiting of all) {
      const { promise, fact, closedBy } = waiting;
      if (closedBy === undefined) this.#wait(fact, waiting.resolve, waiting.reject).promise = promise;
      else settle(waiting, closedBy === 'work' ? undefined : closedBy);
    }
  }

  /** Who waits, in the order in which they began to. */
  #all(): Waiting[] {
    const all: Waiting[] = [];
    for (let waiting = this.#waiting; waiting !== undefined; waiting = waiting.next) all.push(waiting);
    return all.reverse();
  }

  #start(): void {
    this.#isStarted = true;
    if (this.workflow.streamOnly && !this.asked.streaming) {
      this.#fail(new Error('Cannot get a single output value for streaming workflows'));
      return;
    }
    try {
      if (this.asked.recordsSteps ?? this.asked.streaming) this.#steps = new RunSteps(this);
      if (this.asked.isInputPlain === false) this.#readInput().catch((error) => this.#fail(error));
      else this.#execute(this.asked.input);
    } catch (error) {
      this.#fail(error);
    }
    this.#beginReplay();
  }

  #execute(input: unknown): void {
    const { resources } = this.#lease.builder;
    const returned: Returned<unknown> = this.workflow.run(input, new RunContext(this), resources);
    const result = isGenerator(returned) ? this.#drain((this.#generator = returned)) : Promise.resolve(returned);
    result.then((value) => this.#complete(value)).catch((error) => this.#fail(error));
  }

  /** Makes of the input, as it was journaled, what its schema has made of it before. */
  async #readInput(): Promise<void> {
    const { input, version } = this.workflow;
    const read = (await input?.['~standard'].validate(this.asked.input)) ?? { value: this.asked.input };
    if (this.#isOver) return;
    if (read.issues === undefined) this.#execute(read.value);
    else
      this.changed(
        'an input as JSON',
        `a schema (version ${version}) that does not take it: ${read.issues[0]?.message}`,
      );
  }

  #beginReplay(): void {
    if (this.#replay === undefined) return;
    this.#replay.advance();
    this.#watchStall(this.#replay.position);
  }

  #watchStall(position: number): void {
    this.#callOffStall = this.deps.after(STALL_MS, () => {
      const replay = this.#replay;
      if (replay === undefined) return;
      const expected = replay.position === position && this.#waiting !== undefined ? replay.expected : undefined;
      if (expected === undefined) this.#watchStall(replay.position);
      else this.changed(expected, 'nothing, for it waits for something else');
    });
  }

  #endReplay(): void {
    this.#replay = undefined;
    this.#callOffStall?.();
  }

  async #drain(generator: AsyncGenerator<unknown, unknown, undefined>): Promise<unknown> {
    for (;;) {
      const { done, value } = await generator.next();
      if (done) return value;
      this.note({ type: 'output.emitted', call: this.nextCall(), value: toJson(value, 'Output') });
    }
  }

  /** The result is what the output schema makes of it. A stream need not have one. */
  #complete(result: unknown): void {
    const { output } = this.workflow;
    const isAbsent = result === undefined && this.asked.streaming;
    const checked = output === undefined || isAbsent ? { value: result } : output['~standard'].validate(result);
    if (checked instanceof Promise)
      void checked.then((late) => this.#conclude(late)).catch((error) => this.#fail(error));
    else this.#conclude(checked);
  }

  #conclude(checked: StandardSchemaV1.Result<unknown>): void {
    if (this.#isOver) return;
    const expected = this.#replay?.expected;
    if (expected !== undefined) this.changed(expected, 'its end');
    else if (checked.issues === undefined) {
      const result = toJson(checked.value, 'The result');
      this.#steps?.end(result);
      this.execution.mention({ type: 'execution.completed', result });
    } else {
      const issues = checked.issues.map(({ path = [], message }) => `${path.map(keyOf).join('.') || 'it'}: ${message}`);
      this.#fail(new OutputInvalidError(`The result does not fit the output schema: ${issues.join('; ')}`));
    }
  }

  #fail(thrown: unknown): void {
    if (this.#isOver) return;
    const { message, name } = wordsOf(thrown);
    const expected = this.#replay?.expected;
    if (expected !== undefined) this.changed(expected, `${name}: ${message}`);
    else this.execution.mention({ type: 'execution.failed', error: { code: 'workflow_error', message, name } });
  }

  /** R2 */
  #end(success: boolean): void {
    this.#endReplay();
    this.#isOver = true;
    this.#lease.end(success);
    for (const waiting of this.#all()) {
      if (waiting.fact !== undefined) this.deps.oauth.abandon(waiting.fact.id);
      reject(waiting, ended());
    }
    this.#waiting = undefined;
    this.#abort?.abort(ended());
    this.#generator?.return(undefined).catch(() => {});
  }
}

const keyOf = (segment: PropertyKey | StandardSchemaV1.PathSegment): string =>
  String(typeof segment === 'object' ? segment.key : segment);

const ended = (): EndedError => new EndedError('The execution has ended.');

const settle = (waiting: Waiting, closed: JournalEntry | undefined): void => {
  try {
    waiting.resolve(closed);
  } catch (error) {
    reject(waiting, error);
  }
};

/** The author may not have awaited it yet, or never will, which is no reason to end the process. */
const reject = ({ promise, reject }: Waiting, error: unknown): void => {
  promise?.catch(() => {});
  reject(error);
};

/** Some branches wait and another has just worked. If it has nothing more to do, the run is parked again. */
const park = (run: Run): void => {
  if (!run.isOver) run.execution.mention({ type: 'execution.parked' });
};

const isGenerator = (value: unknown): value is AsyncGenerator<unknown, unknown, undefined> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value && 'return' in value;
