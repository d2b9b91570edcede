/**
 * The run of a workflow: the driver of an execution.
 *
 * R1  A run works only while its execution is executing, that is, while it holds a slot.
 * R2  Each fact that wakes the run is delivered in a separate turn of the event loop, in the order of the journal. The
 *     start is such a turn too. So the same facts cause the same calls, in every replay.
 * R3  Once the execution has settled, for any reason, the run has no effects, and all its waits reject, so that its
 *     `finally` blocks run.
 * R4  A run may be detached from its execution before the end, and another run replays from the journal. The first run
 *     then has no effects; its waits never settle, and it is garbage collected with all its frames.
 * R5  Until it has repeated all calls of its journal, it has no effects and records nothing new. If it cannot repeat
 *     them, the execution is blocked.
 * R6  An execution waits only when all branches of its run do. So a fact that opens a pause says whether another branch
 *     has work, and the execution is parked when that work is done. After a loss of the process at any time, the next
 *     run does the work, although the pause is still open.
 */
import type { JournalEntry } from '../../machines/facts.ts';
import type { Phase } from '../../machines/standing.ts';
import { EndedError, WithdrawnError } from '../authoring/errors.ts';
import type { Workflow } from '../authoring/workflow.ts';
import type { Lease } from '../builders/builder.ts';
import { type SlotHolder, SlotRequest } from '../builders/slots.ts';
import type { Driver, Execution, NewFact } from '../executions/execution.ts';
import type { RunRequest } from '../journal/start-request.ts';
import {
  type CallFact,
  isCountedOn,
  isInterchangeable,
  type MadeCall,
  type PauseFact,
  type Place,
  wakes,
  wordsOf as wordsOfCall,
} from './calls.ts';
import { CatchUp, type Past } from './catch-up.ts';
import { FunctionCall } from './function-call.ts';
import { Refusals } from './refusals.ts';
import type { Replay } from './replay.ts';
import type { Made, RunCalls, RunDeps } from './run-calls.ts';
import type { Strayed } from './strays.ts';
import { type Branch, forkHere, isWithin, LOST, moveTo, type Position, positionIn, runAt } from './thread.ts';
import type { TurnTaker } from './turns.ts';
import { type Outcome, Waiting, Waits } from './waits.ts';

export class Run implements Driver, SlotHolder, TurnTaker, Strayed, RunCalls {
  readonly execution: Execution;
  readonly asked: RunRequest;
  readonly deps: RunDeps;
  readonly workflow: Workflow;
  readonly #lease: Lease;
  #slot: SlotRequest | undefined;
  #phase: Phase = 'queued';
  #isStarted = false;
  /** Why its calls have no effect: R3, R4. */
  #over: 'ended' | 'left' | undefined;
  #nextCall = 0;
  readonly #waits = new Waits();
  #abort: AbortController | undefined;
  #refusals: Refusals | undefined;
  readonly #function: FunctionCall;
  /** Until it has caught up with its journal. */
  #catchUp: CatchUp | undefined;
  #past: Replay | undefined;
  /** Steps that wait for a slot. */
  #starting: (() => void)[] | undefined;
  /** Facts that wake it, and are applied and not published yet. */
  #wakesToCome = 0;
  /** Calls that wait for something else than a fact. */
  #lookups = 0;
  /** Calls that are made now result from the fact that was delivered last. */
  #isInTurn = false;
  /** Calls on threads outside of the run, such as those of a listener, follow each other in one sequence. */
  #lost: number | string = LOST;

