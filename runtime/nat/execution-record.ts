/** NAT's `ExecutionRecord`: an execution for the program that drives it, as a view of the actor. */
import type { Consent } from '../../machines/facts.ts';
import type { ExecutionView } from '../executions/view.ts';
import type { FirstOutcome, OutsideDriver, PendingInteraction } from './pending-interactions.ts';

/** NAT's words for the status of an execution. */
export type RecordStatus = 'running' | FirstOutcome;

/** NAT's `PendingOAuth`. */
export class PendingOAuth {
  readonly authUrl: string;
  readonly oauthState: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;

  constructor({ authUrl, id, openedAt }: Consent) {
    this.authUrl = authUrl;
    this.oauthState = id;
    this.createdAt = openedAt;
  }
}

export class ExecutionRecord {
  readonly #execution: ExecutionView;
  readonly #driver: OutsideDriver;

  constructor(execution: ExecutionView, driver: OutsideDriver) {
    this.#execution = execution;
    this.#driver = driver;
  }

  get executionId(): string {
    return this.#execution.id;
  }

  /** While several prompts or consents are open, the oldest. */
  get status(): RecordStatus {
    const { settledAt, error, pauses } = this.#execution.context;
    if (settledAt !== null) return error === null ? 'completed' : 'failed';
    const [first] = pauses;
    if (first === undefined) return 'running';
    return first.kind === 'oauth' ? 'oauth_required' : 'interaction_required';
  }

  /** Undefined until it has completed. */
  get result(): unknown {
    return this.status === 'completed' ? this.#execution.context.result : undefined;
  }

  /** Why it failed; undefined otherwise. */
  get error(): string | undefined {
    return this.#execution.context.error?.message;
  }

  /** The oldest. */
  get pendingInteraction(): PendingInteraction | undefined {
    return this.pendingInteractions[0];
  }

  /** Oldest first. */
  get pendingInteractions(): readonly PendingInteraction[] {
    const { pauses } = this.#execution.context;
    return pauses.flatMap(({ id }) => this.#driver.pending(id) ?? []);
  }

  /** The oldest. */
  get pendingOauth(): PendingOAuth | undefined {
    return this.pendingOauths[0];
  }

  /** Oldest first. */
  get pendingOauths(): readonly PendingOAuth[] {
    const consents = this.#execution.context.pauses.filter((pause) => pause.kind === 'oauth');
    return consents.map((consent) => new PendingOAuth(consent));
  }

  /** Resolves to the first outcome, whatever happened since. Never rejects. */
  get firstOutcome(): Promise<FirstOutcome> {
    return this.#driver.firstOutcome;
  }

  /** Epoch milliseconds. */
  get createdAt(): number {
    return this.#execution.context.startedAt;
  }

  /** Epoch milliseconds; undefined before the end. */
  get completedAt(): number | undefined {
    return this.#execution.context.settledAt ?? undefined;
  }
}
