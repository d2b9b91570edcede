/**
 * Executions in memory that other processes change: this file is the only one besides the store that knows of such processes.
 *
 * F1  A caller gets an execution as it is after every change that was acknowledged before the call, at every process.
 * F2  An execution with subscribers gets the facts of other processes soon after their commits: by hints, and without hints within
 *     a second. Hints that are lost cost time, and no truth.
 * F3  One without subscribers leaves memory.
 * F4  A fact for an execution that another process executes is left for that process, as mail. The caller gets the outcome.
 */
import type { Log } from '../authoring/context.ts';
import { Failure } from '../errors.ts';
import type { Inspection } from '../inspection/inspection.ts';
import type { Letter, SharedArchive } from '../store/archive.ts';
import type { TimingWheel, WheelTimer } from '../time/timing-wheel.ts';
import type { Execution } from './execution.ts';
import type { Executions } from './executions.ts';
import { newId } from './ids.ts';

/** Interval of looks without hints. */
const LOOK_MS = 1_000;
/** With hints, every so many looks: a process may end between a commit and its hint. */
const LOOKS_WITH_HINTS = 5;
/** How long a caller waits for the outcome of its letter. */
const OUTCOME_MS = 15_000;

export interface FollowersDeps {
  readonly shared: SharedArchive;
  readonly executions: Executions;
  readonly wheel: TimingWheel;
  readonly now: () => number;
  readonly log: Log;
  /** Gets what other processes have changed, if there is a watcher of that. */
  readonly inspection: Pick<Inspection, 'isWatchedElsewhere' | 'changedElsewhere'>;
  /** An execution without subscribers leaves memory. */
  leave(execution: Execution): void;
}

/** A letter whose outcome is waited for. */
interface Sent extends Letter {
  readonly until: number;
  resolve(accepted: boolean): void;
  reject(failure: Failure): void;
}

export class Followers {
  readonly #deps: FollowersDeps;
  readonly #sent = new Map<string, Sent>();
  /** Keys of letters whose facts are offered here at the moment. */
  readonly #offered = new Set<string>();
  #looks = 0;
  #timer: WheelTimer | undefined;
  #isStopped = false;

