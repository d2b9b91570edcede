/**
 * The calls of `ctx` that a run makes: they are numbered, compared with the journal, recorded, and wait for facts. `Run`
 * adds what drives them.
 *
 * Rules R4 to R6 are those of `run.ts`.
 */

import type { Phase } from '../../machines/standing.ts';
import type { Log } from '../authoring/context.ts';
import { EndedError, WithdrawnError } from '../authoring/errors.ts';
import type { Workflow } from '../authoring/workflow.ts';
import type { Execution, NewFact } from '../executions/execution.ts';
import type { RunRequest } from '../journal/start-request.ts';
import type { OAuth } from '../oauth/oauth.ts';
import {
  type CallFact,
  isCountedOn,
  isInterchangeable,
  type MadeCall,
  type PauseFact,
  type Place,
  wordsOf as wordsOfCall,
} from './calls.ts';
import { CatchUp, type Past } from './catch-up.ts';
import { Refusals } from './refusals.ts';
import { isAgain, type Replay } from './replay.ts';
import { type Branch, forkHere, isWithin, LOST, moveTo, type Position, positionIn } from './thread.ts';
import type { Turns } from './turns.ts';
import { type Outcome, Waiting, Waits } from './waits.ts';

export interface RunDeps {
  readonly oauth: OAuth;
  readonly promptGraceMs: number;
  readonly oauthTimeoutMs: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Log;
  readonly turns: Turns;
  /** False while other processes may take what this one executes. */
  isOwner(): boolean;
  /** Calls back after this delay in milliseconds, unless the returned function is called before. */
  after(ms: number, run: () => void): () => void;
}

/** The earlier or new result of a call. */
export type Made<Fact> = { readonly fact: Fact; readonly isReplayed: boolean };

export abstract class RunCalls implements Position {
  readonly execution: Execution;
  readonly asked: RunRequest;
  readonly deps: RunDeps;
  readonly workflow: Workflow;
  protected phase: Phase = 'queued';
  /** Why its calls have no effect: R3, R4. */
  protected over: 'ended' | 'left' | undefined;
  protected readonly waits = new Waits();
  protected refusals: Refusals | undefined;
  /** Until it has caught up with its journal. */
  protected catchUp: CatchUp | undefined;
  protected readonly past: Replay | undefined;
  /** Steps that wait for a slot. */
  protected starting: (() => void)[] | undefined;
  /** Calls that wait for something else than a fact. */
  protected lookups = 0;
  /** Calls that are made now result from the fact that was delivered last. */
  protected isInTurn = false;
  #nextCall = 0;
  /** Calls on threads outside of the run, such as those of a listener, follow each other in one sequence. */
  #lost: number | string = LOST;

  constructor(execution: Execution, asked: RunRequest, workflow: Workflow, deps: RunDeps, past: Past | undefined) {
    this.execution = execution;
    this.asked = asked;
    this.deps = deps;
    this.workflow = workflow;
    if (past === undefined) return;
    this.catchUp = new CatchUp(past, {
      after: (ms, then) => deps.after(ms, then),
      waitsFor: (ids) => this.waits.open.some(({ key }) => ids.has(key)),
      blocked: (expected, came) => this.block(expected, came),
      unblocked: () => execution.mention({ type: 'execution.unblocked' }),
    });
    this.past = this.catchUp.replay;
    this.#nextCall = this.past.lastCall + 1;
  }

  /** Whether it goes on without a further fact. */
  protected abstract get isWorking(): boolean;
  /** Checks whether the run can resume. */
  protected abstract stir(): void;
  /** Some branches wait and another has just worked. Without further work, the run is parked again. */
  protected abstract parkSoon(): void;
  /** The run has emitted an output. */
  protected abstract onEmitted(value: unknown): void;
  /** Aborted when the run has ended or was detached. */
  abstract get signal(): AbortSignal;
  /** Id of the step of the function, if that is recorded. */
  abstract get functionId(): string | undefined;
  abstract get resources(): unknown;
  /** Another run restarts the function. Further calls of this one have no effect. */
  abstract continueAs(input: unknown): void;

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

