/** An execution as a store sees it: its facts go through the machine, and are appended with their numbers. */
import type { ExecutionSnapshot } from '../../machines/execution.ts';
import type { ExecutionEvent, JournalEntry } from '../../machines/facts.ts';
import { firstSnapshot, foldEvent } from '../../runtime/actors/system.ts';
import type { Origin } from '../../runtime/journal/start-request.ts';
import type { Fullness, Store } from '../../runtime/store/store.ts';

export interface JournalingOptions extends Partial<Pick<Origin, 'recover' | 'version' | 'retentionMs' | 'names'>> {
  readonly id: string;
  readonly owner?: string;
  readonly workflow?: string;
  readonly startedAt?: number;
}

export class Journaling {
  readonly id: string;
  readonly origin: Origin;
  applied: ExecutionSnapshot;
  /** The state before the last fact. */
  before: ExecutionSnapshot;
  readonly entries: JournalEntry[] = [];
  readonly #store: Store;

  constructor(store: Store, given: JournalingOptions) {
    const { id, owner = null, workflow = 'any', startedAt = 1, ...origin } = given;
    this.#store = store;
    this.id = id;
    this.origin = { request: undefined, recover: 'replay', version: '1', retentionMs: 1_000, names: [], ...origin };
    this.applied = firstSnapshot({ executionId: id, workflow, owner, form: null, startedAt });
    this.before = this.applied;
  }

  begin(): Fullness | Promise<Fullness> {
    const { workflow, owner, form, startedAt } = this.applied.context;
    return this.#append({ type: 'execution.started', workflow, owner, form, input: null, seq: 1, at: startedAt });
  }

  /** `at`: of the fact; by default that of the start. */
  append(fact: Fact, at = this.applied.context.startedAt): Fullness | Promise<Fullness> {
    const event = { ...fact, at } as ExecutionEvent;
    this.before = this.applied;
    this.applied = foldEvent(this.before, event);
    if (this.applied === this.before) throw new Error(`${fact.type} is not possible now`);
    return this.#append({ ...event, seq: this.applied.context.seq } as JournalEntry);
  }

  #append(entry: JournalEntry): Fullness | Promise<Fullness> {
    this.entries.push(entry);
    return this.#store.append({ id: this.id, applied: this.applied, origin: this.origin }, entry);
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
export type Fact = DistributiveOmit<ExecutionEvent, 'at'>;

export const granted: Fact = { type: 'slot.granted' };
export const prompted = (id: string, dueAt: number | null = null): Fact => ({
  type: 'interaction.requested',
  call: 1,
  id,
  prompt: { input_type: 'text', text: 'Go on?', placeholder: null, required: true, timeout: null, error: null },
  dueAt,
});
export const answered = (id: string, text = 'yes'): Fact => ({
  type: 'interaction.answered',
  id,
  answer: { kind: 'text', text },
  by: null,
});
export const completed: Fact = { type: 'execution.completed', result: 'done' };
