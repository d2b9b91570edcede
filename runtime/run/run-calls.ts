/** The functions that calls of `ctx` need of their run. */
import type { JournalEntry } from '../../machines/facts.ts';
import type { Log } from '../authoring/context.ts';
import type { Workflow } from '../authoring/workflow.ts';
import type { Execution, NewFact } from '../executions/execution.ts';
import type { RunRequest } from '../journal/start-request.ts';
import type { OAuth } from '../oauth/oauth.ts';
import type { CallFact, MadeCall, PauseFact } from './calls.ts';
import type { Branch, Position } from './thread.ts';
import type { Turns } from './turns.ts';
import type { Outcome } from './waits.ts';

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

/** `Run` documents its members. */
export interface RunCalls extends Position {
  readonly execution: Execution;
  readonly asked: RunRequest;
  readonly deps: RunDeps;
  readonly workflow: Workflow;
  readonly isReplaying: boolean;
  readonly signal: AbortSignal;
  /** Id of the step of the function, if that is recorded. */
  readonly functionId: string | undefined;
  /** It has ended or was detached: nothing has an effect any more. */
  readonly isOver: boolean;
  readonly resources: unknown;
  readonly position: Position;
  readonly breath: Promise<void> | undefined;
  refusal<T>(position: Position): Promise<T> | undefined;
  make<Fact extends MadeCall>(
    fact: Fact,
    position: Position,
    act?: (run: RunCalls, fact: Fact) => void,
  ): Made<Fact> | undefined;
  record(fact: NewFact): void;
  note<Fact extends MadeCall>(fact: Fact, position?: Position): Fact;
  pause<Fact extends PauseFact, T>(
    given: Fact,
    position: Position,
    outcome: Outcome<Fact, T>,
    signal: AbortSignal | undefined,
  ): Promise<T>;
  pauseAgain<Fact extends PauseFact, T>(
    fact: Fact,
    outcome: Outcome<Fact, T>,
    position: Position,
    signal: AbortSignal | undefined,
  ): Promise<T>;
  resume<Fact extends PauseFact, T>(
    fact: Fact,
    outcome: Outcome<Fact, T>,
    position: Position,
    signal: AbortSignal | undefined,
  ): Promise<T>;
  lookUp<T>(look: () => Promise<T>): Promise<T>;
  ended<T>(call: number, position: Position, outcome: Outcome<undefined, T>): Promise<T>;
  begun(fact: CallFact): Promise<void>;
  block(expected: string, came: string): void;
  once(words: string, act: () => void): void;
  withdraw(branch: Branch): void;
  continueAs(input: unknown): void;
  attemptsOf(call: number): number;
  more(call: number): JournalEntry | undefined;
  hasEnded(call: number): boolean;
  isVoid(call: number): boolean;
}