  get isReplaying(): boolean {
    return this.catchUp !== undefined;
  }

  get isOver(): boolean {
    return this.over !== undefined;
  }

  /** The place of the call that is being made. */
  get position(): Position {
    return positionIn(this) ?? { run: this, after: this.#lost, branch: undefined, step: undefined, isLost: true };
  }

  /** Rejects a call that is too late: the execution has ended, or the branch of the call was withdrawn. */
  refusal<T>({ branch }: Position): Promise<T> | undefined {
    if (this.over === 'left') return new Promise(() => {}); // R4
    if (this.over === undefined && !this.execution.hasEnded) {
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
    this.refusals ??= new Refusals(log, { executionId, workflow: context.workflow });
    return this.refusals;
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
    act: (run: RunCalls, fact: Fact) => void = record,
  ): Made<Fact> | undefined {
    const { branch, step, after } = position;
    const numbered = fact as Fact & { -readonly [Key in keyof Place]: Place[Key] };
    numbered.after = after;
    if (branch !== undefined) numbered.branch = branch.call;
    if (step !== undefined) numbered.inStep = step.call;
    else if (!this.isInTurn || position.isLost) {
      numbered.loose = true;
      const fork = isInterchangeable(fact) ? '' : forkHere();
      if (fork !== '') numbered.fork = fork;
    }
    const taken = (step === undefined ? this.catchUp?.replay.take(fact, numbered) : undefined) ?? 'new';
    if (taken === 'ambiguous') {
      this.#ambiguous(fact);
      return undefined;
    }
    if (typeof taken !== 'string') {
      this.#advance(position, fact, taken.call);
      this.stir();
      return { fact: taken as unknown as Fact, isReplayed: true };
    }
    (fact as { call: number }).call = this.#nextCall++;
    this.#advance(position, fact, fact.call);
    if (taken === 'new') this.#new(fact, act);
    return { fact, isReplayed: false };
  }

  #new<Fact extends MadeCall>(fact: Fact, act: (run: RunCalls, fact: Fact) => void): void {
    if (this.catchUp === undefined) act(this, fact);
    else this.catchUp.hold(wordsOfCall(fact), () => act(this, fact));
  }

  #advance(position: Position, fact: MadeCall, call: number): void {
    if (position.step !== undefined || !isCountedOn(fact)) return;
    if (position.isLost) this.#lost = call;
    else moveTo({ run: this, after: call, branch: position.branch, step: undefined });
  }

  /** Records a fact without a call that waits for it. */
  record(fact: NewFact): void {
    if (this.over === undefined) this.execution.mention(fact);
  }

  /** Records the result of a synchronous call. Returns it, or the earlier result of the same call. */
  note<Fact extends MadeCall>(fact: Fact, position = this.position): Fact {
    if (this.over !== undefined || this.execution.hasEnded) return fact;
    const made = this.make(fact, position);
    if (fact.type === 'output.emitted') this.onEmitted(fact.value);
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
    if (this.catchUp !== undefined) {
      (fact as { again?: true }).again = true;
      this.catchUp.again.add(fact.id);
    }
    this.open(fact);
    return this.resume(fact, outcome, position, signal);
  }

  /** R6. A failed commit detaches the run (R4), and the next run opens the pause. */
  open(fact: PauseFact): void {
    if (this.over !== undefined) return;
    if (this.isWorking) (fact as { working?: true }).working = true;
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
    this.waits.add(waiting);
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
    for (const waiting of [...this.waits.open])
      if (waiting.pause !== undefined && isWithin(waiting.branch, branch)) this.#withdraw(waiting.pause);
  }

