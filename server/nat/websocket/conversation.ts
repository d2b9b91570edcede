/**
 * What a `conversation_id` means: the last turn of a conversation, for whoever comes back to it, be it to another process. A
 * conversation belongs to the identity that began it: the same id under another identity is another conversation, so nobody
 * finds what is not theirs.
 *
 * The runtime knows the execution; how far the network has taken it is known here, of the last turns. Of turns that another
 * process has begun only what this one has added is shown: NAT's chat interface would show the rest a second time.
 */
import { type Caller, conversationName, type ExecutionView, type Runtime } from '../../../runtime/index.ts';
import { beginning, endOf, type Place, type Turn } from './turn.ts';

/** Turns that nobody sees and that are remembered all the same. */
const MAX_TURNS = 1_000;

export class Conversations {
  readonly #turns = new Map<string, Turn>();
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The last turn, as long as its execution is known. */
  find(workflow: string, by: Caller, conversationId: string | null): Turn | undefined {
    if (conversationId === null) return undefined;
    const key = keyOf(workflow, by, conversationId);
    if (key === undefined) return undefined;
    const known = this.#turns.get(key);
    const found = this.#runtime.conversation(workflow, conversationId, by);
    if (found === undefined) {
      this.#turns.delete(key);
      return undefined;
    }
    const { execution, started } = found;
    if (known?.execution.id === execution.id) {
      known.execution = execution;
      return known;
    }
    const refers = { parentId: started.userMessageId ?? '', conversationId };
    const seen = this.#seenOf(execution);
    const turn = { execution, by, refers, streaming: started.streaming, seen, view: undefined };
    this.keep(workflow, turn);
    return turn;
  }

  /** How far a client that keeps no count has probably seen a turn of which this is not remembered. */
  #seenOf(execution: ExecutionView): Place {
    const { startedAt } = this.#runtime;
    if (execution.context.startedAt >= startedAt) return execution.isSettled ? endOf(execution) : beginning;
    for (let seq = 0; ; ) {
      const entries = this.#runtime.journal(execution, seq)?.entries ?? [];
      const isAdded = entries.findIndex(({ at }) => at >= startedAt);
      seq = (isAdded < 0 ? entries : entries.slice(0, isAdded)).at(-1)?.seq ?? seq;
      if (isAdded >= 0 || entries.length === 0) return { seq: seq + 1, part: 0 };
    }
  }

  /** Makes it the last turn of its conversation, if it has one. */
  keep(workflow: string, turn: Turn): void {
    const { conversationId } = turn.refers;
    if (conversationId === null) return;
    const key = keyOf(workflow, turn.by, conversationId);
    if (key === undefined) return;
    this.#turns.delete(key);
    this.#turns.set(key, turn);
    if (this.#turns.size > MAX_TURNS) this.#sweep();
  }

  get size(): number {
    return this.#turns.size;
  }

  /** Looks after two for each one that is added: so those that nobody sees do not become more. */
  #sweep(): void {
    const oldest = this.#turns.entries();
    for (let count = 0; count < 2; count += 1) {
      const next = oldest.next();
      if (next.done) return;
      const [key, turn] = next.value;
      this.#turns.delete(key);
      if (turn.view !== undefined) this.#turns.set(key, turn);
    }
  }
}

/** Undefined where the name stands for nothing, since anybody could guess it. */
const keyOf = (workflow: string, by: Caller, conversationId: string): string | undefined =>
  conversationName(by, workflow, conversationId)?.name;
