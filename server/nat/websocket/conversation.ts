/**
 * A `conversation_id` stands for the last turn of a conversation, also after a restart. A conversation belongs to the
 * identity that started it. The same id under another identity is another conversation, so no client finds a
 * conversation of another user.
 *
 * The runtime knows the execution. The position of the network in recent turns is known here. For a turn of an earlier
 * process, only new output is shown: NAT's chat interface would show the rest a second time.
 */
import {
  type Awaitable,
  andThen,
  type Caller,
  conversationName,
  type ExecutionView,
  type Runtime,
} from '../../../runtime/index.ts';
import { beginning, endOf, type Place, type Progress, type Turn } from './turn.ts';

/** Maximum number of remembered turns without a viewer. */
const MAX_TURNS = 1_000;

export class Conversations {
  readonly #progress = new Map<string, Progress>();
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** The last turn, as long as its execution is known. */
  find(workflow: string, by: Caller, conversationId: string | null): Awaitable<Turn | undefined> {
    if (conversationId === null) return undefined;
    const key = keyOf(workflow, by, conversationId);
    if (key === undefined) return undefined;
    return andThen(this.#runtime.conversation(workflow, conversationId, by), (execution) => {
      const started = execution?.origin.request;
      if (execution === undefined || started === undefined) {
        this.#progress.delete(key);
        return undefined;
      }
      const refers = { parentId: started.userMessageId ?? '', conversationId };
      const turn = { execution, by, refers, streaming: started.streaming };
      const known = this.#progress.get(key);
      if (known?.executionId === execution.id) return { ...turn, progress: known };
      return andThen(this.#seenOf(execution), (seen) => this.#remember(workflow, key, turn, seen));
    });
  }

  /** Another socket may have shown it meanwhile. */
  #remember(workflow: string, key: string, turn: Omit<Turn, 'progress'>, seen: Place): Turn {
    const executionId = turn.execution.id;
    const known = this.#progress.get(key);
    if (known?.executionId === executionId) return { ...turn, progress: known };
    const begun = { ...turn, progress: { executionId, seen, view: undefined } };
    this.keep(workflow, begun);
    return begun;
  }

  /** The probable position of a client without cursors in a turn whose position was lost. */
  #seenOf(execution: ExecutionView): Awaitable<Place> {
    const { startedAt } = this.#runtime;
    if (execution.context.startedAt >= startedAt) return execution.isSettled ? endOf(execution) : beginning;
    return this.#addedAfter(execution, 0);
  }

  /** After the last fact of another process. */
  #addedAfter(execution: ExecutionView, seq: number): Awaitable<Place> {
    return andThen(this.#runtime.journal(execution, seq), (page) => {
      const entries = page?.entries ?? [];
      const isAdded = entries.findIndex(({ at }) => at >= this.#runtime.startedAt);
      const last = (isAdded < 0 ? entries : entries.slice(0, isAdded)).at(-1)?.seq ?? seq;
      return isAdded >= 0 || entries.length === 0 ? { seq: last + 1, part: 0 } : this.#addedAfter(execution, last);
    });
  }

  /** Makes it the last turn of its conversation, if it has one. */
  keep(workflow: string, turn: Turn): void {
    const { conversationId } = turn.refers;
    if (conversationId === null) return;
    const key = keyOf(workflow, turn.by, conversationId);
    if (key === undefined) return;
    this.#progress.delete(key);
    this.#progress.set(key, turn.progress);
    if (this.#progress.size > MAX_TURNS) this.#sweep();
  }

  get size(): number {
    return this.#progress.size;
  }

  /** Checks two turns for each added one, so turns without viewers do not accumulate. */
  #sweep(): void {
    const oldest = this.#progress.entries();
    for (let count = 0; count < 2; count += 1) {
      const next = oldest.next();
      if (next.done) return;
      const [key, progress] = next.value;
      this.#progress.delete(key);
      if (progress.view !== undefined) this.#progress.set(key, progress);
    }
  }
}

/** Undefined for a name that would be guessable, which stands for nothing. */
const keyOf = (workflow: string, by: Caller, conversationId: string): string | undefined =>
  conversationName(by, workflow, conversationId)?.name;
