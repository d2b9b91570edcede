/** The prompts of an execution that a program drives, with the promises of their answers. */
import type { JournalEntry } from '../../machines/facts.ts';
import type { Phase } from '../../machines/standing.ts';
import { EndedError, TimeoutError } from '../authoring/errors.ts';
import type { Answer, Prompt } from '../authoring/prompts.ts';
import { Failure } from '../errors.ts';
import type { Driver, NewFact } from '../executions/execution.ts';
import type { Runtime } from '../runtime.ts';

type Asked = Extract<JournalEntry, { type: 'interaction.requested' }>;

/** NAT's `PendingInteraction`: a prompt and its future answer. */
export class PendingInteraction<A extends Answer = Answer> {
  readonly interactionId: string;
  readonly prompt: Prompt;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /**
   * The answer, or the default of an expired prompt. Rejects with a `TimeoutError` without a default, and with an
   * `EndedError` if the execution ends first. An unhandled rejection has no effect.
   */
  readonly future: Promise<A>;

  constructor({ id, prompt, at }: Pick<Asked, 'id' | 'prompt' | 'at'>, future: Promise<A>) {
    this.interactionId = id;
    this.prompt = prompt;
    this.createdAt = at;
    this.future = future;
    future.catch(() => {});
  }
}

const ignore = (): void => {};

type State = 'open' | 'answered' | 'expired' | 'ended';

class Asking {
  state: State = 'open';
  readonly pending: PendingInteraction;
  readonly #fallback: Answer | undefined;
  #resolve!: (answer: Answer) => void;
  #reject!: (error: Error) => void;

  constructor(asked: Asked) {
    const future = new Promise<Answer>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.pending = new PendingInteraction(asked, future);
    this.#fallback = asked.fallback;
  }

  answer(answer: Answer): void {
    this.state = 'answered';
    this.#resolve(answer);
  }

  expire(): void {
    this.state = 'expired';
    const { timeout } = this.pending.prompt;
    if (this.#fallback !== undefined) this.#resolve(this.#fallback);
    else this.#reject(new TimeoutError(`HITL prompt timed out after ${timeout}s waiting for human response`));
  }

  end(): void {
    if (this.state !== 'open') return;
    this.state = 'ended';
    this.#reject(new EndedError('The execution has ended.'));
  }
}

/** The first outcome for a client: a prompt or consent is open, or the execution has ended. */
export type FirstOutcome = 'interaction_required' | 'oauth_required' | 'completed' | 'failed';

const OUTCOMES: Partial<Record<JournalEntry['type'], FirstOutcome>> = {
  'interaction.requested': 'interaction_required',
  'oauth.requested': 'oauth_required',
  'execution.completed': 'completed',
  'execution.failed': 'failed',
};

/** The driver of such an execution. It needs no slot, so it resumes as soon as it may. */
export class OutsideDriver implements Driver {
  readonly firstOutcome: Promise<FirstOutcome>;
  #onFirst!: (outcome: FirstOutcome) => void;
  readonly #runtime: Pick<Runtime, 'offer'>;
  #executionId = '';
  readonly #asked = new Map<string, Asking>();

  constructor(runtime: Pick<Runtime, 'offer'>) {
    this.#runtime = runtime;
    this.firstOutcome = new Promise((resolve) => {
      this.#onFirst = resolve;
    });
  }

  /** The execution that it drives. */
  of(executionId: string): this {
    this.#executionId = executionId;
    return this;
  }

  /** Only the program knows about its work. */
  readonly isReplaceable = false;

  applied(): void {}

  leave(): void {}

  told(entry: JournalEntry | undefined, phase: Phase): void {
    if (entry === undefined) return;
    if (entry.type === 'interaction.requested') this.#asked.set(entry.id, new Asking(entry));
    if (entry.type === 'interaction.answered') this.#asked.get(entry.id)?.answer(entry.answer);
    if (entry.type === 'interaction.expired') this.#asked.get(entry.id)?.expire();
    if (phase === 'settled') for (const asking of this.#asked.values()) asking.end();
    const outcome = OUTCOMES[entry.type];
    if (outcome !== undefined) this.#onFirst(outcome);

    if (phase === 'queued') this.#report({ type: 'slot.granted' });
    // The execution waits while something is open: only the program knows whether it has other work.
    else if (entry.type === 'slot.granted') this.#report({ type: 'execution.parked' });
  }

  /** While the store cannot write, the execution is left unchanged, and driven again later. */
  #report(fact: NewFact): void {
    try {
      const offered = this.#runtime.offer(this.#executionId, fact);
      if (offered instanceof Promise) offered.catch(ignore);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  pending(interactionId: string): PendingInteraction | undefined {
    return this.#asked.get(interactionId)?.pending;
  }

  /** Undefined for an unknown interaction. */
  state(interactionId: string): State | undefined {
    return this.#asked.get(interactionId)?.state;
  }
}
