/**
 * The run of a workflow: the driver that does an execution's work.
 *
 * R1  A run works only while its execution executes, that is, while it holds a slot: it starts when the first slot is
 *     granted, and what an answer wakes waits until the next one is.
 * R2  Once the execution has settled, however that came, nothing it does has any effect, and whatever it still waits
 *     for rejects, so that its own `finally` blocks run.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { JournalEntry } from '../machines/facts.ts';
import type { Lease } from './builder.ts';
import type { Caller } from './caller.ts';
import type { Log, RequestInfo, Trace } from './context.ts';
import type { Driver, Execution, NewFact, Phase } from './execution.ts';
import type { OAuth } from './oauth/oauth.ts';
import { RunContext } from './run-context.ts';
import { EndedError, OutputInvalidError } from './run-errors.ts';
import { RunSteps } from './run-steps.ts';
import { type SlotHolder, SlotRequest } from './slots.ts';
import { toJson } from './to-json.ts';
import type { Returned, Workflow } from './workflow.ts';

/** What a run was started with, beside its input. */
export interface RunRequest {
  readonly input: unknown;
  readonly by: Caller;
  readonly conversationId: string | undefined;
  readonly userMessageId: string | undefined;
  readonly request: RequestInfo;
  readonly trace: Trace;
  /** Whether people can be asked: false on routes whose caller could never learn of a prompt. */
  readonly interactive: boolean;
  readonly streaming: boolean;
  /** What a stream calls the function that is run. Default `<workflow>`. */
  readonly functionName?: string | undefined;
  /** Whether the steps of that function are recorded. Default: as `streaming`. */
  readonly recordsSteps?: boolean | undefined;
}

export interface RunDeps {
  readonly oauth: OAuth;
  readonly promptGraceMs: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
}

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

export class Run implements Driver, SlotHolder {
  readonly execution: Execution;
  readonly asked: RunRequest;
  readonly deps: RunDeps;
  readonly workflow: Workflow;
  readonly #lease: Lease;
  #slot: SlotRequest | undefined;
  #isStarted = false;
  #calls = 0;
  #waiting: Waiting | undefined;
  #abort: AbortController | undefined;
  #generator: AsyncGenerator<unknown, unknown, undefined> | undefined;
  /** Only where somebody streams: others pay nothing for it. */
  #steps: RunSteps | undefined;

  constructor(execution: Execution, asked: RunRequest, workflow: Workflow, lease: Lease, deps: RunDeps) {
    this.execution = execution;
    this.asked = asked;
    this.deps = deps;
    this.workflow = workflow;
    this.#lease = lease;
  }

  told(entry: JournalEntry, phase: Phase): void {
    if ('id' in entry) this.#wake(entry);
    if (phase === 'queued') this.#requestSlot();
    else if (phase === 'executing') this.#goOn();
    else this.#giveSlotBack();
    if (phase === 'settled') this.#end(entry.type === 'execution.completed');
  }

  slotGranted(): void {
    this.execution.offer({ type: 'slot.granted' });
  }

  /** The number of the next call that `ctx` journals. */
  nextCall(): number {
    return this.#calls++;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.execution.isSettled) this.#abort.abort(ended());
    }
    return this.#abort.signal;
  }

  /** Records a fact nobody waits for. Throws if the execution has ended; if the fact cannot be kept, the run fails. */
  note(fact: NewFact): void {
    if (this.execution.isSettled) throw ended();
    const kept = this.execution.offer(fact);
    if (kept instanceof Promise) kept.catch((error) => this.#fail(error));
    if (fact.type === 'output.emitted') this.#steps?.emitted(fact.value);
  }

  /** Id of the step of its own function, if that is recorded. */
  get functionId(): string | undefined {
    return this.#steps?.functionId;
  }

  /** Records a fact that only this run reports. Rejects if the execution has ended. */
  async record(fact: NewFact): Promise<void> {
    if (!(await this.execution.offer(fact))) throw ended();
  }

  /** Opens a pause and waits for what closes it. Resolves to what `outcome` makes of that; rejects with what it throws. */
  pause<Fact extends PauseFact, T>(fact: Fact, outcome: (fact: Fact, closed: JournalEntry) => T): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      this.#wait(fact, (closed) => resolve(outcome(fact, closed!)), reject);
    });
    const waiting = this.#waiting!;
    waiting.promise = promise;
    const kept = this.execution.offer(fact);
    if (kept === false) reject(waiting, ended());
    else if (kept !== true) kept.catch((error) => reject(waiting, error));
    return promise;
  }

  /** Resolves when the execution executes; at once if it does. */
  slotted(): Promise<void> | undefined {
    if (this.execution.phase === 'executing') return undefined;
    return new Promise((resolve, reject) => {
      this.#wait(undefined, () => resolve(), reject).closedBy = 'work';
      if (this.execution.isSettled) reject(ended());
    });
  }

  #wait(fact: Waiting['fact'], resolve: Waiting['resolve'], reject: Waiting['reject']): Waiting {
    this.#waiting = { promise: undefined, fact, resolve, reject, closedBy: undefined, next: this.#waiting };
    return this.#waiting;
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
    if (this.execution.context.pauses.length > 0) setImmediate(park, this.execution);
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
      const { resources } = this.#lease.builder;
      const returned: Returned<unknown> = this.workflow.run(this.asked.input, new RunContext(this), resources);
      const result = isGenerator(returned) ? this.#drain((this.#generator = returned)) : Promise.resolve(returned);
      result.then((value) => this.#complete(value)).catch((error) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  async #drain(generator: AsyncGenerator<unknown, unknown, undefined>): Promise<unknown> {
    for (;;) {
      const { done, value } = await generator.next();
      if (done) return value;
      this.note({ type: 'output.emitted', value: toJson(value, 'Output') });
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
    if (checked.issues === undefined) {
      const result = toJson(checked.value, 'The result');
      this.#steps?.end(result);
      this.execution.offer({ type: 'execution.completed', result });
    } else {
      const issues = checked.issues.map(({ path = [], message }) => `${path.map(keyOf).join('.') || 'it'}: ${message}`);
      this.#fail(new OutputInvalidError(`The result does not fit the output schema: ${issues.join('; ')}`));
    }
  }

  #fail(thrown: unknown): void {
    const { message, name } = wordsOf(thrown);
    this.execution.fail('workflow_error', message, name);
  }

  /** R2 */
  #end(success: boolean): void {
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

/** Anything can be thrown, and not everything can be read. */
const wordsOf = (thrown: unknown): { message: string; name: string } => {
  try {
    if (!(thrown instanceof Error)) return { message: String(thrown), name: 'Error' };
    const { message, name } = thrown;
    return { message: String(message), name: typeof name === 'string' ? name : 'Error' };
  } catch {
    return { message: 'something that is no error', name: 'Error' };
  }
};

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
const park = (execution: Execution): void => {
  execution.offer({ type: 'execution.parked' });
};

const isGenerator = (value: unknown): value is AsyncGenerator<unknown, unknown, undefined> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value && 'return' in value;