  constructor(deps: FollowersDeps) {
    this.#deps = deps;
    deps.shared.onChanged((ids) => this.#changed(ids));
  }

  start(): void {
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== undefined) this.#deps.wheel.cancel(this.#timer);
    const detail = 'This server stops, and the outcome of the request is not known yet; send the request again.';
    for (const letter of this.#sent.values()) letter.reject(new Failure('store_unavailable', { detail }));
    this.#sent.clear();
  }

  /** Offers a fact to an execution that another process executes. Resolves to whether it was accepted. */
  async post({ id }: Execution, fact: Letter['fact']): Promise<boolean> {
    const { shared, now } = this.#deps;
    const key = newId();
    await shared.mail.post({ key, executionId: id, fact });
    return new Promise((resolve, reject) => {
      this.#sent.set(key, { key, executionId: id, fact, until: now() + OUTCOME_MS, resolve, reject });
      this.#later(this.#ask()); // meanwhile the other process may have stopped executing it
    });
  }

  #arm(): void {
    const { wheel, now } = this.#deps;
    this.#timer = wheel.schedule(now() + LOOK_MS, () => {
      this.#arm();
      const hasHints = this.#deps.shared.hasHints();
      this.#looks += 1;
      if (!hasHints) this.#deps.inspection.changedElsewhere(undefined);
      if (!hasHints || this.#looks % LOOKS_WITH_HINTS === 0) this.#lookAtAll();
      else if (this.#sent.size > 0) this.#later(this.#ask());
      for (const { executionId } of this.#sent.values()) this.#deps.shared.mail.remind(executionId);
    });
  }

  #changed(ids: readonly string[] | undefined): void {
    if (this.#isStopped) return;
    if (ids === undefined) {
      this.#lookAtAll();
      this.#deps.inspection.changedElsewhere(undefined);
      return;
    }
    const { shared, executions, inspection } = this.#deps;
    if (inspection.isWatchedElsewhere) this.#later(this.#report(ids));
    for (const id of ids) {
      const execution = executions.inMemory(id);
      if (execution !== undefined) this.look(execution);
    }
    const mine = ids.filter((id) => shared.owns(id));
    if (mine.length > 0) this.#later(this.#read(mine));
    if (ids.some((id) => this.#isAwaited(id))) this.#later(this.#ask());
  }

  async #report(ids: readonly string[]): Promise<void> {
    const owners = await this.#deps.shared.owners(ids);
    this.#deps.inspection.changedElsewhere([...owners].map(([executionId, owner]) => ({ executionId, owner })));
  }

  #isAwaited(id: string): boolean {
    for (const { executionId } of this.#sent.values()) if (executionId === id) return true;
    return false;
  }

  /** It has other facts in the store. F3 */
  look(execution: Execution): void {
    const { executions, shared, leave } = this.#deps;
    if (execution.isSettled) leave(execution); // what else can happen to it is that it is deleted
    if (execution.isSettled || shared.isCurrent(execution.id, execution.context.seq)) return;
    if (execution.watchers > 0) this.#later(executions.refresh(execution));
    else if (!execution.isCommitting) leave(execution);
  }

  /** Reads everything that hints are about. */
  #lookAtAll(): void {
    const { executions, shared } = this.#deps;
    for (const execution of executions.all()) {
      if (execution.watchers > 0 && !shared.isCurrent(execution.id, execution.context.seq))
        this.#later(executions.refresh(execution));
    }
    this.#later(this.#read());
    if (this.#sent.size > 0) this.#later(this.#ask());
  }

  /** Reads the mail for executions of this process, and for those of none. */
  async #read(executionIds?: readonly string[]): Promise<void> {
    const letters = await this.#deps.shared.mail.open(executionIds);
    await Promise.all(letters.map((letter) => this.#offer(letter)));
  }

  /** Asks for the outcomes of letters. One for an execution that no other process executes any more is offered here. */
  async #ask(): Promise<void> {
    const { shared, now } = this.#deps;
    const asked = [...this.#sent.values()];
    const outcomes = await shared.mail.outcomes(asked.map(({ key }) => key));
    for (const letter of asked) {
      const outcome = outcomes.get(letter.key) ?? 'refused'; // its execution was deleted
      if (!this.#sent.has(letter.key)) continue; // another reply was earlier
      if (outcome === 'accepted' || outcome === 'refused') this.#later(this.#conclude(letter, outcome === 'accepted'));
      else if (now() >= letter.until) this.#giveUp(letter);
      else if (outcome === 'free') this.#later(this.#offer(letter).then(() => this.#ask()));
    }
  }

  /** The execution here has the facts of the outcome when the caller gets it. */
  async #conclude(letter: Sent, isAccepted: boolean): Promise<void> {
    const { shared, executions } = this.#deps;
    this.#sent.delete(letter.key);
    try {
      await executions.get(letter.executionId);
      letter.resolve(isAccepted);
    } catch (error) {
      letter.reject(Failure.from(error));
    }
    await shared.mail.remove(letter.key);
  }

  #giveUp(letter: Sent): void {
    this.#sent.delete(letter.key);
    const detail = `The server that executes execution ${letter.executionId} has not replied; send the request again.`;
    letter.reject(new Failure('store_unavailable', { detail, retryAfterMs: LOOK_MS }));
  }

  /** A letter that cannot be offered now is read again later. */
  async #offer(letter: Letter): Promise<void> {
    const { key } = letter;
    if (this.#offered.has(key)) return;
    this.#offered.add(key);
    try {
      await this.#offerOnce(letter);
    } finally {
      this.#offered.delete(key);
    }
  }

  async #offerOnce(letter: Letter): Promise<void> {
    const { mail } = this.#deps.shared;
    const execution = await this.#readyFor(letter);
    if (execution === undefined) return;
    const fact = { ...letter.fact };
    mail.answers(fact, letter.key);
    if (fact.type === 'execution.unblocked') execution.detach();
    if (await execution.request(fact)) return;
    await execution.keeping; // a fact that is being committed may be the reason
    await mail.refuse(letter, execution.context.seq);
  }

  /** Undefined if another process executes it, or if the letter has its outcome. Another process may offer it too while none executes it. */
  async #readyFor({ key, executionId }: Letter): Promise<Execution | undefined> {
    const { executions, shared } = this.#deps;
    for (;;) {
      const execution = await executions.get(executionId);
      if (execution === undefined || execution.isElsewhere) return undefined;
      if (shared.owns(executionId)) return execution;
      const { seq } = execution.applied.context;
      const outcomes = await shared.mail.outcomes([key]);
      if (outcomes.get(key) !== 'free') return undefined;
      const isThere = executions.inMemory(executionId) === execution;
      if (isThere && execution.applied.context.seq === seq) return execution; // no process has offered it before
    }
  }

  #later(done: Promise<unknown>): void {
    done.catch((err) => {
      if (this.#isStopped || (err instanceof Failure && err.code === 'store_unavailable')) return; // the next look reads again
      this.#deps.log.error({ err }, 'the changes of other servers cannot be read');
    });
  }
}
