/**
 * What a `conversation_id` means: the last turn of a conversation, for whoever comes back to it. A conversation belongs to
 * the identity that began it: the same id under another identity is another conversation, so nobody finds what is not theirs.
 */
import type { Caller, Runtime } from '../../runtime/index.ts';
import type { Turn } from './turn.ts';

export class Conversations {
  readonly #turns = new Map<string, Turn>();
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The last turn, as long as its execution is known. */
  find(workflow: string, by: Caller, conversationId: string): Turn | undefined {
    const turn = this.#turns.get(keyOf(workflow, by, conversationId));
    return turn !== undefined && this.#isKnown(turn) ? turn : undefined;
  }

  /** Makes it the last turn of its conversation, if it has one. */
  keep(workflow: string, turn: Turn): void {
    const { conversationId } = turn.refers;
    if (conversationId === null) return;
    this.#sweep();
    const key = keyOf(workflow, turn.by, conversationId);
    this.#turns.delete(key);
    this.#turns.set(key, turn);
  }

  get size(): number {
    return this.#turns.size;
  }

  /** Looks after two for each one that is added: so those whose executions are forgotten never outnumber the others. */
  #sweep(): void {
    const oldest = this.#turns.entries();
    for (let count = 0; count < 2; count += 1) {
      const next = oldest.next();
      if (next.done) return;
      const [key, turn] = next.value;
      this.#turns.delete(key);
      if (this.#isKnown(turn)) this.#turns.set(key, turn);
    }
  }

  #isKnown({ execution, by }: Turn): boolean {
    return this.#runtime.get(execution.id, by) !== undefined;
  }
}

const keyOf = (workflow: string, { userId }: Caller, conversationId: string): string =>
  JSON.stringify([workflow, userId ?? null, conversationId]);