  constructor(
    execution: Execution,
    asked: RunRequest,
    workflow: Workflow,
    lease: Lease,
    deps: RunDeps,
    read?: { readonly value: unknown },
    past?: Past,
  ) {
    this.execution = execution;
    this.asked = asked;
    this.deps = deps;
    this.workflow = workflow;
    this.#lease = lease;
    this.#function = new FunctionCall(this, read);
    if (past === undefined) return;
    this.#catchUp = new CatchUp(past, {
      after: (ms, then) => deps.after(ms, then),
      waitsFor: (ids) => this.#waits.open.some(({ key }) => ids.has(key)),
      blocked: (expected, came) => this.block(expected, came),
      unblocked: () => execution.mention({ type: 'execution.unblocked' }),
    });
    this.#past = this.#catchUp.replay;
    this.#nextCall = this.#past.lastCall + 1;
  }

  get run(): this {
    return this;
  }
  get after(): number {
    return -1;
  }
  get branch(): undefined {
    return undefined;
  }
  get step(): undefined {
    return undefined;
  }

  get isReplaceable(): boolean {
    return this.workflow.recover === 'replay';
  }

  get isReplaying(): boolean {
    return this.#catchUp !== undefined;
  }

  told(entry: JournalEntry | undefined, told: Phase): void {
    if (this.#over === 'left') return; // R4
    // Facts that were applied before the slot was granted or returned may be published after it.
    const isHeld = this.#slot?.state === 'held';
    const phase = told === 'queued' && isHeld ? 'executing' : told === 'executing' && !isHeld ? 'waiting' : told;
    this.#phase = phase;
    const isNew = entry !== undefined && entry.seq > (this.#past?.through ?? 0); // a replay knows the fact that caused it
    if (isNew && wakes(entry) !== undefined) {
      if (this.#wakesToCome > 0) this.#wakesToCome -= 1;
      this.#waits.push(entry);
    }
    if (phase === 'queued') this.#requestSlot();
    else if (phase === 'executing') this.#stir();
    else this.#giveSlotBack();
    if (phase === 'settled') this.#end(entry?.type === 'execution.completed');
    else if (phase === 'waiting') this.#resume();
  }

  /**
   * The fact that resumed it was published only when all branches waited, including the one that it wakes: there is
   * work nevertheless.
   */
  #resume(): void {
    if (this.#isStarted && this.#hasWork && !this.execution.applied.context.working)
      this.execution.mention({ type: 'execution.resumed' });
  }

  applied(entry: JournalEntry, phase: Phase): void {
    if (wakes(entry) !== undefined) this.#wakesToCome += 1;
    if (phase === 'waiting' || phase === 'settled') this.#giveSlotBack();
  }

  /** Whether it goes on without a further fact. */
  get #isWorking(): boolean {
    return this.#hasWork || this.#wakesToCome > 0 || this.#lookups > 0;
  }

  /** R4 */
  leave(): void {
    if (this.#over !== undefined) return;
    this.#over = 'left';
    this.#caughtUp();
    this.#giveSlotBack();
    this.#lease.cancel();
    if (this.#phase === 'executing') this.#signalEnd();
    this.#waits.clear();
  }

  slotGranted(): void {
    this.execution.mention({ type: 'slot.granted', at: 0, seq: undefined });
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#over !== undefined || this.execution.hasEnded) this.#abort.abort(ended());
    }
    return this.#abort.signal;
  }

  strayed(err: unknown, how: 'rejection' | 'exception'): void {
    const { id: executionId, context } = this.execution;
    const fields = { executionId, workflow: context.workflow, err };
    this.deps.log.error(
      fields,
      how === 'rejection'
        ? 'a promise of a run was rejected, and the workflow neither awaited nor caught it'
        : 'a callback of a run threw, and nothing caught it',
    );
  }

  get functionId(): string | undefined {
    return this.#function.stepId;
  }

  get isOver(): boolean {
    return this.#over !== undefined;
  }

  get resources(): unknown {
    return this.#lease.builder.resources;
  }

  /** The place of the call that is being made. */
  get position(): Position {
    return positionIn(this) ?? { run: this, after: this.#lost, branch: undefined, step: undefined, isLost: true };
  }

  /** Rejects a call that is too late: the execution has ended, or the branch of the call was withdrawn. */
  refusal<T>({ branch }: Position): Promise<T> | undefined {
    if (this.#over === 'left') return new Promise(() => {}); // R4
    if (this.#over === undefined && !this.execution.hasEnded) {
      for (let within = branch; within !== undefined; within = within.parent) {
        const { signal } = within.abort;
        if (signal.aborted) return this.#late.reject(() => withdrawn(signal.reason));
      }
      return undefined;
    }
    return this.#late.reject(ended);
  }

  get #late(): Refusals {
    const { log } = this.deps;
    const { id: executionId, context } = this.execution;
    this.#refusals ??= new Refusals(log, { executionId, workflow: context.workflow });
    return this.#refusals;
  }

  /** The wait of a call without a fact that settles it; usually none. */
  get breath(): Promise<void> | undefined {
    return this.#late.breath;
  }

  /**
   * Makes a call: returns the fact of its earlier run, or numbers the call and lets `act` record it as soon as new
   * calls are allowed. Undefined: the call is ambiguous.
   */
  make<Fact extends MadeCall>(
    fact: Fact,
    position: Position,
    act: (run: Run, fact: Fact) => void = record,
  ): Made<Fact> | undefined {
    const { branch, step, after } = position;
    const numbered = fact as Fact & { -readonly [Key in keyof Place]: Place[Key] };
    numbered.after = after;
    if (branch !== undefined) numbered.branch = branch.call;
    if (step !== undefined) numbered.inStep = step.call;
    else if (!this.#isInTurn || position.isLost) {
      numbered.loose = true;
      const fork = isInterchangeable(fact) ? '' : forkHere();
      if (fork !== '') numbered.fork = fork;
    }
    const taken = (step === undefined ? this.#catchUp?.replay.take(fact, numbered) : undefined) ?? 'new';
    if (taken === 'ambiguous') {
      this.#ambiguous(fact);
      return undefined;
    }
    if (typeof taken !== 'string') {
      this.#advance(position, fact, taken.call);
      this.#stir();
      return { fact: taken as unknown as Fact, isReplayed: true };
    }
    (fact as { call: number }).call = this.#nextCall++;
    this.#advance(position, fact, fact.call);
    if (taken === 'new') this.#new(fact, act);
    return { fact, isReplayed: false };
  }

  #new<Fact extends MadeCall>(fact: Fact, act: (run: Run, fact: Fact) => void): void {
    if (this.#catchUp === undefined) act(this, fact);
    else this.#catchUp.hold(wordsOfCall(fact), () => act(this, fact));
  }

  #advance(position: Position, fact: MadeCall, call: number): void {
    if (position.step !== undefined || !isCountedOn(fact)) return;
    if (position.isLost) this.#lost = call;
    else moveTo({ run: this, after: call, branch: position.branch, step: undefined });
  }

  /** Records a fact without a call that waits for it. */
  record(fact: NewFact): void {
    if (this.#over === undefined) this.execution.mention(fact);
  }

  /** Records the result of a synchronous call. Returns it, or the earlier result of the same call. */
  note<Fact extends MadeCall>(fact: Fact, position = this.position): Fact {
    if (this.#over !== undefined || this.execution.hasEnded) return fact;
    const made = this.make(fact, position);
    if (fact.type === 'output.emitted') this.#function.emitted(fact.value);
    return made?.fact ?? fact;
  }

  /**
   * Opens a pause, and waits for the fact that closes it. `dueAt` of the result counts from the time of the opening.
   * Resolves to the result of `outcome`; rejects with its error.
   */
  pause<Fact extends PauseFact, T>(
    given: Fact,
    position: Position,
    outcome: Outcome<Fact, T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const made = this.make(given, position, open);
    if (made === undefined) return new Promise(() => {});
    return this.resume(made.fact, outcome, position, signal);
  }

  /** Opens a pause beyond the earlier results of its call: the replay waits for it. */
  pauseAgain<Fact extends PauseFact, T>(
    fact: Fact,
    outcome: Outcome<Fact, T>,
    position: Position,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    this.#catchUp?.again.add(fact.id);
    this.open(fact);
    return this.resume(fact, outcome, position, signal);
  }

  /** R6. A failed commit detaches the run (R4), and the next run opens the pause. */
  open(fact: PauseFact): void {
    if (this.#over !== undefined) return;
    if (this.#isWorking) (fact as { working?: true }).working = true;
    this.execution.mention(fact);
  }

  /** Waits for the fact that closes an open pause. */
  resume<Fact extends PauseFact, T>(
    fact: Fact,
    outcome: Outcome<Fact, T>,
    { branch }: Position,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const waiting = new Waiting(fact.id, fact, branch, outcome);
    this.#waits.add(waiting);
    if (signal !== undefined) waiting.forget = this.#withdrawBy(signal, fact);
    return waiting.promise;
  }

  /** Returns a function that stops it. */
  #withdrawBy(signal: AbortSignal, fact: PauseFact): (() => void) | undefined {
    const withdraw = (): void => this.#withdraw(fact);
    signal.addEventListener('abort', withdraw, { once: true });
    if (signal.aborted) withdraw();
    return () => signal.removeEventListener('abort', withdraw);
  }

  /** Withdraws the waits of a branch that is no longer needed. */
  withdraw(branch: Branch): void {
    for (const waiting of [...this.#waits.open])
      if (waiting.pause !== undefined && isWithin(waiting.branch, branch)) this.#withdraw(waiting.pause);
  }

  #withdraw({ id, type }: PauseFact): void {
    if (this.#over !== undefined) return;
    if (this.#catchUp?.replay.takeWithdrawal(id)) {
      this.#stir();
      return;
    }
    const kind = type.slice(0, type.indexOf('.')) as 'interaction' | 'oauth' | 'sleep';
    this.once(`withdrawal of ${kind} ${id}`, () => this.record({ type: `${kind}.withdrawn`, id }));
  }

  /** Waits for something that is no fact. R6 */
  async lookUp<T>(look: () => Promise<T>): Promise<T> {
    this.#lookups += 1;
    try {
      return await look();
    } finally {
      this.#lookups -= 1;
      this.#parkSoon();
    }
  }

  /** Waits for the fact that ends a call of this number. */
  ended<T>(call: number, { branch }: Position, outcome: Outcome<undefined, T>): Promise<T> {
    const waiting = new Waiting(call, undefined, branch, outcome);
    this.#waits.add(waiting);
    return waiting.promise;
  }

  /**
   * Resolves when the fact is committed and the execution is executing. Never settles if the run was detached or has
   * ended meanwhile.
   */
  async begun(fact: CallFact): Promise<void> {
    if (this.#over === undefined) {
      try {
        const kept = this.execution.offer(fact);
        if (kept !== true && !(await kept)) return await new Promise(() => {});
      } catch {
        return await new Promise(() => {}); // R4
      }
    }
    if (this.#phase !== 'executing' || this.#over !== undefined)
      await new Promise<void>((go) => {
        this.#starting = [...(this.#starting ?? []), go];
      });
    if (!this.deps.isOwner()) await new Promise(() => {}); // it is left next
  }

  /** Number of earlier attempts of a step. */
  attemptsOf(call: number): number {
    return this.#past?.attempts.get(call) ?? 0;
  }

  /** The earlier results of a call, after the first fact. */
  more(call: number): ReturnType<Replay['takeMore']> {
    const more = this.#catchUp?.replay.takeMore(call);
    if (more !== undefined) this.#stir();
    return more;
  }

  /** Whether a step has finished before. */
  hasEnded(call: number): boolean {
    return this.#past?.hasEnded(call) ?? false;
  }

  /** Whether subscribers have got output of an interrupted attempt of the step. */
  isVoid(call: number): boolean {
    return this.#past?.isVoid(call) ?? false;
  }

  /** R5: makes a new call as soon as the run has caught up. `words` describe it, in case the execution is blocked. */
  once(words: string, act: () => void): void {
    if (this.#catchUp === undefined) act();
    else this.#catchUp.hold(words, act);
  }

  /** Another run restarts the function. Further calls of this one have no effect. */
  continueAs(input: unknown): void {
    this.once('continueAs', () => {
      if (this.#over !== undefined) return;
      for (const { pause } of this.#waits.open) this.#abandon(pause);
      this.execution.mention({ type: 'execution.continued', input });
      this.leave();
    });
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

  get #isReady(): boolean {
    return this.#phase === 'executing' && this.#hasWork;
  }

  get #hasWork(): boolean {
    if (this.#over !== undefined) return false;
    if (!this.#isStarted) return true;
    const catchUp = this.#catchUp;
    if (catchUp === undefined) return this.#waits.isWoken;
    return catchUp.replay.isReady || this.#waits.isAnyWoken(catchUp.again);
  }

  /** Checks whether the run can resume. */
  #stir(): void {
    if (this.#over !== undefined) return;
    this.#catchUp?.progressed();
    if (this.#catchUp?.replay.isOver && this.#isStarted) this.#caughtUp();
    if (this.#phase === 'executing' && this.#starting !== undefined) this.#beginSteps(this.#starting);
    if (this.#isReady) this.deps.turns.add(this);
    else if (this.#phase === 'waiting') this.#resume();
  }

  #beginSteps(starting: readonly (() => void)[]): void {
    this.#starting = undefined;
    for (const go of starting) go();
  }

  hasTurn = false;

  /** R2 */
  turn(): void {
    if (!this.#isReady) return;
    this.#isInTurn = true;
    this.#refusals?.rested();
    if (!this.#isStarted) {
      this.#start();
      return;
    }
    if (this.#catchUp === undefined) {
      this.#waits.wakeNext();
      return;
    }
    const { replay, again } = this.#catchUp;
    const wake = replay.nextWake();
    if (wake === undefined) this.#waits.wakeNext(again);
    else this.#waits.wake(wakes(wake)!, wake);
    if (replay.isOver) this.#caughtUp();
  }

  endTurn(): boolean {
    this.#isInTurn = false;
    if (this.#over !== undefined) return false;
    this.#stir();
    if (this.#isReady) return true;
    this.#catchUp?.watch();
    this.#parkSoon();
    return false;
  }

  /** Some branches wait and another has just worked. Without further work, the run is parked again. */
  #parkSoon(): void {
    if (!this.#canPark) return;
    const { working, pauses } = this.execution.applied.context; // a pause without `working` has parked it
    if (working && pauses.length > 0) setImmediate(park, this);
  }

  park(): void {
    if (this.#canPark && !this.#isWorking) this.execution.mention({ type: 'execution.parked' });
  }

  /** A replay parks only for a consent that it asks for again. */
  get #canPark(): boolean {
    const isCaughtUp = this.#catchUp === undefined || this.#catchUp.again.size > 0;
    return this.#over === undefined && this.#phase === 'executing' && isCaughtUp;
  }

  #start(): void {
    this.#isStarted = true;
    this.#function.begin();
    if (this.#catchUp?.replay.isOver) this.#caughtUp();
  }

  block(expected: string, came: string): void {
    this.execution.mention({ type: 'execution.blocked', expected, came, version: this.workflow.version });
  }

  #ambiguous(fact: MadeCall): void {
    if (this.#over !== undefined) return;
    const words = wordsOfCall(fact);
    this.block(
      `${words}, which its journal has more than once`,
      'one of them, and it is unknown which, because they may overtake each other: run them with ctx.all or ctx.branch, ' +
        'or give them different names',
    );
    this.execution.detach();
  }

  #caughtUp(): void {
    const held = this.#catchUp?.end();
    this.#catchUp = undefined;
    if (this.#over !== undefined) return;
    for (const { act } of held ?? []) act();
    if (!this.#isInTurn) this.#parkSoon();
  }

  /** R3 */
  #end(success: boolean): void {
    if (this.#over !== undefined) return;
    this.#over = 'ended';
    this.#caughtUp();
    this.#lease.end(success);
    for (const waiting of this.#waits.clear()) {
      this.#abandon(waiting.pause);
      waiting.reject(ended());
    }
    this.#starting = undefined;
    this.#signalEnd();
    this.#function.end();
  }

  #abandon(pause: PauseFact | undefined): void {
    if (pause?.type === 'oauth.requested') this.deps.oauth.abandon(pause.id);
  }

  /** On a thread of the run, so that errors of listeners belong to the run. */
  #signalEnd(): void {
    runAt(this, () => this.#abort?.abort(ended()));
  }
}

const park = (run: Run): void => run.park();

const record = (run: Run, fact: NewFact): void => run.record(fact);

const open = (run: Run, fact: PauseFact): void => {
  if (fact.dueAt !== null) (fact as { dueAt: number | null }).dueAt = run.deps.now() + fact.dueAt;
  run.open(fact);
};

const ended = (): EndedError => new EndedError('The execution has ended.');

const withdrawn = (reason: unknown): Error =>
  reason instanceof Error ? reason : new WithdrawnError('The branch was withdrawn.');