  #withdraw({ id, type }: PauseFact): void {
    if (this.over !== undefined) return;
    if (this.catchUp?.replay.takeWithdrawal(id)) {
      this.stir();
      return;
    }
    const kind = type.slice(0, type.indexOf('.')) as 'interaction' | 'oauth' | 'sleep';
    this.once(`withdrawal of ${kind} ${id}`, () => this.record({ type: `${kind}.withdrawn`, id }));
  }

  /** Waits for something that is no fact. R6 */
  async lookUp<T>(look: () => Promise<T>): Promise<T> {
    this.lookups += 1;
    try {
      return await look();
    } finally {
      this.lookups -= 1;
      this.parkSoon();
    }
  }

  /** Waits for the fact that ends a call of this number. */
  ended<T>(call: number, { branch }: Position, outcome: Outcome<undefined, T>): Promise<T> {
    const waiting = new Waiting(call, undefined, branch, outcome);
    this.waits.add(waiting);
    return waiting.promise;
  }

  /**
   * Resolves when the fact is committed and the execution is executing. Never settles if the run was detached or has
   * ended meanwhile.
   */
  async begun(fact: CallFact): Promise<void> {
    if (this.over === undefined) {
      try {
        const kept = this.execution.offer(fact);
        if (kept !== true && !(await kept)) return await new Promise(() => {});
      } catch {
        return await new Promise(() => {}); // R4
      }
    }
    if (this.phase !== 'executing' || this.over !== undefined)
      await new Promise<void>((go) => {
        this.starting = [...(this.starting ?? []), go];
      });
    if (!this.deps.isOwner()) await new Promise(() => {}); // it is left next
  }

  /** Number of earlier attempts of a step. */
  attemptsOf(call: number): number {
    return this.past?.attempts.get(call) ?? 0;
  }

  /** The earlier results of a call, after the first fact. */
  more(call: number): ReturnType<Replay['takeMore']> {
    const more = this.catchUp?.replay.takeMore(call);
    if (more === undefined) return undefined;
    if (isAgain(more)) this.#expectEarly(more.id);
    this.stir();
    return more;
  }

  /** The calls that follow from the end of that pause are in the journal before it. */
  #expectEarly(id: string): void {
    const { again, replay } = this.catchUp!;
    const end = replay.takeEarly(id);
    again.add(id);
    if (end !== undefined) this.waits.push(end);
  }

  /** Whether a step has finished before. */
  hasEnded(call: number): boolean {
    return this.past?.hasEnded(call) ?? false;
  }

  /** Whether subscribers have got output of an interrupted attempt of the step. */
  isVoid(call: number): boolean {
    return this.past?.isVoid(call) ?? false;
  }

  /** R5: makes a new call as soon as the run has caught up. `words` describe it, in case the execution is blocked. */
  once(words: string, act: () => void): void {
    if (this.catchUp === undefined) act();
    else this.catchUp.hold(words, act);
  }

  block(expected: string, came: string): void {
    this.execution.mention({ type: 'execution.blocked', expected, came, version: this.workflow.version });
  }

  #ambiguous(fact: MadeCall): void {
    if (this.over !== undefined) return;
    const words = wordsOfCall(fact);
    this.block(
      `${words}, which its journal has more than once`,
      'one of them, and it is unknown which, because they may overtake each other: run them with ctx.all or ctx.branch, ' +
        'or give them different names',
    );
    this.execution.detach();
  }
}

const record = (run: RunCalls, fact: NewFact): void => run.record(fact);

const open = (run: RunCalls, fact: PauseFact): void => {
  if (fact.dueAt !== null) (fact as { dueAt: number | null }).dueAt = run.deps.now() + fact.dueAt;
  run.open(fact);
};

/** The error of waits after the end. */
export const ended = (): EndedError => new EndedError('The execution has ended.');

const withdrawn = (reason: unknown): Error =>
  reason instanceof Error ? reason : new WithdrawnError('The branch was withdrawn.');
